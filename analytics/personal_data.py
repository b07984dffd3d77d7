"""What this room keeps about people: nothing but sums."""

from __future__ import annotations

from contacts.privacy.inventory import Impersonal

IMPERSONAL: tuple[Impersonal, ...] = (
    Impersonal("analytics.DailyKpi", "sums by day, channel and journey"),
    Impersonal("analytics.Learning", "sums by country, hour and channel, and how far a walk has come"),
)
