"""All promises of the installed apps, the lowest room first."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from contacts.auditing.promise import Promise


@lru_cache(maxsize=1)
def promises() -> dict[str, Promise]:
    """Name to promise. Raises LookupError where two have the same name."""
    found: dict[str, Promise] = {}
    for config in reversed(list(apps.get_app_configs())):
        if not find_spec(f"{config.name}.promises"):
            continue
        for one in import_module(f"{config.name}.promises").PROMISES:
            if one.name in found:
                raise LookupError(f"two promises are named {one.name}")
            found[one.name] = replace(one, room=config.label)
    return found
