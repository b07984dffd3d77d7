"""Where the editor of rules asks what there is to choose from: the segment builder's addresses."""

from __future__ import annotations

from django.urls import reverse

_ASKS = ("vocabulary", "properties", "values", "judge", "count")


def asks() -> dict[str, str]:
    """Address by what is asked."""
    return {each: reverse(f"admin:contacts_segment_{each}") for each in _ASKS}
