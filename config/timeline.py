"""One contact's timeline: events, messages, decisions, consent, steps, merges in one order, page by page.

Each table is asked for one page beside the same mark, and the answers are merged; so a page costs the same
number of statements on the first page and on the thousandth, whatever it shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet

from channels.models import Decision, Message
from contacts import timeline_log
from contacts.models import ConsentEntry, Contact, Merge
from journeys.models import StepEntry

PAGE = 30
KINDS = ("activity", "messages", "decisions", "journeys", "segments", "consent", "merges")


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
class Asked:
    """What to show: one of KINDS or empty for all; events of one name; one channel; a period; words."""

    kind: str = ""
    name: str = ""
    channel: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""

    def __bool__(self) -> bool:
        return self != Asked()


@dataclass(frozen=True, slots=True)
class Stream:
    """One table of the timeline: the kinds of entry it feeds, and which of its columns filters look at.

    ``channel`` is the condition for one channel; None where rows have none and a filter leaves them out.
    """

    rank: int
    permission: str
    time: str
    kinds: frozenset[str]
    rows: Callable[[int], QuerySet[Any]] | None = None
    channel: Callable[[str], Q] | None = None
    words: tuple[str, ...] = ()


def _merges(contact_id: int) -> QuerySet[Merge]:
    return Merge.objects.filter(Q(winner_id=contact_id) | Q(loser_id=contact_id))


EVENTS = Stream(
    0, "contacts.view_event", "occurred_at", frozenset({"activity", "messages", "journeys", "segments"})
)
STREAMS: tuple[Stream, ...] = (
    EVENTS,
    Stream(
        1,
        "channels.view_message",
        "created_at",
        frozenset({"messages"}),
        lambda contact_id: Message.objects.filter(contact_id=contact_id),
        lambda channel: Q(channel=channel) | Q(channel="", wanted__0=channel),
        ("origin_slug", "origin_step", "address", "purpose", "reason", "content"),
    ),
    Stream(
        2,
        "channels.view_decision",
        "decided_at",
        frozenset({"decisions"}),
        lambda contact_id: Decision.objects.filter(contact_id=contact_id),
        lambda channel: Q(channel=channel),
        ("reason", "channel"),
    ),
    Stream(
        3,
        "contacts.view_consententry",
        "occurred_at",
        frozenset({"consent"}),
        lambda contact_id: ConsentEntry.objects.filter(contact_id=contact_id),
        lambda channel: Q(channel=channel),
        ("purpose", "origin", "wording", "channel"),
    ),
    Stream(
        4,
        "journeys.view_run",
        "at",
        frozenset({"journeys"}),
        lambda contact_id: StepEntry.objects.filter(contact_id=contact_id),
        None,
        ("step", "outcome"),
    ),
    Stream(5, "contacts.view_merge", "merged_at", frozenset({"merges"}), _merges, None, ("reason",)),
    Stream(
        6,
        "contacts.view_merge",
        "undone_at",
        frozenset({"merges"}),
        lambda contact_id: _merges(contact_id).filter(undone_at__isnull=False),
        None,
        ("reason",),
    ),
)


class Placed(NamedTuple):
    """A row with its place in the order."""

    mark: Mark
    row: Model


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first. ``older`` and ``newer`` are the marks to go on from, None at the ends."""

    rows: Sequence[Placed]
    older: Mark | None = None
    newer: Mark | None = None


def read(
    contact: Contact,
    asked: Asked = Asked(),
    *,
    below: Mark | None = None,
    above: Mark | None = None,
    may_see: Callable[[str], bool],
    size: int = PAGE,
) -> Page:
    """One page: the newest, or what lies ``below`` or ``above`` a mark."""
    if above is not None:
        placed = sorted(_placed(contact, asked, above, may_see, size, upwards=True))
        if len(placed) > size:
            shown = placed[:size][::-1]
            return Page(shown, older=shown[-1].mark, newer=shown[0].mark)
        # The first page is reached; it shows a whole page and not just the rest above the mark.
        return read(contact, asked, may_see=may_see, size=size)
    placed = sorted(_placed(contact, asked, below, may_see, size), reverse=True)
    shown = placed[:size]
    return Page(
        shown,
        older=shown[-1].mark if len(placed) > size else None,
        newer=shown[0].mark if below is not None and shown else None,
    )


def read_from(
    contact: Contact, asked: Asked, mark: Mark, *, may_see: Callable[[str], bool], size: int = PAGE
) -> Page:
    """The page that begins with the entry at ``mark``: where a link to one entry leads."""
    return read(contact, asked, below=mark._replace(id=mark.id + 1), may_see=may_see, size=size)


def streams(asked: Asked, may_see: Callable[[str], bool]) -> Iterable[Stream]:
    """The tables that can answer what is asked, as far as they may be seen."""
    for stream in STREAMS:
        if asked.kind and asked.kind not in stream.kinds:
            continue
        if stream is not EVENTS and (asked.name or (asked.channel and stream.channel is None)):
            continue
        if may_see(stream.permission):
            yield stream


def _placed(
    contact: Contact,
    asked: Asked,
    mark: Mark | None,
    may_see: Callable[[str], bool],
    size: int,
    *,
    upwards: bool = False,
) -> list[Placed]:
    """One page and one row more of each table, on one side of the mark."""
    found: list[Placed] = []
    for stream in streams(asked, may_see):
        rows: Iterable[Any]
        if stream.rows is None:
            beside = (mark.at, mark.id if mark.rank == stream.rank else None) if mark else None
            rows = timeline_log.read(contact.pk, asked, beside, upwards=upwards, limit=size + 1)
        else:
            chosen = _chosen(stream, stream.rows(contact.pk), asked)
            if mark is not None:
                chosen = chosen.filter(_beside(stream, mark, upwards=upwards))
            sign = "" if upwards else "-"
            rows = chosen.order_by(f"{sign}{stream.time}", f"{sign}id")[: size + 1]
        found += [Placed(Mark(getattr(row, stream.time), stream.rank, row.pk), row) for row in rows]
    return found


def _chosen(stream: Stream, rows: QuerySet[Any], asked: Asked) -> QuerySet[Any]:
    if asked.channel and stream.channel:
        rows = rows.filter(stream.channel(asked.channel))
    if asked.since:
        rows = rows.filter(**{f"{stream.time}__gte": asked.since})
    if asked.until:
        rows = rows.filter(**{f"{stream.time}__lt": asked.until})
    if asked.words:
        either = Q()
        for column in stream.words:
            either |= Q(**{f"{column}__icontains": asked.words})
        rows = rows.filter(either)
    return rows


def _beside(stream: Stream, mark: Mark, *, upwards: bool) -> Q:
    """Rows of a table above or below the mark. The plain bound on the time is what an index can use."""
    way = "gt" if upwards else "lt"
    bound = Q(**{f"{stream.time}__{way}e": mark.at})
    beyond = Q(**{f"{stream.time}__{way}": mark.at})
    if stream.rank == mark.rank:
        return bound & (beyond | Q(**{f"id__{way}": mark.id}))
    same_time_counts = stream.rank > mark.rank if upwards else stream.rank < mark.rank
    return bound if same_time_counts else beyond
