"""A populated database that stays: filled once for each pair of sizes, then used by every measurement.

It lies in ``.segue/bench-data``; without that folder, the next measurement fills it again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from benchmarks import harness
from benchmarks.populate import populate
from config.embedded import Servers, point_settings_at


@contextmanager
def database(contacts: int, events: int, *, scratch: bool = False) -> Iterator[datetime]:
    """The database with so many contacts and events; gives the instant up to which its past reaches.

    A measurement that writes asks for a ``scratch`` copy, which is dropped at its end.
    """
    servers = Servers(settings.SEGUE_HOME / "bench-data")
    own = "DATABASE_URL" not in os.environ
    try:
        servers.start(database=own, broker=False)
        address = servers.database_url if own else os.environ["DATABASE_URL"]
        print(harness.machine(servers.folder or settings.SEGUE_HOME), flush=True)
        name = f"segue_bench_{contacts}_{events}"
        server = urlsplit(address)._replace(path="/postgres").geturl()
        with psycopg.connect(server, autocommit=True) as admin:
            now = _filled(admin, address, name, contacts, events, relaxed=own)
            used = f"{name}_scratch" if scratch else name
            if scratch:
                _copy(admin, name, used)
            try:
                with _pointed_at(address, used):
                    yield now
            finally:
                if scratch:
                    admin.execute(_drop(used))
    finally:
        connections.close_all()
        servers.stop()


def _filled(
    admin: psycopg.Connection, address: str, name: str, contacts: int, events: int, *, relaxed: bool
) -> datetime:
    """Fill the database unless that was done before, to the end; its comment says so."""
    found = admin.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
    ).fetchone()
    if found and found[0]:
        with _pointed_at(address, name):
            call_command("migrate", verbosity=0, interactive=False)
        return datetime.fromisoformat(json.loads(found[0])["now"])
    now, began = datetime.now(UTC), time.perf_counter()
    admin.execute(_drop(name))
    admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    if relaxed:
        _durable(admin, False)
    try:
        with _pointed_at(address, name):
            call_command("migrate", verbosity=0, interactive=False)
            populate(contacts, events, now)
    finally:
        if relaxed:
            _durable(admin, True)
    note = json.dumps({"now": now.isoformat()})
    admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(note)))
    print(f"{contacts:,} contacts, {events:,} events made in {time.perf_counter() - began:.1f} s", flush=True)
    return now


def _durable(admin: psycopg.Connection, safe: bool) -> None:
    """While the data is made a power cut may spoil it: it would be made again."""
    for setting in ("fsync", "full_page_writes"):
        admin.execute(f"ALTER SYSTEM {'RESET' if safe else 'SET'} {setting}{'' if safe else ' = off'}")
    admin.execute("SELECT pg_reload_conf()")
    if safe:
        admin.execute("CHECKPOINT")
        os.sync()


def _copy(admin: psycopg.Connection, name: str, used: str) -> None:
    admin.execute(_drop(used))
    statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
    admin.execute(sql.SQL(statement).format(sql.Identifier(used), sql.Identifier(name)))


def _drop(name: str) -> sql.Composed:
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))


@contextmanager
def _pointed_at(address: str, name: str) -> Iterator[None]:
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = urlsplit(address)._replace(path=f"/{name}").geturl()
    point_settings_at(os.environ["DATABASE_URL"], "")
    try:
        yield
    finally:
        connections.close_all()
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before
