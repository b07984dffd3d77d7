"""On whose clock the calendar's days are: that of the charter for people of whom none is known."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from channels import charter


def zone(now: datetime) -> ZoneInfo:
    """The house's zone as the charter in force has it (``time.default_zone``). One statement."""
    return ZoneInfo(charter.current(now).default_zone)


def today(now: datetime) -> date:
    """The day it is there."""
    return now.astimezone(zone(now)).date()
