"""Marketing pressure: what the charter says about time (caps, spacing, quiet hours). Pure.

Each rule is a function from an instant to the first instant, not before it, at which the rule allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from channels import policy_closed, policy_time
from channels.charter_parts import AWAITED, PERSON, REACHING, Cap
from channels.policy_facts import Facts, Touch, text
from channels.policy_time import QuietHours

#: Channels on which we come to somebody; audiences are not among them, nor what waits for them to come.
PEOPLE = frozenset(REACHING)
#: The time in which a person's own maximum counts.
OWN_WEEK = timedelta(days=7)
#: One message a day, as a cap.
_ONE_A_DAY = Cap(name="one a day", limit=1, calendar="day")

Rule = Callable[[datetime], datetime | None]
#: Name, rule and inputs.
Timed = tuple[str, Rule, dict[str, Any]]


def timed_rules(facts: Facts, channel: str) -> list[Timed]:
    """Everything in the charter, and of the person's wishes, that says “not before” on ``channel``."""
    found = [*_own_wishes(facts, channel), *_counting(facts, channel), *_spacing(facts, channel)]
    found += policy_closed.closed_rules(facts, channel)
    return found


def _own_wishes(facts: Facts, channel: str) -> Iterator[Timed]:
    """What the person asked for in the preference centre: a pause, so many messages a week, and hours."""
    person = facts.person
    rest = person.paused_until
    if rest is not None and rest > facts.now:
        yield "pause", partial(max, rest), {"until": text(rest)}
    if channel not in PEOPLE:
        return
    if person.weekly is not None:
        cap = Cap(name="own", limit=person.weekly, rolling=OWN_WEEK, channels=PEOPLE)
        yield _cap_rule("own_cap", 0, cap, facts)
    if person.quiet is not None:
        begins, ends = person.quiet
        hours = (QuietHours(PEOPLE, begins, ends),)
        zone = policy_closed.zone_said(person.zones)
        inputs = {"channel": channel, "zone": zone, "own": f"{begins:%H:%M}-{ends:%H:%M}"}
        yield (
            "own_quiet_hours",
            partial(policy_time.free_of_quiet_hours, hours=hours, names=person.zones),
            inputs,
        )


def _counting(facts: Facts, channel: str) -> Iterator[Timed]:
    """The caps that are about this message and this person."""
    candidate, band = facts.candidate, facts.person.band
    for i, cap in enumerate(facts.charter.caps):
        if cap.concerns(channel, candidate.purpose, candidate.tags_on(channel)) and (
            not cap.bands or band in cap.bands
        ):
            yield _cap_rule("cap", i, cap, facts)


def _cap_rule(name: str, index: int, cap: Cap, facts: Facts) -> Timed:
    times = _counted(facts.touches, cap)
    inputs: dict[str, Any] = {"rule": index, "name": cap.name, "limit": cap.limit}
    if cap.rolling is not None:
        after = facts.now - cap.rolling
        inputs |= {"taken": sum(time > after for time in times), "rolling": int(cap.rolling.total_seconds())}
    else:
        own = cap.zone == PERSON
        zone = facts.person.zones[0] if own else cap.zone
        began = policy_time.period_began(facts.now, cap.calendar, zone)
        said = policy_closed.zone_said(facts.person.zones) if own else zone
        inputs |= {"taken": sum(time >= began for time in times), "calendar": cap.calendar, "zone": said}
    if cap.bands:
        inputs["band"] = facts.person.band
    return name, partial(_under_cap, cap, times, facts.person.zones), inputs


def _counted(touches: Sequence[Touch], cap: Cap) -> list[datetime]:
    """When the messages that ``cap`` counts went out, in order."""
    found = [
        touch.at
        for touch in touches
        if (cap.count_transactional or not touch.transactional)
        and cap.concerns(touch.channel, touch.purpose, touch.tags)
    ]
    found.sort()
    return found


def _under_cap(cap: Cap, times: Sequence[datetime], zones: Sequence[str], at: datetime) -> datetime | None:
    """The first instant from ``at`` on at which ``cap`` has a place, counting messages sent at ``times``."""
    if len(times) < cap.limit:
        return at
    if cap.limit == 0:
        return None
    if cap.rolling is not None:
        # The last so many fill the cap until the first of them is out of the window.
        return max(at, times[-cap.limit] + cap.rolling)
    names = zones if cap.zone == PERSON else (cap.zone,)
    if len(names) == 1:
        return _under_period(cap, times, names[0], at)
    return policy_time.agree(at, [partial(_under_period, cap, times, name) for name in names])


def _under_period(cap: Cap, times: Sequence[datetime], name: str, at: datetime) -> datetime | None:
    # Where a clock is set back over midnight an instant may count for two days: never for none.
    began = policy_time.period_began(at, cap.calendar, name)
    return at if times[-cap.limit] < began else policy_time.next_period(at, cap.calendar, name)


def _spacing(facts: Facts, channel: str) -> Iterator[Timed]:
    """One a day, time between two messages, and messages that must not come close to certain others."""
    charter, candidate = facts.charter, facts.candidate
    if channel not in AWAITED and (charter.one_a_day or charter.apart):
        touches = sorted(
            one.at for one in facts.touches if not one.transactional and one.channel not in AWAITED
        )
        latest = touches[-1] if touches else None
        said = text(latest) if latest else None
        if charter.one_a_day:
            zones = facts.person.zones
            inputs = {"rule": "one_a_day", "latest": said, "zone": policy_closed.zone_said(zones)}
            yield "spacing", partial(_under_cap, _ONE_A_DAY, touches, zones), inputs
        if charter.apart:
            inputs = {"rule": "apart", "latest": said}
            yield "spacing", partial(_after_gap, latest, charter.apart), inputs
    for i, rule in enumerate(charter.combinations):
        if rule.other is None or not rule.one.concerns(
            channel, candidate.purpose, candidate.tags_on(channel)
        ):
            continue
        other = rule.other
        last = max(
            (
                one.at
                for one in facts.touches
                if not one.transactional and other.concerns(one.channel, one.purpose, one.tags)
            ),
            default=None,
        )
        asked = {"rule": i, "latest": text(last) if last else None}
        yield "combination", partial(_after_gap, last, rule.apart), asked


def _after_gap(latest: datetime | None, apart: timedelta, at: datetime) -> datetime:
    return at if latest is None else max(at, latest + apart)
