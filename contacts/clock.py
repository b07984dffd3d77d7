"""The one place where the product reads the time. Doors and pulses ask once and hand it down."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
