"""What a new installation knows of consent: its pages' words, and where measuring needs a yes first.

Figures of law are a start to be checked by whoever runs the installation; they are rows, to be changed there.
"""

from __future__ import annotations

from datetime import date, datetime

from contacts.consent import wordings
from contacts.models import TrackingRule

#: Country, from when, measured until they refuse, source.
_RULES = (
    ("", date(2018, 5, 25), True, "What holds where no country says otherwise"),
    ("FR", date(2026, 1, 1), False, "CNIL 2026-042: a tracking pixel needs a separate consent before"),
)


def load(now: datetime) -> int:
    """Make what is missing as a whole; returns how many rows. What somebody changed or deleted stays so."""
    made = wordings.load(now)
    if not TrackingRule.objects.exists():
        made += len(
            TrackingRule.objects.bulk_create(
                TrackingRule(country=country, effective_on=day, unasked=unasked, source=source)
                for country, day, unasked, source in _RULES
            )
        )
    return made
