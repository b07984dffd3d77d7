"""What every measurement needs: durable servers that are thrown away, a web server, a way to report."""

import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import psutil
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from config.embedded import Servers, point_settings_at
from config.processes import spawn, stop
from config.server_place import free_port

_NAME = "segue_bench"


@contextmanager
def started(*, broker: bool = True) -> Iterator[Servers]:
    """Fresh servers with every safety on and a migrated database, for this process and its children.

    Servers that DATABASE_URL or BROKER_URL name are used instead, with a database of our own on them.
    """
    # In the checkout and not in /tmp, which may be memory: a commit has to reach the disk here.
    home = settings.SEGUE_HOME / f"bench-{os.getpid()}"
    servers = Servers(home)
    try:
        servers.start(
            database="DATABASE_URL" not in os.environ, broker=broker and "BROKER_URL" not in os.environ
        )
        if servers.broker_url:
            os.environ["BROKER_URL"] = servers.broker_url
        address = os.environ.get("DATABASE_URL", servers.database_url)
        print(machine(home), flush=True)
        with _own_database(address):
            point_settings_at(os.environ["DATABASE_URL"], servers.broker_url)
            call_command("migrate", verbosity=0, interactive=False)
            yield servers
    finally:
        connections.close_all()
        servers.stop()
        for folder in {home, servers.folder or home}:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database() -> Iterator[None]:
    """`started` for measurements that need no broker."""
    with started(broker=False):
        yield


@contextmanager
def _own_database(address: str) -> Iterator[None]:
    """An empty database, named in DATABASE_URL, dropped at the end."""
    parts = urlsplit(address)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_NAME))
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_NAME)))
        os.environ["DATABASE_URL"] = parts._replace(path=f"/{_NAME}").geturl()
        try:
            yield
        finally:
            connections.close_all()
            os.environ["DATABASE_URL"] = address
            server.execute(drop)


@contextmanager
def web(
    target: str = "config.wsgi:application",
    *,
    workers: int = 2,
    threads: int = 32,
    ready: str = "/healthz",
    variables: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """A granian WSGI server over `target`; gives its port once a GET of `ready` is answered at all."""
    port = free_port(0)
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += [
        "--workers",
        str(workers),
        "--blocking-threads",
        str(threads),
        "--no-ws",
        "--log-level",
        "error",
    ]
    server = spawn(
        [*command, target],
        on_parent_death=signal.SIGKILL,
        environment=os.environ | {"SEGUE_SUPERVISED": "1", "SEGUE_PORT": str(port)} | dict(variables or {}),
        output=sys.stderr.fileno(),
    )
    try:
        give_up = time.monotonic() + 30
        while not _answers(port, ready):
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the web server for {target} does not answer")
            time.sleep(0.05)
        yield port
    finally:
        stop(server, signal.SIGTERM, patience=10)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def machine(folder: Path) -> str:
    """Cores, memory and how many single commits a second the disk under `folder` can promise."""
    memory = psutil.virtual_memory().total / 2**30
    busy = psutil.cpu_percent(interval=0.3)
    return (
        f"machine: {os.cpu_count()} cores, {memory:.0f} GB, {syncs_per_second(folder):.0f} fdatasync/s, "
        f"{busy:.0f} % busy before we begin"
    )


def syncs_per_second(folder: Path, seconds: float = 0.5) -> float:
    file = folder / "sync.probe"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        count, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            os.pwrite(handle, b"x" * 8192, 0)
            os.fdatasync(handle)
            count += 1
        return count / (time.monotonic() - began)
    finally:
        os.close(handle)
        file.unlink()


class Load:
    """Who used the processors meanwhile: `with Load() as load: ...; print(load)`.

    Shares are of all cores together. Ours is this process and everything it started, servers included;
    a high foreign share makes wall-clock figures doubtful.
    """

    def __enter__(self) -> Self:
        self._began, self._own, self._all = time.monotonic(), _own_seconds(), _busy_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        whole = self.seconds * (os.cpu_count() or 1)
        self.own_seconds = max(_own_seconds() - self._own, 0.0)
        self.own = self.own_seconds / whole
        self.foreign = max((_busy_seconds() - self._all) / whole - self.own, 0.0)

    def __str__(self) -> str:
        shares = f"own={self.own:.0%} foreign={self.foreign:.0%}"
        return f"cpu: {shares} of {os.cpu_count()} cores in {self.seconds:.1f} s"


def _own_seconds() -> float:
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    total = 0.0
    for process in family:
        try:
            total += sum(process.cpu_times()[:4])  # with children that have ended
        except psutil.Error:
            continue
    return total


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


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


def report(name: str, ours: float, baseline: float, *, kind: Literal["rate", "time"] = "rate") -> float:
    """Print the line that ends every measurement; returns the ratio, in which higher is better."""
    ratio = ours / baseline if kind == "rate" else baseline / ours
    print(f"{name}: ours={ours:.4g} baseline={baseline:.4g} ratio={ratio:.3g}", flush=True)
    return ratio


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
