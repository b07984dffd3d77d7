"""Figures in words for the report's pages."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def percent(share: float | None, signed: bool = False) -> str:
    """A share (0.123) as 12.3 %; a dash where there is nothing to divide by."""
    if share is None:
        return "–"
    return f"{share * 100:{'+' if signed else ''}.1f} %"


@register.filter
def points(difference: float) -> str:
    """A difference of shares (0.083) in percentage points, with its sign: +8.3."""
    return f"{difference * 100:+.1f}"


@register.filter
def grouped(count: int) -> str:
    """A count with thousands apart."""
    return f"{count:,}"
