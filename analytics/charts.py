"""What the report's figures look like: tiles, trend and comparisons, as plain data for the page."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from analytics import kpis
from analytics.reports import SHOWN, Figures, Report

#: Nobody can tell whether these were looked at: no rate instead of a wrong zero.
_NEVER_OPENED = ("sms", "push")
#: Beyond this many times the period before, a percentage says nothing but that it began.
_COMPARABLE = 5


@dataclass(frozen=True, slots=True)
class Tile:
    """One number with its share and how it moved against the period before."""

    name: str | Promise
    hint: str | Promise
    value: str
    rate: float | None
    change: float | None
    good: bool | None
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One channel or journey: counts in the order of ``SHOWN``, rates, and its share of the largest."""

    name: str
    counts: list[int]
    figures: Figures
    share: float
    open_rate: float | None


def tiles(report: Report) -> list[Tile]:
    now, before = report.total, report.before
    shown = [
        _tile("sent", now, before, None, more_is_good=None),
        _tile("delivered", now, before, now.delivery_rate, more_is_good=True),
        _tile("opened", now, before, now.open_rate, more_is_good=True),
        _tile("clicked", now, before, now.click_rate, more_is_good=True),
        _tile("converted", now, before, now.conversion_rate, more_is_good=True),
        _tile("unsubscribed", now, before, now.unsubscribe_rate, more_is_good=False),
        _tile("held", now, before, None, more_is_good=None),
        _tile("dropped", now, before, None, more_is_good=None),
    ]
    value = now.amounts["converted"]
    change = _change(float(value), float(before.amounts["converted"]))
    shown.insert(
        5,
        Tile(
            _("Value of conversions"),
            _("Orders that reached a journey's goal. Credit is not effect: compare with a holdout."),
            f"{value:,.0f}",
            None,
            change,
            None if change is None else change >= 0,
        ),
    )
    return shown


def trend(report: Report) -> dict[str, str]:
    """Chart.js data and options for the daily lines, as JSON text."""
    lines = [("sent", "#4f46e5"), ("opened", "#0d9488"), ("clicked", "#d97706"), ("converted", "#16a34a")]
    data = {
        "labels": [date_format(day, "j M") for day in report.by_day],
        "datasets": [
            {
                "label": str(kpis.BY_KEY[key].name),
                "data": [figures.counts[key] for figures in report.by_day.values()],
                "borderColor": colour,
                "backgroundColor": colour,
                "borderWidth": 2,
                "pointRadius": 0,
                "tension": 0.25,
            }
            for key, colour in lines
        ],
    }
    options = {
        "responsive": True,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": {"display": True, "align": "start", "position": "bottom"}},
        "scales": {
            "y": {"beginAtZero": True, "ticks": {"precision": 0}},
            "x": {"ticks": {"maxTicksLimit": 8, "maxRotation": 0}, "grid": {"display": False}},
        },
    }
    return {"data": json.dumps(data), "options": json.dumps(options)}


def comparison(parts: Mapping[Any, Figures], names: Mapping[Any, Hashable]) -> list[Row]:
    """One row a channel or journey, the busiest first."""
    most = max((figures.counts["sent"] for figures in parts.values()), default=0)
    rows = [
        Row(
            str(names.get(key, key)),
            [figures.counts[kpi] for kpi in SHOWN],
            figures,
            figures.counts["sent"] / most if most else 0.0,
            None if key in _NEVER_OPENED else figures.open_rate,
        )
        for key, figures in parts.items()
    ]
    return sorted(rows, key=lambda row: (-row.figures.counts["sent"], row.name))


def _tile(key: str, now: Figures, before: Figures, rate: float | None, *, more_is_good: bool | None) -> Tile:
    change = _change(now.counts[key], before.counts[key])
    good = None if change is None or more_is_good is None or change == 0 else (change > 0) == more_is_good
    kpi = kpis.BY_KEY[key]
    return Tile(kpi.name, kpi.description, f"{now.counts[key]:,}", rate, change, good, now.unnamed[key])


def _change(now: float, before: float) -> float | None:
    """Relative change; None where the period before had too little to compare with."""
    return (now - before) / before if before * _COMPARABLE >= now and before else None
