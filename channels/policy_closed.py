"""When the charter lets nothing leave at all: quiet hours, hours of law, blackouts and holidays. Pure.

What these say depends on the charter, the place and the instant, not on the message; within a batch most
people ask the same, so answers are remembered beside the charter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from channels import policy_days, policy_time, policy_zones
from channels.charter_parts import Charter, Closed
from channels.law_packs import LawWindow
from channels.policy_facts import Facts, Person

_Answer = TypeVar("_Answer")
_MOST_REMEMBERED = 20_000


def closed_rules(
    facts: Facts, channel: str
) -> Iterator[tuple[str, Callable[[datetime], datetime | None], dict[str, Any]]]:
    """Name, rule and inputs of everything that closes ``channel`` for this person at certain times."""
    charter, person = facts.charter, facts.person
    zones = _clocks(charter, person, channel)
    zone = zone_said(zones)
    if charter.quiet_by_channel.get(channel):
        yield (
            "quiet_hours",
            partial(_quiet, charter, channel, zones),
            {"channel": channel, "zone": zone},
        )
    windows = _laws(charter, channel, person)
    if windows:
        packs = sorted({window.pack for window in windows})
        asked = {"channel": channel, "zone": zone, "packs": packs, "state": person.place.state}
        yield "law", partial(_legal, charter, channel, person, zones, windows), asked
    for i, rule in enumerate(charter.closed):
        candidate = facts.candidate
        if not rule.concerns(channel, candidate.purpose, candidate.tags_on(channel)):
            continue
        countries = _closed_where(rule, person, charter)
        if countries is None:
            continue
        closed = policy_days.closed_on(rule, countries, person.place.state)
        name = "holiday" if rule.holidays else "blackout"
        inputs: dict[str, Any] = {"rule": i, "name": rule.name, "zone": zone, "countries": sorted(countries)}
        yield name, partial(policy_days.free_of_days, closed=closed, names=zones), inputs


def _clocks(charter: Charter, person: Person, channel: str) -> tuple[str, ...]:
    """The zones whose clocks count: a text rings where its number belongs, whatever is said of the person.

    A charter that has one zone for whoever's is unknown has it for their numbers too.
    """
    by_charter = charter.unknown_zone != "every" and person.zones == (charter.default_zone,)
    if channel != "sms" or by_charter:
        return person.zones
    return policy_zones.towards(person.zones, person.place.destination)


def zone_said(zones: Sequence[str]) -> str:
    """The zone's name, or how many it may be."""
    return zones[0] if len(zones) == 1 else f"{len(zones)} zones"


def _quiet(charter: Charter, channel: str, zones: tuple[str, ...], at: datetime) -> datetime | None:
    hours = charter.quiet_by_channel[channel]
    return _remembered(
        charter,
        ("quiet", channel, zones, at),
        lambda: policy_time.free_of_quiet_hours(at, hours, zones),
    )


def _laws(charter: Charter, channel: str, person: Person) -> tuple[LawWindow, ...]:
    """The windows of law for somebody: of every country and state that they may be in."""
    laws = charter.laws_by_channel.get(channel)
    if not laws:
        return ()

    def choose() -> tuple[LawWindow, ...]:
        countries, states = person.place.countries(channel), person.place.states()
        return tuple(
            window
            for window in laws
            if (not countries or window.country in countries)
            and (not window.states or window.country not in states or states[window.country] in window.states)
        )

    return _remembered(charter, ("laws", channel, person.place), choose)


def _legal(
    charter: Charter,
    channel: str,
    person: Person,
    zones: tuple[str, ...],
    windows: tuple[LawWindow, ...],
    at: datetime,
) -> datetime | None:
    return _remembered(
        charter,
        ("legal", channel, person.place, zones, at),
        lambda: policy_days.free_of_laws(at, windows, person.place.states(), zones),
    )


def _closed_where(rule: Closed, person: Person, charter: Charter) -> frozenset[str] | None:
    """In which countries the days count for this person; None where the rule is not for them.

    Somebody whose country is unknown may be in any that the rule names; where it names none, they are taken
    to be where their time zone, known or not, is.
    """
    own = person.place.country or person.place.destination
    if rule.countries:
        if not own:
            return rule.countries
        return frozenset({own}) if own in rule.countries else None
    if not rule.holidays:
        return frozenset()
    if own:
        return frozenset({own})
    return frozenset().union(*(policy_zones.countries_of(zone) for zone in person.zones))


def _remembered(charter: Charter, key: tuple[object, ...], make: Callable[[], _Answer]) -> _Answer:
    memory = charter.memory
    try:
        return memory[key]  # type: ignore[no-any-return]
    except KeyError:
        if len(memory) > _MOST_REMEMBERED:
            memory.clear()
        answer = memory[key] = make()
        return answer
