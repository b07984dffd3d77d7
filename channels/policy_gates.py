"""What is asked about one channel of one message, question by question. Pure.

A gate writes what it asked and found into the trace, and answers with why the channel cannot be used: for
good, or not before an instant. None lets the message pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from channels import policy_pressure, policy_time
from channels.charter_parts import Charter
from channels.policy_facts import PASS, PAUSE_RECHECK, REFUSE, WAIT, Facts, Person, Trace, text
from contacts import permission


class Stop(NamedTuple):
    """Why a channel cannot be used: for good when ``until`` is None, else not before."""

    reason: str
    until: datetime | None = None


Gate = Callable[[Facts, str, Trace], Stop | None]


def stop(facts: Facts, channel: str, trace: Trace) -> Stop | None:
    """Ask everything about one channel; None when it may be used now."""
    for gate in _GATES:
        found = gate(facts, channel, trace)
        if found is not None:
            return found
    return None


def suppression(facts: Facts, channel: str, trace: Trace) -> Stop | None:
    refused = channel in facts.person.suppressed and not facts.candidate.answer
    inputs = {"channel": channel} | ({"answer": True} if facts.candidate.answer else {})
    trace.append(["suppression", REFUSE if refused else PASS, inputs])
    return Stop("suppressed") if refused else None


def consent(facts: Facts, channel: str, trace: Trace) -> Stop | None:
    purpose = facts.candidate.purpose
    inputs: dict[str, Any] = {"channel": channel, "purpose": purpose}
    if facts.candidate.transactional:
        trace.append(["consent", PASS, {**inputs, "service": True}])
        return None
    said = permission.of(facts.person.consents, channel, purpose)
    open_to = agrees(facts.person, channel, purpose, facts.charter)
    trace.append(["consent", PASS if open_to else REFUSE, {**inputs, "said": said}])
    if open_to:
        return None
    reason = _WHY.get(_why(facts.person, channel, purpose), "no_consent")
    return Stop("not_asked" if said is None else reason)


_WHY = {"expired": "consent_expired", "pending": "not_confirmed"}


def _why(person: Person, channel: str, purpose: str) -> str:
    """Why nothing is allowed where nobody refused: the answer that counts ended, or waits."""
    own = (channel, purpose)
    return person.why.get(own if own in person.consents else (channel, permission.EVERY), "")


def agrees(person: Person, channel: str, purpose: str, charter: Charter) -> bool:
    """Whether a message about ``purpose`` may come to the person, as far as they have a say in it."""
    if permission.of(person.consents, channel, purpose) is None and charter.unasked == "allow":
        return True
    return permission.allowed(person.consents, channel, purpose)


def reachability(facts: Facts, channel: str, trace: Trace) -> Stop | None:
    """Whether there is an address, and a provider that carries the channel."""
    paused = facts.providers.get(channel)
    missing = "no_address" if not facts.person.addresses.get(channel) else ""
    missing = missing or ("no_provider" if paused is None else "")
    if missing:
        trace.append(["reachability", REFUSE, {"channel": channel, "missing": missing}])
        return Stop(missing)
    trace.append(["reachability", WAIT if paused else PASS, {"channel": channel, "paused": bool(paused)}])
    return Stop("paused", facts.now + PAUSE_RECHECK) if paused else None


def role(facts: Facts, channel: str, trace: Trace) -> Stop | None:
    """Whether the charter lets the channel carry this purpose, and this combination at all."""
    candidate, charter = facts.candidate, facts.charter
    if candidate.transactional:
        return None
    inputs: dict[str, Any] = {"channel": channel, "purpose": candidate.purpose}
    carried = charter.carried.get(channel)
    if carried is not None:
        fits = candidate.purpose in carried
        trace.append(["role", PASS if fits else REFUSE, {**inputs, "carries": sorted(carried)}])
        if not fits:
            return Stop("role")
    tags = candidate.tags_on(channel)
    for i, rule in enumerate(charter.combinations):
        if rule.other is None and rule.one.concerns(channel, candidate.purpose, tags):
            trace.append(["forbidden", REFUSE, {**inputs, "rule": i, "tags": sorted(tags)}])
            return Stop("forbidden")
    return None


def redundancy(facts: Facts, channel: str, trace: Trace) -> Stop | None:
    """Leave a channel out where another one is scheduled soon, or has just been used."""
    if facts.candidate.transactional:
        return None
    for rule in facts.charter.redundancy:
        if rule.drop != channel:
            continue
        soon = [
            plan.at
            for plan in facts.planned
            if plan.channel == rule.when and not plan.transactional and plan.at <= facts.now + rule.ahead
        ]
        just = [
            touch.at
            for touch in facts.touches
            if touch.channel == rule.when and not touch.transactional and touch.at > facts.now - rule.behind
        ]
        found = min(soon + just, default=None)
        inputs = {"channel": channel, "when": rule.when, "at": text(found) if found else None}
        trace.append(["redundancy", REFUSE if found else PASS, inputs])
        if found:
            return Stop("redundant")
    return None


def pressure(facts: Facts, channel: str, trace: Trace) -> Stop | None:
    """The rules of the charter that are about time: caps, spacing, quiet hours, all at once."""
    if facts.candidate.transactional:
        trace.append(["charter", PASS, {"service": True}])
        return None
    rules = policy_pressure.timed_rules(facts, channel)
    now, reason = facts.now, ""
    full: list[list[Any]] = []
    for name, rule, inputs in rules:
        allowed = rule(now)
        if allowed == now:
            trace.append([name, PASS, inputs])
            continue
        trace.append([name, WAIT, {**inputs, "next": text(allowed) if allowed else None}])
        reason = reason or name
        if name == "cap":
            full.append(trace[-1])
    if not reason:
        return None
    asks = [rule for _name, rule, _inputs in rules]
    until = policy_time.agree(now, asks)
    if until is None:
        trace.append(["charter", REFUSE, {"channel": channel}])
        return Stop("never_allowed")
    if _too_long(facts, full, until):
        return Stop("cap")
    later = until + policy_time.jitter(facts.person.contact_id, until, facts.charter.jitter)
    return Stop(reason, later if policy_time.agree(later, asks) == later else until)


def _too_long(facts: Facts, full: Sequence[list[Any]], until: datetime) -> bool:
    """Whether a full cap lets nothing wait until then; its line of the trace then says no."""
    since = facts.candidate.held_since or facts.now
    for line in full:
        wait = facts.charter.caps[line[2]["rule"]].wait
        if wait is not None and until - since > wait:
            line[1:] = REFUSE, {**line[2], "wait": int(wait.total_seconds())}
            return True
    return False


#: In the order in which they are asked: law and will of the person first, then what the charter says.
_GATES: tuple[Gate, ...] = (suppression, consent, reachability, role, redundancy, pressure)
