"""All promises of the installed apps, the lowest room first."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from contacts import conventions
from contacts.auditing.promise import Promise


@lru_cache(maxsize=1)
def promises() -> dict[str, Promise]:
    """Name to promise. Raises LookupError where two have the same name."""
    found: dict[str, Promise] = {}
    for room, module in reversed(conventions.modules("promises").items()):
        for one in module.PROMISES:
            if one.name in found:
                raise LookupError(f"two promises are named {one.name}")
            found[one.name] = replace(one, room=room)
    return found
