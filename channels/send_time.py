"""Send time: of the hours that a message may wait for, the one in which its person answers most. Pure.

Hours that the rules of pressure do not leave free take no part, so the best hour is always an allowed one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from channels import policy_time, smart
from channels.policy_facts import PASS, WAIT, Candidate, Facts, Trace, text
from channels.smart import ALWAYS, ASKED, BEST, CONTROL, EXPLORE, UNKNOWN, Hours, Smart

RULE = "best_hour"
#: An hour must promise so much more than now to be waited for.
_GAIN = 1.1
#: Within their hour messages are spread, so that not all leave at the full one.
_SPREAD = timedelta(minutes=50)
_HOUR = timedelta(hours=1)
_LONGEST = timedelta(days=7)

Rule = Callable[[datetime], datetime | None]


class _Slot(NamedTuple):
    """One hour on the person's clock: from when on it can be used, its place in the week, and its name."""

    at: datetime
    full: str
    day: int
    hour: int


def until(rules: Smart, candidate: Candidate) -> datetime | None:
    """How long the best hour of this message's person may be waited for; None: not at all."""
    if candidate.transactional or rules.hour not in (ALWAYS, ASKED):
        return None
    by = candidate.best_by
    if by is None and rules.hour == ALWAYS and candidate.wanted_at is not None:
        by = candidate.wanted_at + rules.within
    if by is None or candidate.deadline_at is None:
        return by
    return min(by, candidate.deadline_at)


def asked(facts: Facts) -> bool:
    """Whether another hour than now is looked for at all."""
    by = until(facts.charter.smart, facts.candidate)
    return by is not None and by > facts.now


def wait(facts: Facts, channel: str, rules: Sequence[Rule]) -> tuple[datetime | None, Trace]:
    """When a message that may leave now on ``channel`` had better leave; None: now. And why.

    ``rules`` are those of pressure, each from an instant to the first one at which it allows.
    """
    settings, candidate, person = facts.charter.smart, facts.candidate, facts.person
    by = until(settings, candidate)
    if by is None or by <= facts.now:
        return None, []
    by = min(by, facts.now + _LONGEST)
    learned = person.learned.hours
    if learned is None or len(person.zones) != 1:
        why = "zone" if learned is not None else "hours"
        return None, [[RULE, PASS, {"channel": channel, "arm": UNKNOWN, "missing": why, "by": text(by)}]]
    slots = _slots(facts.now, by, person.zones[0])
    free = _free(slots, rules)
    best = max(free, key=lambda one: (learned.weight(one.day, one.hour), -one.at.timestamp()))
    now = slots[0]
    if learned.weight(best.day, best.hour) < _GAIN * learned.weight(now.day, now.hour):
        best = now
    arm = smart.arm(settings, person.contact_id, candidate.seed, "hour")
    by_chance = min(free, key=lambda one: smart.share(f"{person.contact_id} {candidate.seed} {one.full}"))
    chosen = {BEST: best, EXPLORE: by_chance, CONTROL: now}[arm.name]
    inputs: dict[str, Any] = {
        "channel": channel,
        "arm": arm.name,
        "propensity": arm.chance(chosen, best, now, len(free)),
        "hours": len(free),
        "day": chosen.day,
        "hour": chosen.hour,
        "gain": _gain(learned, chosen, now),
        "zone": person.zones[0],
        "by": text(by),
        **_evidence(learned, chosen.hour),
    }
    if chosen is now:
        return None, [[RULE, PASS, inputs]]
    later = chosen.at + policy_time.jitter(person.contact_id, chosen.at, _SPREAD)
    leaves = later if later <= by and policy_time.agree(later, rules) == later else chosen.at
    return leaves, [[RULE, WAIT, {**inputs, "next": text(leaves)}]]


def _slots(now: datetime, by: datetime, name: str) -> list[_Slot]:
    """The hours from now on, the one that has begun first, until ``by``."""
    zone = policy_time.zone(name)
    local = now.astimezone(zone)
    # Full hours of the person's clock, also where their zone is half an hour off.
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    full = now.astimezone(UTC) - past
    found = [_Slot(now, text(full), local.weekday(), local.hour)]
    while (full := full + _HOUR) <= by:
        local = full.astimezone(zone)
        found.append(_Slot(full, text(full), local.weekday(), local.hour))
    return found


def _free(slots: Sequence[_Slot], rules: Sequence[Rule]) -> list[_Slot]:
    """The hours at whose beginning every rule allows; now is one of them."""
    found, blocked = [slots[0]], slots[0].at
    for slot in slots[1:]:
        if slot.at < blocked:
            continue
        allowed = policy_time.agree(slot.at, rules)
        if allowed is None:
            break
        blocked = allowed
        if allowed == slot.at:
            found.append(slot)
    return found


def _gain(learned: Hours, chosen: _Slot, now: _Slot) -> float:
    """How many times as likely an answer is then as now, as learned."""
    usual = learned.weight(now.day, now.hour)
    return round(learned.weight(chosen.day, chosen.hour) / usual, 2) if usual > 0 else 0.0


def _evidence(learned: Hours, hour: int) -> dict[str, int]:
    """How many of their own answers fell within two hours about ``hour``: {"answers", "of", "from", "to"}."""
    if not any(learned.answers):
        return {}
    starts = (hour, (hour - 1) % 24)
    counts = [learned.answers[start] + learned.answers[(start + 1) % 24] for start in starts]
    start = starts[0] if counts[0] >= counts[1] else starts[1]
    return {"answers": max(counts), "of": sum(learned.answers), "from": start, "to": (start + 2) % 24 or 24}
