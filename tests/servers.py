"""The servers of a test process, with a migrated template to copy its database from.

Each process of a run has its own: readers of the event log wait for every open transaction of a server, so
tests side by side on one would wait for each other. They throw fsync away, so use them for what must be
right, never for what must survive a power cut.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from config.embedded import Servers, point_settings_at
from tests import homes
from tests.homes import ROOT

_ONE_AT_A_TIME = 7_355_608
"Key of the advisory lock under which the template is made, where the server is not ours."


class TestServers:
    """Servers kept warm in `.segue/test`, or in a folder of their own while another run uses those."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._lock: IO[str] | None = None
        self._throw_away: Path | None = None
        self._folder = self._home()
        self._servers = Servers(self._folder, durable=False)

    def _home(self) -> Path:
        home = ROOT / ".segue" / "test" / self._worker
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "session").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            self._throw_away = Path(tempfile.mkdtemp(prefix="segue-test-"))
            self._throw_away.chmod(0o755)  # the servers' account has to pass
            return self._throw_away
        self._lock = lock
        return home

    def start(self) -> None:
        if "DATABASE_URL" not in os.environ:
            homes.fill(self._folder)
        self._servers.start(database="DATABASE_URL" not in os.environ, broker="BROKER_URL" not in os.environ)
        for variable, address in (
            ("DATABASE_URL", self._servers.database_url),
            ("BROKER_URL", self._servers.broker_url),
        ):
            if address:
                os.environ[variable] = address

    def stop(self) -> None:
        self._servers.stop()
        if self._throw_away:
            shutil.rmtree(self._throw_away)
        if self._lock:
            self._lock.close()


def adjust_settings() -> None:
    """The run's servers, and what makes tests quick."""
    point_settings_at(os.environ["DATABASE_URL"], os.environ["BROKER_URL"])
    # Files of hits belong to one database: each process of tests has its own.
    settings.SEGUE_SPOOL = Path(tempfile.mkdtemp(prefix="segue-spool-"))
    os.environ["SEGUE_SPOOL"] = str(settings.SEGUE_SPOOL)
    atexit.register(shutil.rmtree, settings.SEGUE_SPOOL, ignore_errors=True)
    # Every test client would read the whole list of static files; this looks when one is asked for.
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@contextmanager
def own_database(name: str) -> Iterator[None]:
    """A fresh copy of the migrated template as the default database, dropped at the end."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl()
    template = homes.template_database()
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        _ensure_template(server, template)
        _drop(server, name)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        # The consent ledger refuses to be emptied; between two tests it has to be.
        server.execute(
            sql.SQL("ALTER DATABASE {} SET segue.ledger_may_be_emptied = 'on'").format(sql.Identifier(name))
        )
        server.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])
        _use(name)
        try:
            yield
        finally:
            connections.close_all()
            _drop(server, name)


def _ensure_template(server: psycopg.Connection, template: str) -> None:
    rows = server.execute(
        r"SELECT datname FROM pg_database WHERE datname LIKE 'segue\_template\_%'"
    ).fetchall()
    known = {name for (name,) in rows}
    if template in known:
        return
    for name in known:
        _drop(server, name)
    draft = "segue_draft"
    _drop(server, draft)
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
    _use(draft)
    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(template))
    )


def _use(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
