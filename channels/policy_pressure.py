"""Marketing pressure: what the charter says about time (caps, spacing, quiet hours). Pure.

Each rule is a function from an instant to the first instant, not before it, at which the rule allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from channels import policy_time
from channels.charter_rules import AWAITED, CHANNELS, PERSON, Cap
from channels.policy_facts import Facts, Touch, text
from channels.policy_time import QuietHours

#: Channels on which we come to somebody; audiences are not among them, nor what waits for them to come.
PEOPLE = frozenset(CHANNELS) - AWAITED
#: The time in which a person's own maximum counts.
OWN_WEEK = timedelta(days=7)

Rule = Callable[[datetime], datetime | None]


def timed_rules(facts: Facts, channel: str) -> list[tuple[str, Rule, dict[str, Any]]]:
    """Name, rule and inputs of everything in the charter that says “not before” on ``channel``."""
    charter, zones = facts.charter, facts.person.zones
    found: list[tuple[str, Rule, dict[str, Any]]] = []
    rest = facts.person.paused_until
    if rest is not None and rest > facts.now:
        found.append(("pause", partial(max, rest), {"until": text(rest)}))
    found += _own_wishes(facts, channel)
    for i, cap in enumerate(charter.caps):
        if cap.concerns(channel, facts.candidate.purpose):
            times = _counted(facts.touches, cap)
            found.append(("cap", partial(_under_cap, cap, times, zones), _cap_inputs(i, cap, times, facts)))
    spaced = channel not in AWAITED
    touches = [one.at for one in facts.touches if not one.transactional and one.channel not in AWAITED]
    latest = max(touches, default=None)
    if charter.one_a_day and spaced:
        day = Cap("one a day", 1, calendar="day")
        inputs = {"rule": "one_a_day", "latest": text(latest) if latest else None, "zone": _zone(zones)}
        found.append(("spacing", partial(_under_cap, day, sorted(touches), zones), inputs))
    if charter.apart and spaced:
        inputs = {"rule": "apart", "latest": text(latest) if latest else None}
        found.append(("spacing", partial(_after_gap, latest, charter.apart), inputs))
    hours = [window for window in charter.quiet_hours if channel in window.channels]
    if hours:
        rule = partial(policy_time.free_of_quiet_hours, hours=hours, names=zones)
        found.append(("quiet_hours", rule, {"channel": channel, "zone": _zone(zones)}))
    return found


def _own_wishes(facts: Facts, channel: str) -> list[tuple[str, Rule, dict[str, Any]]]:
    """What the person asked for in the preference centre: so many messages a week, and hours without any."""
    found: list[tuple[str, Rule, dict[str, Any]]] = []
    person = facts.person
    if channel not in PEOPLE:
        return found
    if person.weekly is not None:
        cap = Cap("own", person.weekly, rolling=OWN_WEEK, channels=PEOPLE)
        times = _counted(facts.touches, cap)
        found.append(
            ("own_cap", partial(_under_cap, cap, times, person.zones), _cap_inputs(0, cap, times, facts))
        )
    if person.quiet is not None:
        begins, ends = person.quiet
        hours = [QuietHours(PEOPLE, begins, ends)]
        inputs = {"channel": channel, "zone": _zone(person.zones), "own": f"{begins:%H:%M}-{ends:%H:%M}"}
        free = partial(policy_time.free_of_quiet_hours, hours=hours, names=person.zones)
        found.append(("own_quiet_hours", free, inputs))
    return found


def _counted(touches: Iterable[Touch], cap: Cap) -> list[datetime]:
    """When the messages that ``cap`` counts went out, in order."""
    return sorted(
        touch.at
        for touch in touches
        if cap.concerns(touch.channel, touch.purpose) and (cap.count_transactional or not touch.transactional)
    )


def _under_cap(cap: Cap, times: Sequence[datetime], zones: Sequence[str], at: datetime) -> datetime | None:
    """The first instant from ``at`` on at which ``cap`` has a place, counting messages sent at ``times``."""
    if cap.limit == 0:
        return None
    if cap.rolling is not None:
        taken = [time for time in times if time > at - cap.rolling]
        return at if len(taken) < cap.limit else taken[-cap.limit] + cap.rolling
    names = zones if cap.zone == PERSON else (cap.zone,)
    return policy_time.agree(at, [partial(_under_period, cap, times, name) for name in names])


def _under_period(cap: Cap, times: Sequence[datetime], name: str, at: datetime) -> datetime | None:
    this = policy_time.period(at, cap.calendar, name)
    taken = sum(policy_time.period(time, cap.calendar, name) == this for time in times)
    return at if taken < cap.limit else policy_time.next_period(at, cap.calendar, name)


def _after_gap(latest: datetime | None, apart: timedelta, at: datetime) -> datetime:
    return at if latest is None else max(at, latest + apart)


def _cap_inputs(index: int, cap: Cap, times: Sequence[datetime], facts: Facts) -> dict[str, Any]:
    if cap.rolling is not None:
        taken = sum(time > facts.now - cap.rolling for time in times)
        window = {"rolling": int(cap.rolling.total_seconds())}
        return {"rule": index, "name": cap.name, "limit": cap.limit, "taken": taken, **window}
    zone = _zone(facts.person.zones) if cap.zone == PERSON else cap.zone
    name = facts.person.zones[0] if cap.zone == PERSON else cap.zone
    this = policy_time.period(facts.now, cap.calendar, name)
    taken = sum(policy_time.period(time, cap.calendar, name) == this for time in times)
    window_name = {"calendar": cap.calendar, "zone": zone}
    return {"rule": index, "name": cap.name, "limit": cap.limit, "taken": taken, **window_name}


def _zone(zones: Sequence[str]) -> str:
    """The zone's name, or how many it may be."""
    return zones[0] if len(zones) == 1 else f"{len(zones)} zones"
