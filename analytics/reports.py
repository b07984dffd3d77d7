"""The engagement report: what the daily KPIs say for a period, a channel and a journey."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from analytics import kpis
from analytics.models import DailyKpi
from channels import actors
from channels.models import EngagementTotal
from journeys.models import Journey

#: Figures shown for channels and journeys, in reading order.
UNNAMED = ("opened", "clicked")
SHOWN = ("sent", "delivered", "opened", "clicked", "converted", "unsubscribed", "held", "dropped")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days from ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def before(self) -> Period:
        """The period of equal length just before, to compare with."""
        length = len(self.days)
        return Period(self.first - timedelta(days=length), self.first - timedelta(days=1))


@dataclass(slots=True)
class Figures:
    """Counts and amounts by KPI key, with the rates that managers ask for."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    #: Opens and clicks of people who may not be measured: each fetch counts, for nobody knows whose it was.
    unnamed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def rate(self, part: str, whole: str) -> float | None:
        """Share of ``part`` in ``whole`` from 0 to 1; None where there is no whole."""
        return self.counts[part] / self.counts[whole] if self.counts[whole] else None

    @property
    def delivery_rate(self) -> float | None:
        return self.rate("delivered", "sent")

    @property
    def open_rate(self) -> float | None:
        return self.rate("opened", "delivered")

    @property
    def click_rate(self) -> float | None:
        return self.rate("clicked", "delivered")

    @property
    def conversion_rate(self) -> float | None:
        return self.rate("converted", "sent")

    @property
    def unsubscribe_rate(self) -> float | None:
        return self.rate("unsubscribed", "delivered")


@dataclass(slots=True)
class Report:
    """All that the engagement page shows."""

    period: Period
    total: Figures
    before: Figures
    by_day: dict[date, Figures]
    by_channel: dict[str, Figures]
    by_journey: dict[int, Figures]
    journey_names: dict[int, str]

    @property
    def empty(self) -> bool:
        return not any(self.total.counts.values()) and not any(self.total.unnamed.values())


def engagement(period: Period, channel: str = "", journey_id: int | None = None) -> Report:
    """Read the report; a handful of statements over daily figures, whatever the size of the log."""
    total, by_day, by_channel, by_journey = (
        Figures(),
        {day: Figures() for day in period.days},
        defaultdict[str, Figures](Figures),
        defaultdict[int, Figures](Figures),
    )

    def homes(day: date, in_channel: str, journey: int) -> list[Figures]:
        found = [total, by_day[day]]
        found += [by_channel[in_channel]] if in_channel else []
        return found + ([by_journey[journey]] if journey else [])

    for day, kpi, in_channel, journey, count, amount in _rows(period, channel, journey_id):
        for figures in homes(day, in_channel, journey):
            figures.counts[kpi] += count
            figures.amounts[kpi] += amount
    for day, kpi, in_channel, journey, count in _unnamed(period, channel, journey_id):
        for figures in homes(day, in_channel, journey):
            figures.unnamed[kpi] += count
    before = Figures()
    for _day, kpi, _channel, _journey, count, amount in _rows(period.before, channel, journey_id):
        before.counts[kpi] += count
        before.amounts[kpi] += amount
    names = dict(Journey.objects.filter(pk__in=by_journey).values_list("pk", "name"))
    return Report(period, total, before, by_day, dict(by_channel), dict(by_journey), names)


def as_csv(report: Report) -> Iterator[str]:
    """The report day by day as CSV lines, safe to open in a spreadsheet."""
    names = [str(kpis.BY_KEY[key].name) for key in SHOWN]
    names += [_("Opens without names"), _("Clicks without names")]
    yield _line(["day", *names, _("Value of conversions")])
    for day, figures in report.by_day.items():
        yield _line([day.isoformat(), *_cells(figures), figures.amounts["converted"]])
    yield _line([])
    yield _line(["channel", *names])
    for channel, figures in sorted(report.by_channel.items()):
        yield _line([channel, *_cells(figures)])
    yield _line([])
    yield _line(["journey", *names])
    for journey, figures in sorted(report.by_journey.items()):
        yield _line([report.journey_names.get(journey, journey), *_cells(figures)])


def _cells(figures: Figures) -> list[int]:
    return [figures.counts[key] for key in SHOWN] + [figures.unnamed[key] for key in UNNAMED]


def harmless(cell: object) -> object:
    """A spreadsheet cell that no program takes for a formula (OWASP: CSV injection)."""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + cell
    return cell


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def _rows(
    period: Period, channel: str, journey_id: int | None
) -> QuerySet[DailyKpi, tuple[date, str, str, int, int, Decimal]]:
    found = DailyKpi.objects.filter(day__range=(period.first, period.last))
    if channel:
        found = found.filter(channel=channel)
    if journey_id:
        found = found.filter(journey_id=journey_id)
    return found.values_list("day", "kpi", "channel", "journey_id").annotate(Sum("count"), Sum("amount"))


def _unnamed(
    period: Period, channel: str, journey_id: int | None
) -> Iterator[tuple[date, str, str, int, int]]:
    """Day, figure, channel, journey (0 for none) and number of opens and clicks that are kept on nobody.

    What had a name at first was counted under it, and is left out.
    """
    found = EngagementTotal.objects.filter(
        day__range=(period.first, period.last), named=False, actor=actors.HUMAN, kind__in=UNNAMED
    )
    if channel:
        found = found.filter(channel=channel)
    journeys = dict(Journey.objects.values_list("slug", "pk"))
    sums = found.values_list("day", "kind", "channel", "origin_kind", "origin_slug").annotate(Sum("hits"))
    for day, kind, in_channel, origin, slug, hits in sums:
        journey = journeys.get(slug, 0) if origin in ("journey", "campaign") else 0
        if not journey_id or journey == journey_id:
            yield day, kind, in_channel, journey, hits
