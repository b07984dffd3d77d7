"""What every benchmark needs: a database of its own, a stopwatch for wall and CPU, and the last line."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from config import env
from config.embedded import Servers

_NAME = "segue_bench"


@contextmanager
def database() -> Iterator[None]:
    """A fresh, migrated database for this run, with fsync on; child processes find it in DATABASE_URL.

    It lies on the server of DATABASE_URL if that is set, otherwise on one of its own under ``.segue/bench``.
    """
    servers = Servers(settings.SEGUE_HOME / "bench", durable=True)
    given = os.environ.get("DATABASE_URL")
    if not given:
        servers.start(broker=False)
    address = urlsplit(given or servers.database_url)
    try:
        with psycopg.connect(address._replace(path="/postgres").geturl(), autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_NAME)))
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_NAME)))
            os.environ["DATABASE_URL"] = address._replace(path=f"/{_NAME}").geturl()
            connections.close_all()
            settings.DATABASES["default"].update(
                env.database("DATABASE_URL", os.environ["DATABASE_URL"], pool=0)
            )
            call_command("migrate", verbosity=0, interactive=False)
            yield
            connections.close_all()
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_NAME)))
    finally:
        connections.close_all()
        servers.stop()


@dataclass
class Spent:
    """Seconds between entering and leaving ``stopwatch()``: wall, and CPU of this side and the database's."""

    wall: float = 0.0
    python: float = 0.0
    postgres: float = 0.0

    def describe(self, things: int, noun: str) -> str:
        python, postgres = (1e6 * spent / things for spent in (self.python, self.postgres))
        return (
            f"{things / self.wall:,.0f} {noun}s/s;"
            f" CPU a {noun}: Python {python:.0f} µs, database {postgres:.0f} µs"
        )


@contextmanager
def stopwatch() -> Iterator[Spent]:
    """Measure wall and CPU time, with that of children that end meanwhile and of all database processes."""
    spent = Spent()
    wall, python, postgres = time.perf_counter(), _python_cpu(), _postgres_cpu()
    yield spent
    spent.wall = time.perf_counter() - wall
    spent.python = _python_cpu() - python
    spent.postgres = _postgres_cpu() - postgres


def report(name: str, *, ours: float, baseline: float, smaller_is_better: bool = False) -> None:
    """The line by which benchmarks are compared; its ratio is always higher-is-better."""
    ratio = baseline / ours if smaller_is_better else ours / baseline
    print(f"{name}: ours={ours:.4g} baseline={baseline:.4g} ratio={ratio:.2f}", flush=True)


def _python_cpu() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _postgres_cpu() -> float:
    """CPU seconds of the whole server, as far as it runs on this machine; 0 otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone() or (0,)
    try:
        postmaster = psutil.Process(backend).parent()
        if postmaster is None:
            return 0.0
        own = postmaster.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in postmaster.children():
            times = child.cpu_times()
            total += times.user + times.system
    except psutil.NoSuchProcess:
        return 0.0
    return float(total)
