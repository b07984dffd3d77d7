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
from journeys.models import Journey

#: Figures shown for channels and journeys, in reading order.
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
        return not any(self.total.counts.values())


def engagement(period: Period, channel: str = "", journey_id: int | None = None) -> Report:
    """Read the report; a handful of statements over daily figures, whatever the size of the log."""
    total, by_day, by_channel, by_journey = (
        Figures(),
        {day: Figures() for day in period.days},
        defaultdict[str, Figures](Figures),
        defaultdict[int, Figures](Figures),
    )
    for day, kpi, in_channel, journey, count, amount in _rows(period, channel, journey_id):
        homes = [total, by_day[day]]
        if in_channel:
            homes.append(by_channel[in_channel])
        if journey:
            homes.append(by_journey[journey])
        for figures in homes:
            figures.counts[kpi] += count
            figures.amounts[kpi] += amount
    before = Figures()
    for _day, kpi, _channel, _journey, count, amount in _rows(period.before, channel, journey_id):
        before.counts[kpi] += count
        before.amounts[kpi] += amount
    names = dict(Journey.objects.filter(pk__in=by_journey).values_list("pk", "name"))
    return Report(period, total, before, by_day, dict(by_channel), dict(by_journey), names)


def as_csv(report: Report) -> Iterator[str]:
    """The report day by day as CSV lines, safe to open in a spreadsheet."""
    yield _line(["day", *(str(kpis.BY_KEY[key].name) for key in SHOWN), _("Value of conversions")])
    for day, figures in report.by_day.items():
        yield _line([day.isoformat(), *(figures.counts[key] for key in SHOWN), figures.amounts["converted"]])
    yield _line([])
    yield _line(["channel", *(str(kpis.BY_KEY[key].name) for key in SHOWN)])
    for channel, figures in sorted(report.by_channel.items()):
        yield _line([channel, *(figures.counts[key] for key in SHOWN)])
    yield _line([])
    yield _line(["journey", *(str(kpis.BY_KEY[key].name) for key in SHOWN)])
    for journey, figures in sorted(report.by_journey.items()):
        yield _line([report.journey_names.get(journey, journey), *(figures.counts[key] for key in SHOWN)])


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
