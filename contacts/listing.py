"""The list of contacts: filtered, newest first, a page at a time, and about how many there are.

Nothing is counted to the end: a page is read beside a mark, and the size of an answer is what the planner
expects of it. Where few belong to a segment, consent or channel, they are looked up first and the rest
follows; where many do, the list is read from its newest end and each is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower

from contacts import searching
from contacts.models import (
    ChannelAddress,
    ConsentState,
    Contact,
    Segment,
    SegmentMembership,
    Suppression,
)
from contacts.paging import estimate

PAGE = 50
_FEW = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARK = re.compile(r"(\d{1,17})\.(\d{1,18})")
_COLUMN = {"email": "email", "sms": "phone"}


class Mark(NamedTuple):
    """A place in the list: when a contact was last seen, and its id."""

    seen_at: datetime
    id: int

    def text(self) -> str:
        return f"{(self.seen_at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"


def mark_from(text: str) -> Mark | None:
    """The mark that a link carries; None where it is missing or bent."""
    match = _MARK.fullmatch(text)
    return Mark(_EPOCH + timedelta(microseconds=int(match[1])), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list shall show. ``reach`` is a channel; ``consent`` is ``channel:purpose:in`` or ``:out``."""

    words: str = ""
    segment: str = ""
    reach: str = ""
    consent: str = ""
    known: bool | None = None
    country: str = ""
    language: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self != Asked()


@dataclass(frozen=True, slots=True)
class Page:
    """Contacts, last seen first. ``older`` and ``newer`` are the marks to go on from, None at the ends."""

    contacts: Sequence[Contact]
    older: Mark | None = None
    newer: Mark | None = None


def read(
    rows: QuerySet[Contact], *, below: Mark | None = None, above: Mark | None = None, size: int = PAGE
) -> Page:
    """One page of ``matching``: the first, or what lies below or above a mark."""
    if above is not None:
        found = list(_beside(rows, above, "gt").order_by("last_seen_at", "id")[: size + 1])
        if len(found) > size:
            shown = found[:size][::-1]
            return Page(shown, _mark(shown[-1]), _mark(shown[0]))
        return read(rows, size=size)  # the first page is reached, and shown whole
    beside = _beside(rows, below, "lt") if below is not None else rows
    found = list(beside.order_by("-last_seen_at", "-id")[: size + 1])
    shown = found[:size]
    return Page(
        shown,
        _mark(shown[-1]) if len(found) > size else None,
        _mark(shown[0]) if below is not None and shown else None,
    )


def matching(asked: Asked, now: datetime) -> QuerySet[Contact]:
    """The contacts that are asked for, in no order. Looks up what is rare at once, so call it once a page."""
    rows = Contact.objects.order_by()
    plain = {"known": asked.known, "country": asked.country, "language__startswith": asked.language}
    rows = rows.filter(**{name: value for name, value in plain.items() if value not in (None, "")})
    if asked.since:
        rows = rows.filter(last_seen_at__gte=asked.since)
    if asked.until:
        rows = rows.filter(last_seen_at__lt=asked.until)
    if asked.segment:
        rows = _among(rows, SegmentMembership.objects.filter(segment__slug=asked.segment))
    if asked.reach:
        rows = _reachable(rows, asked.reach)
    if asked.consent:
        rows = _consented(rows, asked.consent, now)
    if asked.words:
        rows = rows.filter(pk__in=searching.search(asked.words))
    return rows


def size(asked: Asked, rows: QuerySet[Contact], page: Page) -> tuple[int, bool]:
    """How many contacts are asked for, and whether that is exact; ``rows`` are those that match."""
    if page.older is None and page.newer is None:
        return len(page.contacts), True
    if not asked:
        return estimate(Contact._meta.db_table), False
    if asked == Asked(segment=asked.segment):
        # Kept with the segment, and a moment late at most.
        kept = Segment.objects.filter(slug=asked.segment).values_list("size", flat=True).first() or 0
        return max(kept, len(page.contacts)), False
    if asked.words:
        return rows.count(), True  # a search finds a bounded number
    return max(_expected(rows), len(page.contacts) + 1), False


def _expected(rows: QuerySet[Contact]) -> int:
    """Rows by the planner's statistics."""
    statement, params = rows.values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", params)
        (plan,) = cursor.fetchone() or ("[]",)
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"]) if plan else 0


def _mark(contact: Contact) -> Mark:
    return Mark(contact.last_seen_at, contact.pk)


def _beside(rows: QuerySet[Contact], mark: Mark, way: str) -> QuerySet[Contact]:
    # The plain bound on the time is what the index can use.
    return rows.filter(
        Q(**{f"last_seen_at__{way}e": mark.seen_at})
        & (Q(**{f"last_seen_at__{way}": mark.seen_at}) | Q(**{f"id__{way}": mark.id}))
    )


def _among(
    rows: QuerySet[Contact],
    table: QuerySet[SegmentMembership] | QuerySet[ConsentState] | QuerySet[ChannelAddress],
) -> QuerySet[Contact]:
    """Those of ``rows`` with a row in ``table``."""
    few = list(table.order_by().values_list("contact_id", flat=True)[: _FEW + 1])
    if len(few) <= _FEW:
        return rows.filter(pk__in=set(few))
    mine = table.filter(contact_id=OuterRef("pk"))
    # A value and not a condition: the list is read in its order and each contact asked, nothing is joined.
    return rows.alias(among=Subquery(mine.values("contact_id")[:1])).filter(among__isnull=False)


def _reachable(rows: QuerySet[Contact], channel: str) -> QuerySet[Contact]:
    """With an address on the channel that is not suppressed."""
    column = _COLUMN.get(channel)
    if column is None:
        return _among(rows, ChannelAddress.objects.filter(channel=channel, active=True))
    key = Lower(OuterRef(column)) if channel == "email" else OuterRef(column)
    stopped = Suppression.objects.filter(channel=channel, address=key)
    return rows.exclude(**{column: ""}).filter(~Exists(stopped))


def _consented(rows: QuerySet[Contact], asked: str, now: datetime) -> QuerySet[Contact]:
    """Who allowed or refused a purpose on a channel, by itself or with all others (``*``)."""
    channel, _colon, rest = asked.partition(":")
    purpose, _colon, answer = rest.partition(":")
    allowed = answer == "in"
    # What has ended is neither allowed nor refused any more.
    stands = Q(expires_at=None) | Q(expires_at__gt=now)
    said = ConsentState.objects.filter(stands, channel=channel)
    few = _among(rows, said.filter(purpose__in=[purpose, "*"], allowed=allowed))
    own, every = (
        Subquery(said.filter(contact_id=OuterRef("pk"), purpose=one).values("allowed")[:1])
        for one in (purpose, "*")
    )
    # Values and not conditions: those the planner would answer for everybody before it reads the first page.
    return few.alias(said=Coalesce(own, every)).filter(said=allowed)
