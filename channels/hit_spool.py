"""The spool of hits: where a fetch is written down before it is answered, for a few microseconds.

Each process appends to a file of its own; what it appended survives its death by `kill -9`, and a thread
brings it into ``channels_hit``, many rows in one COPY. How far a file was taken in is written in that same
transaction, so a hit comes in once whatever dies between. A file whose process is gone (its lock is free)
is taken in by whoever finds it: another web process, or a worker on the same machine.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import psycopg

from channels import hit_files
from channels.hit_files import File
from channels.hits import NewHit, encoded
from contacts import copying
from contacts.crashpoints import crashpoint
from contacts.group_commit import StoreDown, connect

_log = logging.getLogger(__name__)
_LARGEST = 64 << 20
"Bytes after which a file is left for a new one."
_MOST = 2 << 30
"Bytes of hits that may wait while the store is away; after that they are not kept."
_TORN = 4096
"No hit is longer."
_PAUSE = 0.1
"Seconds between two takings, so that hits come in together."
_AFTER_FAILURE = 1.0
_LOOK_ROUND = 30.0
"Seconds between two searches for files whose process is gone."
_SYNC = 0.5
"Seconds after which what waits is on the disk as well, and not only safe from the death of a process."


class Place(Protocol):
    """Where hits go, each call one commit; remembers how far each file was taken in."""

    def taken(self, name: str) -> int: ...

    def take(self, name: str, rows: Sequence[bytes], upto: int) -> None: ...

    def forget(self, name: str) -> None: ...


class Table:
    """``channels_hit``, over a connection of its own that is opened when needed and after each failure."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None

    def taken(self, name: str) -> int:
        row = self._run("SELECT taken FROM channels_hitspool WHERE name = %s", name)
        return int(row[0]) if row else 0

    def take(self, name: str, rows: Sequence[bytes], upto: int) -> None:
        """Raises psycopg.Error; nothing was taken then."""
        try:
            with self._open().transaction(), self._open().cursor() as cursor:
                with cursor.copy(_COPY) as copy:
                    copy.write(b"".join((copying.HEADER, *rows, copying.TRAILER)))
                cursor.execute(_UPTO, (name, upto))
                crashpoint("spool.before_commit")
            crashpoint("spool.after_commit")
        except BaseException:
            self.close()
            raise

    def forget(self, name: str) -> None:
        self._run("DELETE FROM channels_hitspool WHERE name = %s RETURNING 0", name)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, sql: str, name: str) -> Any:
        try:
            return self._open().execute(sql.encode(), (name,)).fetchone()
        except BaseException:
            self.close()
            raise

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = connect()
        return self._connection


_COPY = (
    "COPY channels_hit (received_at, kind, message_id, message_created_at, link_id, provider_id, receipt_key,"
    " data) FROM STDIN (FORMAT BINARY)"
)
_UPTO = (
    "INSERT INTO channels_hitspool (name, taken) VALUES (%s, %s)"
    " ON CONFLICT (name) DO UPDATE SET taken = excluded.taken"
)


class Spool:
    """The spool of one process. ``store`` returns once the hits survive this process."""

    def __init__(self, folder: Path, place: Place, after: Callable[[], None] = lambda: None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._place, self._after = folder, place, after
        self._lock = threading.Lock()
        self._file = hit_files.make(folder)
        self._full: list[File] = []
        self._waiting = 0
        self._work, self._ended = threading.Event(), False
        self._looked = self._synced = float("-inf")
        self._thread = threading.Thread(target=self._run, name="hit-spool", daemon=True)
        self._thread.start()

    def store(self, hits: Sequence[NewHit]) -> None:
        """Append ``hits``. Raises StoreDown where the disk does not take them or too many wait."""
        data = hit_files.framed(map(encoded, hits))
        with self._lock:
            if self._waiting > _MOST:
                raise StoreDown("too many hits wait")
            self._append(data)
        if not self._work.is_set():
            self._work.set()

    def _append(self, data: bytes) -> None:
        file = self._file
        try:
            written = os.write(file.handle, data)
        except OSError as error:
            raise StoreDown("the spool cannot be written") from error
        if written != len(data):
            # A torn hit would hide those behind it.
            os.ftruncate(file.handle, file.written)
            raise StoreDown("the disk is full")
        file.written += written
        self._waiting += written
        if file.written > _LARGEST:
            self._full.append(file)
            try:
                self._file = hit_files.make(self._folder)
            except OSError:
                self._full.remove(file)

    def settle(self, seconds: float = 5.0) -> bool:
        """Wait until what was stored by now is taken in; whether it is."""
        until = time.monotonic() + seconds
        while self._waiting and time.monotonic() < until:
            time.sleep(0.005)
        return not self._waiting

    def close(self) -> None:
        """Take in what waits, and end the thread."""
        self._ended = True
        self._work.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._work.wait(_LOOK_ROUND if self._looked > 0 else 0.0)
            ended = self._ended
            self._work.clear()
            try:
                self._look_round()
                self._take_all(ended)
            except Exception as error:  # noqa: BLE001 (whatever it was, hits must be taken in later)
                _log.warning("hits wait in the spool: %s", type(error).__name__)
                self._sync()
                self._work.set()
                if ended:
                    return
                time.sleep(_AFTER_FAILURE)
            else:
                if ended:
                    return
                time.sleep(_PAUSE)

    def _take_all(self, ended: bool) -> None:
        for file in list(self._full):
            self._take(file, file.written)
            self._place.forget(file.path.stem)
            file.close(gone=True)
            self._full.remove(file)
        self._take(self._file, self._file.written)
        if ended:
            self._place.forget(self._file.path.stem)
            self._file.close(gone=True)

    def _take(self, file: File, upto: int) -> None:
        while file.taken < upto:
            rows, end = hit_files.rows(file, upto)
            if not rows:
                raise OSError(f"{file.path.name} is damaged behind byte {file.taken}")
            self._place.take(file.path.stem, rows, end)
            with self._lock:
                self._waiting -= end - file.taken
            file.taken = end
            self._after()

    def _look_round(self) -> None:
        if time.monotonic() - self._looked < _LOOK_ROUND:
            return
        self._looked = time.monotonic()
        if gather(self._folder, self._place, {self._file.path, *(file.path for file in self._full)}):
            self._after()

    def _sync(self) -> None:
        if time.monotonic() - self._synced > _SYNC:
            self._synced = time.monotonic()
            os.fdatasync(self._file.handle)


def gather(folder: Path, place: Place, own: Collection[Path] = ()) -> int:
    """Take in what processes left that are gone; returns how many hits."""
    found = 0
    for path in sorted(folder.glob("*.hits")):
        if path in own or (file := hit_files.adopt(path)) is None:
            continue
        gone = False
        try:
            file.taken = place.taken(path.stem)
            whole = hit_files.whole(file)
            while file.taken < whole:
                rows, end = hit_files.rows(file, whole)
                place.take(path.stem, rows, end)
                found, file.taken = found + len(rows), end
            place.forget(path.stem)
            # The last hit may be torn, and was then never answered; more than that somebody must see.
            gone = file.written - whole < _TORN
            if not gone:
                path.rename(path.with_suffix(".damaged"))
        finally:
            file.close(gone=gone)
    return found


def bring_in(folder: Path) -> int:
    """``gather`` into the table; what cannot be taken in now waits, and is said. Returns how many hits."""
    table = Table()
    try:
        return gather(folder, table)
    except (psycopg.Error, OSError) as error:
        _log.warning("hits wait in %s: %s", folder, type(error).__name__)
        return 0
    finally:
        table.close()
