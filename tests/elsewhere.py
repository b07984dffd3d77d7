"""Code in a process of its own on the test's database, which may die or freeze at a crash point.

Such processes are forked from one that has loaded Django and nothing else: it knows no connection, and a
start costs hundredths of a second instead of seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing import active_children, get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

import psutil
import psycopg
from django.conf import settings

from config.embedded import point_settings_at
from contacts import crashpoints
from tests.granian import database_url

#: Settings that a test may have changed for itself.
_SHARED = ("SECRET_KEY", "SEGUE_HOME", "SEGUE_EXCHANGE", "SEGUE_LOCAL_HOSTS", "SEGUE_SPOOL")
_nursery: ForkServerContext = get_context("forkserver")
_nursery.set_forkserver_preload(["tests.ready"])


def run(code: str, *, crashpoint: str = "", seconds: float = 60, **names: Any) -> int:
    """The exit status of ``code``, which knows ``names``; 137 where it died at ``crashpoint`` (``name:n``).

    The test must have committed.
    """
    process = start(code, crashpoint=crashpoint, **names)
    return ended(process, seconds)


def start(code: str, *, crashpoint: str = "", freezes: bool = False, **names: Any) -> ForkServerProcess:
    """As ``run``, without waiting; with ``freezes`` it stops at the point, as by SIGSTOP, and lives on."""
    shared = {name: getattr(settings, name) for name in _SHARED}
    process = _nursery.Process(
        target=_act, args=(code, database_url(), crashpoint, freezes, shared, names), daemon=True
    )
    process.start()
    return process


def ended(process: ForkServerProcess, seconds: float = 60) -> int:
    """Its exit status; whoever does not end in time is killed."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"it did not end within {seconds} s")
    _let_go(process.pid, seconds)
    return process.exitcode


def _let_go(pid: int | None, seconds: float) -> None:
    """Wait until its sessions are over: a dead process keeps its locks for as long as nobody has noticed."""
    end = time.monotonic() + seconds
    with psycopg.connect(database_url(), autocommit=True) as other:
        while other.execute(_SESSIONS, [_name(pid)]).fetchone():
            assert time.monotonic() < end, "its sessions do not end"
            time.sleep(0.01)


_SESSIONS = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s LIMIT 1"


def _name(pid: int | None) -> str:
    """What the sessions of a process are called."""
    return f"elsewhere {pid}"


def kill_all() -> None:
    """Whoever still lives: one that stands still would keep its locks and outlive everybody."""
    for process in active_children():
        process.kill()
        process.join()


def frozen(process: ForkServerProcess, seconds: float = 60) -> None:
    """Wait until it stands still."""
    end = time.monotonic() + seconds
    while process.is_alive():
        try:
            if psutil.Process(process.pid).status() == psutil.STATUS_STOPPED:
                return
        except psutil.NoSuchProcess:
            continue
        assert time.monotonic() < end, "it does not freeze"
        time.sleep(0.01)
    raise AssertionError(f"it ended with {process.exitcode} before it froze")


def _act(
    code: str,
    database: str,
    crashpoint: str,
    freezes: bool,
    shared: Mapping[str, Any],
    names: Mapping[str, Any],
) -> None:
    for name, value in shared.items():
        setattr(settings, name, value)
    os.environ["PGAPPNAME"] = _name(os.getpid())
    point_settings_at(database, "")
    if crashpoint:
        crashpoints._fuse = (_Ice if freezes else crashpoints.Fuse)(crashpoint)
    exec(compile(code, "<elsewhere>", "exec"), {"__name__": "elsewhere", **names})
    sys.stdout.flush()


class _Ice(crashpoints.Fuse):
    """Stops the process where a fuse would end it."""

    def burnt(self, name: str) -> bool:
        if super().burnt(name):
            os.kill(os.getpid(), signal.SIGSTOP)
        return False
