"""The states of a message, the moves between them, and the one way to make a move.

A move is a compare-and-set: it changes only rows that still stand where the mover believed, so that any
number of workers may try and one wins. ``docs/lifecycles.md`` is drawn from ``MOVES``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import psycopg
from django.db import connection

from channels.models import Message

State = Message.State

#: From each state, where a message may go, and what makes it go there.
MOVES: Mapping[State, Mapping[State, str]] = {
    State.INTENDED: {
        State.QUEUED: "may leave",
        State.HELD: "not now",
        State.DROPPED: "not allowed",
        State.CANCELLED: "no longer wanted",
        State.EXPIRED: "too late",
    },
    State.HELD: {
        State.QUEUED: "may leave",
        State.HELD: "still not",
        State.DROPPED: "not allowed",
        State.CANCELLED: "no longer wanted",
        State.EXPIRED: "too late",
    },
    State.QUEUED: {
        State.CLAIMED: "a worker takes it",
        State.HELD: "not now, after all",
        State.DROPPED: "not allowed any more",
        State.CANCELLED: "no longer wanted",
        State.EXPIRED: "too late",
    },
    State.CLAIMED: {
        State.TRANSMITTING: "about to hand over",
        State.QUEUED: "given back",
        State.HELD: "not now, after all",
        State.DROPPED: "not allowed any more",
        State.CANCELLED: "no longer wanted",
        State.EXPIRED: "too late",
        State.REJECTED: "cannot be written",
    },
    State.TRANSMITTING: {
        State.ACCEPTED: "the provider took it",
        State.REJECTED: "the provider refused it",
        State.QUEUED: "try later",
        State.EXPIRED: "too late to try again",
        State.UNCERTAIN: "no answer",
    },
    State.UNCERTAIN: {
        State.ACCEPTED: "a receipt says it arrived",
        State.REJECTED: "a receipt says it did not",
        State.QUEUED: "sent again, by rule or by hand",
    },
    State.ACCEPTED: {},
    State.REJECTED: {},
    State.DROPPED: {},
    State.CANCELLED: {},
    State.EXPIRED: {},
}

#: Somebody must still look at these, so they have a ``due_at``.
WAITING = frozenset({State.INTENDED, State.HELD, State.QUEUED, State.CLAIMED, State.TRANSMITTING})
#: These take a place under the caps of the charter: on their way, arrived, or perhaps arrived.
COUNTED = frozenset({State.QUEUED, State.CLAIMED, State.TRANSMITTING, State.ACCEPTED, State.UNCERTAIN})
#: No worker has taken these yet, so they may be called off.
UNCLAIMED = frozenset({State.INTENDED, State.HELD, State.QUEUED})
#: A worker holds these, or nobody does any more: no decision about their person is under way.
_TAKEN = frozenset({State.CLAIMED, State.TRANSMITTING, State.UNCERTAIN})
FINAL = frozenset(state for state, onward in MOVES.items() if not onward)

#: What a move may write besides the state, with the type of each column.
COLUMNS: Mapping[str, str] = {
    "due_at": "timestamptz",
    "lease_until": "timestamptz",
    "accepted_at": "timestamptz",
    "channel": "text",
    "address": "text",
    "provider_id": "int4",
    "provider_message_id": "text",
    "reason": "text",
    "attempts": "int2",
    "fence": "int8",
    "tags": "text",
    "held_since": "timestamptz",
}


class Ref(NamedTuple):
    """What names one message row: its id, and the two columns by which PostgreSQL finds its partition."""

    id: int
    created_at: datetime
    slot: int


class Known(Protocol):
    """Whose message it is and which row; a row of the table will do."""

    @property
    def id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def slot(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...


class MoveNotAllowedError(Exception):
    """A move that is not in the table, or one that leaves a waiting message without a time to look at it."""


def move(
    refs: Sequence[Ref],
    source: State | Iterable[State],
    target: State,
    *,
    fences: Sequence[int] | None = None,
    columns: Mapping[str, Sequence[Any]] | None = None,
    every: Mapping[str, Any] | None = None,
) -> set[int]:
    """Move the messages that still stand in ``source`` (and at their fence) to ``target``, a set at a time.

    ``columns`` holds a value a message for each column named (in the order of ``refs``), ``every`` one
    value for all. A target that nobody waits for loses its ``due_at`` by itself. Returns the ids moved.
    """
    sources = frozenset({source} if isinstance(source, State) else source)
    columns, every = dict(columns or {}), dict(every or {})
    _check(sources, target, columns, every)
    if not refs:
        return set()
    if target not in WAITING:
        columns.pop("due_at", None)
        every["due_at"] = None
    # In the order of ids, as `outbox.cancel` does: two who want the same rows wait instead of deadlocking.
    order = sorted(range(len(refs)), key=lambda i: refs[i].id)
    refs = [refs[i] for i in order]
    columns = {name: [values[i] for i in order] for name, values in columns.items()}
    fences = None if fences is None else [fences[i] for i in order]
    wish = _Wish(target, sources, columns, every, fences)
    moved = _move(wish, refs, in_slot=True)
    if len(moved) < len(refs) and sources <= _TAKEN:
        # What a worker holds may have followed its contact into another slot, by a merge.
        moved |= _move(wish, refs, in_slot=False)
    return moved


@contextmanager
def prepared() -> Iterator[None]:
    """Let this thread's moves of a few messages be planned once and not each time.

    Planning over all partitions costs more than moving sixteen rows.
    """
    connection.ensure_connection()
    raw = connection.connection
    before, raw.prepare_threshold = raw.prepare_threshold, 2
    try:
        yield
    finally:
        raw.prepare_threshold = before


def postpone(refs: Sequence[Ref], due_at: Sequence[datetime]) -> int:
    """Let queued messages be looked at later; they stay queued. Returns how many there were to postpone."""
    if not refs:
        return 0
    order = sorted(range(len(refs)), key=lambda i: refs[i].id)
    columns = [[refs[i][part] for i in order] for part in range(3)]
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "UPDATE channels_message m SET due_at = u.due_at"
            " FROM unnest(%b::int8[], %b::timestamptz[], %b::int2[], %b::timestamptz[])"
            " AS u(id, created_at, slot, due_at)"
            " WHERE m.id = u.id AND m.created_at = u.created_at AND m.slot = u.slot AND m.state = 3",
            [*columns, [due_at[i] for i in order]],
        )
        return cursor.rowcount


@dataclass(frozen=True, slots=True)
class _Wish:
    target: State
    sources: frozenset[State]
    columns: Mapping[str, Sequence[Any]]
    every: Mapping[str, Any]
    fences: Sequence[int] | None


def _move(wish: _Wish, refs: Sequence[Ref], *, in_slot: bool) -> set[int]:
    arrays: dict[str, tuple[str, Sequence[Any]]] = {
        "id": ("int8", [ref.id for ref in refs]),
        "created_at": ("timestamptz", [ref.created_at for ref in refs]),
        "slot": ("int2", [ref.slot for ref in refs]),
        **{f"new_{name}": (COLUMNS[name], list(values)) for name, values in wish.columns.items()},
    }
    if wish.fences is not None:
        arrays["held_fence"] = ("int8", list(wish.fences))
    sets = ["state = %b::int2", *(f"{name} = %b::{COLUMNS[name]}" for name in wish.every)]
    sets += [f"{name} = u.new_{name}" for name in wish.columns]
    statement = (
        # Every name comes from this module's own tables.
        f"UPDATE channels_message m SET {', '.join(sets)}"  # noqa: S608
        f" FROM unnest({', '.join(f'%b::{kind}[]' for kind, _values in arrays.values())})"
        f" AS u({', '.join(arrays)})"
        " WHERE m.id = u.id AND m.created_at = u.created_at AND m.state = ANY(%b::int2[])"
        + (" AND m.slot = u.slot" if in_slot else "")
        + (" AND m.fence = u.held_fence" if wish.fences is not None else "")
        + " RETURNING m.id"
    )
    values = [int(wish.target), *wish.every.values(), *(values for _kind, values in arrays.values())]
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, [*values, sorted(int(state) for state in wish.sources)])
        return {row[0] for row in cursor.fetchall()}


def _check(
    sources: frozenset[State], target: State, columns: Mapping[str, Any], every: Mapping[str, Any]
) -> None:
    for source in sources:
        if target not in MOVES[source]:
            raise MoveNotAllowedError(f"{source.label} -> {target.label}")
    unknown = (columns.keys() | every.keys()) - COLUMNS.keys()
    if unknown:
        raise MoveNotAllowedError(f"a move does not write {', '.join(sorted(unknown))}")
    if (
        target in WAITING
        and any(s not in WAITING for s in sources)
        and "due_at" not in columns.keys() | every.keys()
    ):
        raise MoveNotAllowedError(f"{target.label} needs a due_at")


def drawing() -> str:
    """The table of moves as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.INTENDED.name.lower()}: somebody wants it sent"]
    for source, onward in MOVES.items():
        lines += [
            f"    {source.name.lower()} --> {target.name.lower()}: {why}" for target, why in onward.items()
        ]
    lines += [f"    {state.name.lower()} --> [*]" for state in MOVES if state in FINAL]
    return "\n".join(lines) + "\n"
