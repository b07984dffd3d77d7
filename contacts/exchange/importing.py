"""What may be done with an import, from the upload to undoing it. Doors call these, a pulse works."""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from contacts.exchange import checking, files, mapping, running, sniffing, undoing
from contacts.exchange.mapping import Mapping
from contacts.exchange.sheets import Format
from contacts.exchange.sniffing import NotATableError
from contacts.exchange.workbooks import BadWorkbookError
from contacts.models import Import

_NAMESPACE = zlib.crc32(b"imports") & 0x7FFFFFFF
_AT_ONCE = 8 << 20
"Bytes of a file that is read while the person waits."
_KEPT = timedelta(days=30)
"For so long a file waits for a decision."
_State = Import.State
#: What may follow upon what, and by whose hand: a person's.
_MOVES: dict[str, tuple[str, frozenset[str]]] = {
    "check": (_State.CHECKING, frozenset({_State.MAPPING, _State.CHECKED})),
    "start": (_State.RUNNING, frozenset({_State.CHECKED})),
    "pause": (_State.PAUSED, frozenset({_State.RUNNING})),
    "resume": (_State.RUNNING, frozenset({_State.PAUSED, _State.FAILED})),
    "cancel": (
        _State.CANCELLED,
        frozenset(
            {_State.READING, _State.MAPPING, _State.CHECKING, _State.CHECKED, _State.RUNNING, _State.PAUSED}
        ),
    ),
    "undo": (_State.UNDOING, frozenset({_State.FINISHED, _State.CANCELLED, _State.FAILED})),
}


class NotNowError(Exception):
    """The import is in a state in which this cannot be done."""


def begin(
    what: str,
    name: str,
    pieces: Iterable[bytes],
    by: int | None,
    now: datetime,
    options: dict[str, Any] | None = None,
) -> Import:
    """Take a file. Raises files.TooLargeError; anything else that is wrong with it stands on the import."""
    key = uuid.uuid4()
    size, digest = files.store(key, pieces)
    job = Import(
        key=key,
        what=what,
        name=name[:200],
        size=size,
        digest=digest,
        by_id=by,
        made_at=now,
        mapping=options or {},
    )
    job.save()
    if size <= _AT_ONCE:
        read(job)
    return job


def read(job: Import, *, encoding: str | None = None, delimiter: str | None = None) -> None:
    """Find out what the file holds; guesses what its columns mean. A file that is no table fails."""
    try:
        used = files.settle(job.key, encoding)
        head = files.head_of(job.key)
        form = sniffing.table(head, used, delimiter)
    except (NotATableError, BadWorkbookError) as error:
        job.state, job.fault = _State.FAILED, str(error)
        job.save(update_fields=["state", "fault"])
        return
    set_format(job, form)
    samples = sniffing.sample(head, form, 200)
    columns = mapping.guess(job.what, form.columns, samples, form.decimal)
    guessed = Mapping(columns=columns)
    job.mapping = msgspec.to_builtins(guessed) | {
        name: value for name, value in job.mapping.items() if name != "columns"
    }
    job.state, job.fault = _State.MAPPING, ""
    job.save()


def set_format(job: Import, form: Format) -> None:
    """Read the file by ``form`` from now on. The caller saves."""
    size = files.path_of(job.key, "csv").stat().st_size
    job.format = msgspec.to_builtins(form) | {"bytes": size}
    job.offset, job.next_line = form.start, form.line


def move(job: Import, act: str) -> Import:
    """check, start, pause, resume, cancel or undo. Raises NotNowError."""
    state, allowed = _MOVES[act]
    if act == "resume" and job.fault:
        allowed -= {_State.FAILED}
    if not Import.objects.filter(pk=job.pk, state__in=allowed).update(state=state):
        raise NotNowError(act)
    job.refresh_from_db()
    if act == "check":
        Import.objects.filter(pk=job.pk).update(forecast={})
    if act == "cancel":
        files.remove(job.key)
    return job


def may(job: Import, act: str) -> bool:
    """Whether ``act`` can be done in the import's state."""
    return job.state in _MOVES[act][1] and not (act == "resume" and job.fault)


def work(clock: Callable[[], datetime], *, seconds: float) -> int:
    """Do what waits, one import after the other; returns how many steps were taken."""
    until, steps = time.monotonic() + seconds, 0
    for number in Import.objects.filter(state__in=Import.WORK).order_by("pk").values_list("pk", flat=True):
        with alone(_NAMESPACE, number) as mine:
            while mine and time.monotonic() < until and _step(number, clock, until):
                steps += 1
    return steps


def _step(number: int, clock: Callable[[], datetime], until: float) -> bool:
    """One step; whether another one may be due at once."""
    job = Import.objects.get(pk=number)
    if job.state == _State.READING:
        read(job)
    elif job.state == _State.CHECKING:
        checking.check(job, clock)
    elif job.state == _State.RUNNING:
        _run(job, clock, until)
    elif job.state == _State.UNDOING:
        undoing.undo(job, clock(), until=until)
    else:
        return False
    return True


def _run(job: Import, clock: Callable[[], datetime], until: float) -> None:
    try:
        running.run(job.pk, clock, until=until)
    except FileNotFoundError:
        Import.objects.filter(pk=job.pk).update(state=_State.FAILED, fault="file_missing", ended_at=clock())
    if Import.objects.filter(pk=job.pk, state=_State.FINISHED).exists():
        files.remove(job.key)


def undecided_since(now: datetime) -> None:
    """Cancel what nobody decided about for a month; its file goes with the next sweep."""
    Import.objects.filter(
        state__in=[_State.MAPPING, _State.CHECKED, _State.PAUSED, _State.FAILED], made_at__lt=now - _KEPT
    ).update(state=_State.CANCELLED, ended_at=now)


def keys_in_use() -> set[uuid.UUID]:
    """Keys of the imports that still need their file."""
    over = [_State.FINISHED, _State.CANCELLED, _State.UNDOING, _State.UNDONE]
    return set(Import.objects.exclude(state__in=over).values_list("key", flat=True))


@contextmanager
def alone(namespace: int, number: int) -> Iterator[bool]:
    """Whether this connection, and no other, works on the thing meanwhile. Ends with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [namespace, number & 0x7FFFFFFF])
        (mine,) = cursor.fetchone() or (False,)
    try:
        yield mine
    finally:
        if mine and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [namespace, number & 0x7FFFFFFF])
