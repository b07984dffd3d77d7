"""Why messages were held or not sent: how often, by whom, where and when, from the totals of the ledger.

Nothing here reads the ledger itself but ``examples``, which follows an index from the newest on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeVar

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from channels import reason_words
from channels.models import Decision, DecisionTotal
from contacts import conventions
from contacts.exchange.guarding import guard

Outcome = Decision.Outcome
_Key = TypeVar("_Key")
STOPPED = (Outcome.HOLD, Outcome.DROP, Outcome.CANCEL)


class Origin(NamedTuple):
    """Who wanted messages: a kind (journey, api, …), its number (0: none) and its name in the log."""

    kind: str
    id: int
    slug: str = ""

    @property
    def code(self) -> str:
        return f"{self.kind}:{self.id}"


def origin_from(code: str) -> Origin | None:
    """The origin that ``code`` names; None where it is none."""
    kind, _colon, number = code.partition(":")
    return Origin(kind, int(number)) if kind and number.isascii() and number.isdigit() else None


@dataclass(frozen=True, slots=True)
class Asked:
    """UTC days, both included, and what of them: empty is everything."""

    first: date
    last: date
    origin: Origin | None = None
    channel: str = ""
    outcome: int | None = None
    reason: str = ""


@dataclass(slots=True)
class Tally:
    """How many decisions held, dropped or called off messages."""

    held: int = 0
    dropped: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        return self.held + self.dropped + self.cancelled

    def add(self, outcome: int, count: int) -> None:
        self.held += count if outcome == Outcome.HOLD else 0
        self.dropped += count if outcome == Outcome.DROP else 0
        self.cancelled += count if outcome == Outcome.CANCEL else 0


@dataclass(slots=True)
class Report:
    """The same decisions counted in four ways, the most frequent first; days in their order."""

    asked: Asked
    decisions: int = 0
    total: Tally = field(default_factory=Tally)
    by_reason: dict[str, Tally] = field(default_factory=dict)
    by_origin: dict[Origin, Tally] = field(default_factory=dict)
    by_channel: dict[str, Tally] = field(default_factory=dict)
    by_day: dict[date, Tally] = field(default_factory=dict)


def report(asked: Asked) -> Report:
    """Count what was stopped. Two statements over the totals, whatever the size of the ledger."""
    found = Report(asked)
    days = (asked.last - asked.first).days + 1
    found.by_day = {asked.first + timedelta(days=day): Tally() for day in range(days)}
    names = ("day", "origin_kind", "origin_id", "origin_slug", "channel", "outcome", "reason")
    everything = _totals(asked)
    found.decisions = everything.aggregate(all=Sum("count"))["all"] or 0
    stopped = _stopped(everything, asked).values_list(*names).annotate(n=Sum("count"))
    # One origin may have had several names; the one seen last is shown.
    seen: dict[tuple[str, int], Origin] = {}
    for day, kind, number, slug, channel, outcome, reason, count in stopped.order_by("day"):
        origin = Origin(kind, number, slug)
        known = seen.setdefault((kind, number), origin)
        for tally in (
            found.total,
            found.by_reason.setdefault(reason, Tally()),
            found.by_origin.setdefault(known, Tally()),
            found.by_channel.setdefault(channel, Tally()),
            found.by_day[day],
        ):
            tally.add(outcome, count)
    found.by_reason = _most_first(found.by_reason)
    found.by_origin = _most_first(found.by_origin)
    found.by_channel = _most_first(found.by_channel)
    return found


def _most_first(tallies: dict[_Key, Tally]) -> dict[_Key, Tally]:
    return dict(sorted(tallies.items(), key=lambda one: -one[1].total))


def examples(asked: Asked, limit: int = 20) -> list[Decision]:
    """The newest decisions of what was asked for, contacts with them."""
    begins = datetime.combine(asked.first, time(), UTC)
    ends = datetime.combine(asked.last + timedelta(days=1), time(), UTC)
    # What simply left is not in the index, so it is ruled out in the index's own words.
    found = Decision.objects.filter(~Q(outcome=Outcome.SEND), decided_at__gte=begins, decided_at__lt=ends)
    if asked.reason:
        found = found.filter(reason=asked.reason)
    if asked.origin:
        number = {"origin_id": asked.origin.id} if asked.origin.id else {"origin_id__isnull": True}
        found = found.filter(origin_kind=asked.origin.kind, **number)
    if asked.channel:
        found = found.filter(channel=asked.channel)
    if asked.outcome:
        found = found.filter(outcome=asked.outcome)
    return list(found.order_by("-decided_at")[:limit])


def as_csv(asked: Asked) -> Iterator[str]:
    """The totals as CSV lines, one a day and kind, safe to open in a spreadsheet."""
    heads = ("day", "wanted_by", "number", "name", "channel", "outcome", "reason", "reason_in_words", "count")
    yield _line(heads)
    names = ("day", "origin_kind", "origin_id", "origin_slug", "channel", "outcome", "reason")
    rows = _stopped(_totals(asked), asked).values_list(*names).annotate(n=Sum("count")).order_by(*names)
    for day, kind, number, slug, channel, outcome, reason, count in rows.iterator():
        said = Outcome(outcome).name.lower()
        cells = [day.isoformat(), kind, number or "", slug, channel, said, reason, reason_words.name(reason)]
        yield _line([*cells, count])


def origins(first: date, last: date) -> list[Origin]:
    """Who wanted messages in these days, by name."""
    rows = DecisionTotal.objects.filter(day__range=(first, last))
    found = {
        (kind, number): Origin(kind, number, slug)
        for kind, number, slug in rows.values_list("origin_kind", "origin_id", "origin_slug").distinct()
    }
    return sorted(found.values(), key=lambda one: (one.slug, one.kind, one.id))


def origin_names(origins: Iterable[Origin]) -> dict[Origin, str]:
    """What origins are called: by the module ``origins`` of their app, else as the ledger kept it."""
    origins = list(origins)
    found = {origin: _kept_name(origin) for origin in origins}
    for module in conventions.modules("origins").values():
        own = [origin for origin in origins if origin.kind in module.KINDS and origin.id]
        known = module.names({origin.id for origin in own}) if own else {}
        found |= {origin: known[origin.id] for origin in own if origin.id in known}
    return found


def _kept_name(origin: Origin) -> str:
    kinds = {"api": _("The API"), "test": _("Tests"), "reply": _("Answers"), "confirm": _("Confirmations")}
    kept = origin.slug or str(kinds.get(origin.kind, origin.kind or _("Unknown")))
    return kept if origin.slug or not origin.id else f"{kept} {origin.id}"


def _totals(asked: Asked) -> QuerySet[DecisionTotal]:
    found = DecisionTotal.objects.filter(day__range=(asked.first, asked.last))
    if asked.origin:
        found = found.filter(origin_kind=asked.origin.kind, origin_id=asked.origin.id)
    return found.filter(channel=asked.channel) if asked.channel else found


def _stopped(totals: QuerySet[DecisionTotal], asked: Asked) -> QuerySet[DecisionTotal]:
    wanted: Sequence[int] = [asked.outcome] if asked.outcome else [int(one) for one in STOPPED]
    found = totals.filter(outcome__in=wanted)
    return found.filter(reason=asked.reason) if asked.reason else found


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([guard(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()
