"""Group commit: requests that wait at the same time share one COPY and one commit.

One committer thread a process drains a queue into ``contacts_inboxitem``. Each caller is released only
after the commit that holds its own rows, so an answer of 200 means durable. When the store cannot be
reached, callers get StoreDown at once or within seconds, never a false success; the committer reconnects
by itself. A caller that gave up waiting may still have been stored: senders repeat with the same message
id, and ingest keeps one.
"""

from __future__ import annotations

import queue
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import psycopg
from django.db import connection

from contacts import copying
from contacts.crashpoints import crashpoint
from contacts.intake import Row

_MOST_WAITING = 50_000
"Rows that may wait in one process; beyond it the store is too slow and callers are told so."
_MOST_TOGETHER = 10_000
_PATIENCE = 10.0
"Seconds that a caller waits for its commit."
_PAUSE = 0.25
"Seconds without a new attempt after a failed connection, so that an outage is not met with a storm."

_COPY = (
    "COPY contacts_inboxitem (lane, source_id, received_at, rejection, payload, server)"
    " FROM STDIN (FORMAT BINARY)"
)
# Six fields, each after its length: lane, source, time, and the length of the rejection.
_HEAD = struct.Struct("!h ih ii iq i").pack
_LENGTH = struct.Struct("!i").pack
_SERVER = {flag: struct.pack("!i?", 1, flag) for flag in (False, True)}


class StoreDown(Exception):
    """The rows were not stored, or it is not known whether they were. Try again later."""


class Writer(Protocol):
    """Writes groups of rows, each call one commit. Only the committer thread uses it."""

    def write(self, groups: Sequence[Sequence[Row]]) -> None: ...

    def close(self) -> None: ...


class InboxWriter:
    """Writes to PostgreSQL over one connection of its own, opened when needed and after each failure."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def write(self, groups: Sequence[Sequence[Row]]) -> None:
        """One COPY, one durable commit. Raises ``psycopg.Error``; the next call then reconnects."""
        try:
            if self._connection is None:
                self._connection = connect()
            # The COPY is its own transaction, which ends with the block: one exchange with the store.
            with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.write(encoded(groups))
                crashpoint("intake.before_commit")
            crashpoint("intake.after_commit")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect() -> psycopg.Connection:
    """A connection beside Django's (which belong to one thread each), with Django's settings.

    Every wait is bounded: a store that hangs must turn into an error, not into a stuck server.
    """
    settings = connection.get_connection_params()
    return psycopg.connect(
        **{key: settings[key] for key in ("dbname", "user", "password", "host", "port") if key in settings},
        autocommit=True,
        connect_timeout=3,
        tcp_user_timeout=5_000,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        application_name="segue-intake",
        options="-c synchronous_commit=on -c statement_timeout=8s -c timezone=UTC",
    )


def encoded(groups: Sequence[Sequence[Row]]) -> bytes:
    """`groups` as the bytes of a binary COPY."""
    parts = [copying.HEADER]
    for rows in groups:
        known, instant = None, 0
        for lane, source_id, received_at, rejection, payload, server in rows:
            reason = rejection.encode()
            if received_at is not known:  # the rows of a request share theirs
                known, instant = received_at, copying.instant(received_at)
            parts += (
                _HEAD(6, 2, lane, 4, source_id, 8, instant, len(reason)),
                reason,
                _LENGTH(len(payload)),
                payload,
                _SERVER[server],
            )
    parts.append(copying.TRAILER)
    return b"".join(parts)


class _Ticket:
    """A caller's rows, and the lock on which it sleeps until they are stored or lost."""

    __slots__ = ("error", "lock", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.error: BaseException | None = None
        self.lock = threading.Lock()
        self.lock.acquire()


class GroupCommit:
    """The queue and its committer thread. `after_commit` runs in that thread once a group is stored."""

    def __init__(
        self,
        writer: Writer,
        *,
        after_commit: Callable[[], None] = lambda: None,
        patience: float = _PATIENCE,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._writer = writer
        self._after_commit = after_commit
        self._patience = patience
        self._most_waiting = most_waiting
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self.waiting = 0
        "Rows that are queued or being written."
        self._broken_until = float("-inf")
        self._thread = threading.Thread(target=self._work, name="group-commit", daemon=True)
        self._thread.start()

    def store(self, rows: Sequence[Row]) -> None:
        """Return when `rows` are committed. Raises StoreDown when they are not, or not in time."""
        with self._counting:
            if self.waiting + len(rows) > self._most_waiting:
                raise StoreDown("too much is waiting")
            self.waiting += len(rows)
        ticket = _Ticket(rows)
        self._queue.put(ticket)
        if not ticket.lock.acquire(timeout=self._patience):
            raise StoreDown("the store is too slow")
        if ticket.error is not None:
            raise StoreDown("the store failed") from ticket.error

    def close(self) -> None:
        """Store what waits, then end the thread. Nothing may be stored afterwards."""
        self._queue.put(None)
        self._thread.join()
        self._writer.close()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            tickets, last = self._gather(first)
            self._commit(tickets)
            if last:
                return

    def _gather(self, first: _Ticket) -> tuple[list[_Ticket], bool]:
        """`first` and all that waits behind it, up to one COPY's worth; True if that was the end."""
        tickets, count = [first], len(first.rows)
        while count < _MOST_TOGETHER:
            try:
                ticket = self._queue.get_nowait()
            except queue.Empty:
                break
            if ticket is None:
                return tickets, True
            tickets.append(ticket)
            count += len(ticket.rows)
        return tickets, False

    def _commit(self, tickets: list[_Ticket]) -> None:
        if time.monotonic() < self._broken_until:
            self._release(tickets, StoreDown("the store failed a moment ago"))
            return
        try:
            self._writer.write([ticket.rows for ticket in tickets])
        except psycopg.DataError as error:
            self._commit_apart(tickets, error)
            return
        except Exception as error:  # noqa: BLE001 (whatever failed, each caller must be told and woken)
            if isinstance(error, psycopg.OperationalError):
                self._broken_until = time.monotonic() + _PAUSE
            self._release(tickets, error)
            return
        self._release(tickets)
        self._after_commit()

    def _commit_apart(self, tickets: list[_Ticket], error: psycopg.DataError) -> None:
        """Rows that the store refuses cost only the request that brought them."""
        if len(tickets) == 1:
            self._release(tickets, error)
            return
        for ticket in tickets:
            self._commit([ticket])

    def _release(self, tickets: list[_Ticket], error: BaseException | None = None) -> None:
        with self._counting:
            self.waiting -= sum(len(ticket.rows) for ticket in tickets)
        for ticket in tickets:
            ticket.error = error
            ticket.lock.release()
