"""What the organisation is called on pages for people, by whichever app keeps it in ``organisation``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings


def name() -> str:
    """The organisation's name; empty when nobody has said it."""
    return next((found for said in _known() if (found := said())), "") or settings.SEGUE_ORGANISATION


@cache
def _known() -> tuple[Callable[[], str], ...]:
    return tuple(
        import_module(f"{config.name}.organisation").name
        for config in apps.get_app_configs()
        if config.name != "contacts" and find_spec(f"{config.name}.organisation")
    )
