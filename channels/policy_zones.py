"""In which time zones a person may be, from what is known of them. Pure but for the tables it reads."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources

from channels import policy_places, policy_time
from channels.charter_parts import Charter

#: Zones of one country whose clocks agree on all these days are one candidate.
_COMPARED = [datetime(2025, 1, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in range(1100)]


def candidates(timezone: str, country: str, phone: str, charter: Charter) -> tuple[str, ...]:
    """The person's zone alone when it is known; otherwise every zone they may be in.

    An unknown zone is looked for in the country, then in the country of the phone number; without either,
    or where the charter says so, it is the charter's default zone.
    """
    if timezone and timezone in policy_time.zone_names():
        return (timezone,)
    if charter.unknown_zone == "every":
        found = of_country(country.upper() or policy_places.country_of(phone))
        if found:
            return found
    return (charter.default_zone,)


@lru_cache(maxsize=4_096)
def towards(zones: tuple[str, ...], destination: str) -> tuple[str, ...]:
    """Those of a person's zones that lie in the country of a number, else that country's own zones."""
    inside = tuple(name for name in zones if destination in countries_of(name))
    return inside or of_country(destination) or zones


@lru_cache(maxsize=512)
def of_country(country: str) -> tuple[str, ...]:
    """The zones of a country (ISO 3166, two letters) whose clocks differ, by name."""
    different: dict[tuple[timedelta | None, ...], str] = {}
    for name in sorted(_by_country().get(country, ())):
        place = policy_time.zone(name)
        different.setdefault(tuple(day.astimezone(place).utcoffset() for day in _COMPARED), name)
    return tuple(sorted(different.values()))


@cache
def _by_country() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _place, name = line.split("\t")[:3]
            found[country].add(name)
    return dict(found)


@cache
def countries_of(zone: str) -> frozenset[str]:
    """The countries in which clocks follow ``zone``: who is said to live there may be in any of them."""
    return frozenset(country for country, names in _by_country().items() if zone in names)
