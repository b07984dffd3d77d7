"""One contact's timeline: events, messages, decisions, consent and steps in one order, a page at a time.

Five tables are each asked for one page below the same mark, and merged; so a page costs the same number of
statements on the first page and on the thousandth, whatever it shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet

from channels.models import Decision, Message
from contacts.models import ConsentEntry, Contact, Event
from journeys.models import StepEntry

PAGE = 30

#: What the message, decision and consent tables tell better themselves.
TOLD_ELSEWHERE = ["Message Sent", "Message Held", "Message Dropped", "Message Failed"]
_OURS = Q(kind=Event.Kind.SYSTEM)
_HIDDEN = _OURS & (Q(name__in=TOLD_ELSEWHERE) | Q(name__startswith="Consent "))


class Mark(NamedTuple):
    """A place in the timeline: everything below it is older. Ordered by time, then table, then id."""

    at: datetime
    rank: int
    id: int

    def text(self) -> str:
        micros = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{micros}.{self.rank}.{self.id}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARK = re.compile(r"(\d{1,17})\.(\d)\.(\d{1,18})")


def mark_from(text: str) -> Mark | None:
    """The mark that a link carries; None where it is missing or bent."""
    match = _MARK.fullmatch(text)
    if match is None:
        return None
    micros, rank, row_id = map(int, match.groups())
    return Mark(_EPOCH + timedelta(microseconds=micros), rank, row_id)


@dataclass(frozen=True, slots=True)
class Stream:
    """One table of the timeline, and the kinds of entry it feeds."""

    rank: int
    permission: str
    time: str
    rows: Callable[[int], QuerySet[Any]]
    kinds: frozenset[str]


STREAMS: tuple[Stream, ...] = (
    Stream(
        0,
        "contacts.view_event",
        "occurred_at",
        lambda contact_id: Event.objects.filter(contact_id=contact_id),
        frozenset({"activity", "messages", "journeys", "segments"}),
    ),
    Stream(
        1,
        "channels.view_message",
        "created_at",
        lambda contact_id: Message.objects.filter(contact_id=contact_id),
        frozenset({"messages"}),
    ),
    Stream(
        2,
        "channels.view_decision",
        "decided_at",
        lambda contact_id: Decision.objects.filter(contact_id=contact_id),
        frozenset({"decisions"}),
    ),
    Stream(
        3,
        "contacts.view_consententry",
        "occurred_at",
        lambda contact_id: ConsentEntry.objects.filter(contact_id=contact_id),
        frozenset({"consent"}),
    ),
    Stream(
        4,
        "journeys.view_run",
        "at",
        lambda contact_id: StepEntry.objects.filter(contact_id=contact_id),
        frozenset({"journeys"}),
    ),
)
_EVENTS_OF: dict[str, Q] = {
    "": ~_HIDDEN,
    "activity": ~_OURS | Q(name="Contact Created"),
    "messages": _OURS & Q(name__startswith="Message ") & ~Q(name__in=TOLD_ELSEWHERE),
    "journeys": _OURS & Q(name__startswith="Journey "),
    "segments": _OURS & Q(name__startswith="Segment "),
}
KINDS = ("activity", "messages", "decisions", "journeys", "segments", "consent")


class Placed(NamedTuple):
    """A row with its place in the order."""

    mark: Mark
    row: Model


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first; ``more`` is the mark to go on from, None at the end."""

    rows: Sequence[Placed]
    more: Mark | None


def read(
    contact: Contact,
    *,
    kind: str = "",
    below: Mark | None = None,
    may_see: Callable[[str], bool],
    size: int = PAGE,
) -> Page:
    """One page of what happened to the contact. ``kind`` is one of KINDS or empty for all of them."""
    placed: list[Placed] = []
    for stream in STREAMS:
        if (kind and kind not in stream.kinds) or not may_see(stream.permission):
            continue
        rows = stream.rows(contact.pk)
        if stream.rank == 0:
            rows = rows.filter(_EVENTS_OF[kind])
        if below is not None:
            rows = rows.filter(_below(stream, below))
        placed += [
            Placed(Mark(getattr(row, stream.time), stream.rank, row.pk), row)
            for row in rows.order_by(f"-{stream.time}", "-id")[: size + 1]
        ]
    placed.sort(key=lambda one: one.mark, reverse=True)
    shown = placed[:size]
    return Page(shown, shown[-1].mark if len(placed) > size else None)


def _below(stream: Stream, mark: Mark) -> Q:
    earlier = Q(**{f"{stream.time}__lt": mark.at})
    if stream.rank > mark.rank:
        return earlier
    same_time = Q(**{stream.time: mark.at})
    return earlier | (same_time & Q(id__lt=mark.id) if stream.rank == mark.rank else same_time)
