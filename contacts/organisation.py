"""What the organisation is called on pages for people, by whichever app keeps it in ``organisation``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.conf import settings

from contacts import conventions


def name() -> str:
    """The organisation's name; empty when nobody has said it."""
    return next((found for said in _known() if (found := said())), "") or settings.SEGUE_ORGANISATION


@cache
def _known() -> tuple[Callable[[], str], ...]:
    return tuple(
        module.name for room, module in conventions.modules("organisation").items() if room != "contacts"
    )
