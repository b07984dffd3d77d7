"""Whom in-app messages reach: people who came lately, with a browser or an app of their own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHANNEL = "inapp"
KIND = "inapp"

USUAL_DAYS = 30
MOST_DAYS = 365


def days_of(settings: Mapping[str, Any]) -> int:
    """How many days after their last visit an account still counts on somebody to come again."""
    text = str(settings.get("visited_within") or "")
    return min(MOST_DAYS, max(1, int(text))) if text.isdecimal() and len(text) < 6 else USUAL_DAYS


def trusts_browsers(settings: Mapping[str, Any]) -> bool:
    """Whether a browser may speak for a known person without a signature of the site's server."""
    return str(settings.get("unsigned") or "").strip().lower() in ("yes", "true", "1")
