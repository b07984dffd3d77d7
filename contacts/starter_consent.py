"""What a new installation knows of consent: its pages' words, and where measuring needs a yes first.

Figures of law are a start to be checked by whoever runs the installation; they are rows, to be changed there.
"""

from __future__ import annotations

from datetime import datetime

from contacts.consent import wordings
from contacts.measuring import STARTERS
from contacts.models import TrackingRule


def load(now: datetime) -> int:
    """Make what is missing as a whole; returns how many rows. What somebody changed or deleted stays so."""
    made = wordings.load(now)
    if not TrackingRule.objects.exists():
        made += len(
            TrackingRule.objects.bulk_create(
                TrackingRule(country=country, effective_on=day, unasked=unasked, source=source)
                for country, day, unasked, source in STARTERS
            )
        )
    return made
