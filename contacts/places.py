"""Time zones of phone numbers and countries, where there is no doubt about the clock on the wall. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as phone_zones


def zone_of_country(country: str, now: datetime) -> str | None:
    """The IANA zone of a two-letter country, if all its clocks agree through this year."""
    return _agreed(tuple(_zones_of_countries().get(country, ())), now.year)


def zone_of_phone(phone: str, now: datetime) -> str | None:
    """The IANA zone of an E.164 number, if all places it may belong to share one clock."""
    if not phone:
        return None
    number = phonenumbers.parse(phone)
    home = _zones_of_countries().get(phonenumbers.region_code_for_number(number) or "", ())
    # The numbering plan names zones in alphabetical order; the country's list begins with its main one.
    candidates = phone_zones.time_zones_for_number(number)
    zones = sorted(candidates, key=lambda zone: home.index(zone) if zone in home else len(home))
    return _agreed(tuple(zones), now.year)


@lru_cache(maxsize=1_000)
def _agreed(zones: tuple[str, ...], year: int) -> str | None:
    try:
        clocks = {_clock(zone, year) for zone in zones}
    except (ZoneInfoNotFoundError, ValueError):
        return None
    return zones[0] if len(clocks) == 1 else None


@lru_cache(maxsize=1_000)
def _clock(zone: str, year: int) -> tuple[object, ...]:
    info = ZoneInfo(zone)
    return tuple(datetime(year, month, 15, tzinfo=UTC).astimezone(info).utcoffset() for month in range(1, 13))


@lru_cache(maxsize=1)
def _zones_of_countries() -> dict[str, tuple[str, ...]]:
    text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, list[str]] = defaultdict(list)
    for country, _place, zone in _columns(text.splitlines()):
        found[country].append(zone)
    return {country: tuple(zones) for country, zones in found.items()}


def _columns(lines: Iterable[str]) -> Iterable[list[str]]:
    return (line.split("\t")[:3] for line in lines if line and not line.startswith("#"))
