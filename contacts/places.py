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
from phonenumbers.tzdata import TIMEZONE_DATA

_REGIONS = phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def zone_of_country(country: str, now: datetime) -> str | None:
    """The IANA zone of a two-letter country, if all its clocks agree through this year."""
    return _agreed(tuple(_zones_of_countries().get(country, ())), now.year)


def zone_of_phone(phone: str, now: datetime) -> str | None:
    """The IANA zone of an E.164 number, if all places it may belong to share one clock."""
    if not phone:
        return None
    zones = _zones_by_prefix(phone[1 : 1 + _longest_prefix(phone[1:4])])
    return _agreed(zones, now.year) if zones else _zone_of_number(phone, now.year)


def _zone_of_number(phone: str, year: int) -> str | None:
    number = phonenumbers.parse(phone)
    zones = phone_zones.time_zones_for_number(number)
    return _agreed(_main_first(zones, phonenumbers.region_code_for_number(number) or ""), year)


@lru_cache(maxsize=1_000)
def _longest_prefix(digits: str) -> int:
    """How many digits of a number say where it is, under the country code that ``digits`` begin with."""
    code = _code_of(digits)
    return max((len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(code)), default=len(code))


def _code_of(digits: str) -> str:
    return next((digits[:length] for length in (1, 2, 3) if int(digits[:length] or 0) in _REGIONS), "0")


@lru_cache(maxsize=20_000)
def _zones_by_prefix(digits: str) -> tuple[str, ...]:
    """The zones of every number that begins so, or nothing where the rest of the number decides.

    Only under a code of one country: among several, the number says which of them comes first.
    """
    code = _code_of(digits)
    regions = _REGIONS.get(int(code), ())
    known = (TIMEZONE_DATA.get(digits[:length]) for length in range(len(digits), 0, -1))
    zones = next(filter(None, known), ())
    # Numbers without a place, such as voice over IP, have the zones of the whole country.
    if len(regions) != 1 or zones != TIMEZONE_DATA.get(code):
        return ()
    return _main_first(zones, regions[0])


def _main_first(zones: Iterable[str], region: str) -> tuple[str, ...]:
    # The numbering plan names zones in alphabetical order; the country's list begins with its main one.
    home = _zones_of_countries().get(region, ())
    return tuple(sorted(zones, key=lambda zone: home.index(zone) if zone in home else len(home)))


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
