"""One decision for every message: facts in, verdict out. Pure, so that tests need no database.

For each channel in turn: suppression, consent, reachability, charter. The first channel that may be used
now is used; then comes the deadline. Service messages skip consent and charter. Every question asked is in
the verdict's trace: [rule, answer, inputs].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from channels import policy_pressure as pressure
from channels import policy_time
from channels.charter_rules import Charter
from channels.policy_facts import (
    CANCEL,
    DROP,
    EXPIRE,
    HOLD,
    PASS,
    PAUSE_RECHECK,
    REFUSE,
    SEND,
    WAIT,
    Candidate,
    Facts,
    Person,
    Planned,
    Touch,
    Trace,
    Verdict,
    text,
)
from contacts import permission


class _Stop(NamedTuple):
    """Why a channel cannot be used: for good when ``until`` is None, else not before."""

    reason: str
    until: datetime | None = None


def decide(facts: Facts) -> Verdict:
    """The verdict on one message."""
    trace: Trace = []
    candidate = facts.candidate
    if candidate.conditions is not None:
        trace.append(["conditions", PASS if candidate.conditions else REFUSE, {}])
        if not candidate.conditions:
            return Verdict(CANCEL, "conditions", trace=trace)
    if _late(candidate, facts.now) and candidate.deadline_at:
        trace.append(["deadline", REFUSE, {"deadline": text(candidate.deadline_at)}])
        return Verdict(EXPIRE, "deadline", trace=trace)
    stops: list[tuple[str, _Stop]] = []
    for channel in in_order(candidate, facts.charter):
        stop = _stop(facts, channel, trace)
        if stop is None:
            return Verdict(SEND, "allowed", channel, trace=trace)
        stops.append((channel, stop))
        if stop.until is not None and facts.charter.fallback == "refused":
            break
    return _without_channel(facts, stops, trace)


def _without_channel(facts: Facts, stops: Sequence[tuple[str, _Stop]], trace: Trace) -> Verdict:
    """No channel may be used now: wait for the first that will be, or give up."""
    waits = [(stop.until, channel, stop.reason) for channel, stop in stops if stop.until is not None]
    if not waits:
        channel, reason = (stops[0][0], stops[0][1].reason) if stops else ("", "no_channel")
        return Verdict(DROP, reason, channel, trace=trace)
    until, channel, reason = min(waits, key=lambda wait: wait[0])
    candidate = facts.candidate
    if candidate.on_hold == "drop":
        trace.append(["on_hold", REFUSE, {"until": text(until)}])
        return Verdict(DROP, reason, channel, trace=trace)
    if candidate.deadline_at and until > candidate.deadline_at:
        inputs = {"deadline": text(candidate.deadline_at), "until": text(until), "because": reason}
        trace.append(["deadline", REFUSE, inputs])
        return Verdict(EXPIRE, "deadline", channel, trace=trace)
    return Verdict(HOLD, reason, channel, until, trace)


def in_order(candidate: Candidate, charter: Charter) -> list[str]:
    """The channels to try, switched-off ones left out: in the message's order or in the charter's."""
    if charter.order_by == "charter":
        return [channel for channel in charter.order if channel in candidate.wanted]
    return [channel for channel in candidate.wanted if channel in charter.order]


def _late(candidate: Candidate, now: datetime) -> bool:
    return candidate.deadline_at is not None and candidate.deadline_at < now


def _stop(facts: Facts, channel: str, trace: Trace) -> _Stop | None:
    """Ask everything about one channel; None when it may be used now."""
    for gate in (_suppression, _consent, _reachability, _redundancy, _pressure):
        stop = gate(facts, channel, trace)
        if stop is not None:
            return stop
    return None


def _suppression(facts: Facts, channel: str, trace: Trace) -> _Stop | None:
    refused = channel in facts.person.suppressed and not facts.candidate.answer
    inputs = {"channel": channel} | ({"answer": True} if facts.candidate.answer else {})
    trace.append(["suppression", REFUSE if refused else PASS, inputs])
    return _Stop("suppressed") if refused else None


def _consent(facts: Facts, channel: str, trace: Trace) -> _Stop | None:
    purpose = facts.candidate.purpose
    inputs: dict[str, Any] = {"channel": channel, "purpose": purpose}
    if facts.candidate.transactional:
        trace.append(["consent", PASS, {**inputs, "service": True}])
        return None
    said = permission.of(facts.person.consents, channel, purpose)
    free = _free(facts.person, channel, purpose, facts.charter)
    trace.append(["consent", PASS if free else REFUSE, {**inputs, "said": said}])
    if free:
        return None
    reason = _WHY.get(_why(facts.person, channel, purpose), "no_consent")
    return _Stop("not_asked" if said is None else reason)


_WHY = {"expired": "consent_expired", "pending": "not_confirmed"}


def _why(person: Person, channel: str, purpose: str) -> str:
    """Why nothing is allowed where nobody refused: the answer that counts ended, or waits."""
    own = (channel, purpose)
    return person.why.get(own if own in person.consents else (channel, permission.EVERY), "")


def _free(person: Person, channel: str, purpose: str, charter: Charter) -> bool:
    if permission.of(person.consents, channel, purpose) is None and charter.unasked == "allow":
        return True
    return permission.allowed(person.consents, channel, purpose)


def _reachability(facts: Facts, channel: str, trace: Trace) -> _Stop | None:
    """Whether there is an address, and a provider that carries the channel."""
    paused = facts.providers.get(channel)
    missing = "no_address" if not facts.person.addresses.get(channel) else ""
    missing = missing or ("no_provider" if paused is None else "")
    if missing:
        trace.append(["reachability", REFUSE, {"channel": channel, "missing": missing}])
        return _Stop(missing)
    trace.append(["reachability", WAIT if paused else PASS, {"channel": channel, "paused": bool(paused)}])
    return _Stop("paused", facts.now + PAUSE_RECHECK) if paused else None


def _redundancy(facts: Facts, channel: str, trace: Trace) -> _Stop | None:
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
            return _Stop("redundant")
    return None


def _pressure(facts: Facts, channel: str, trace: Trace) -> _Stop | None:
    """The rules of the charter that are about time: caps, spacing, quiet hours, all at once."""
    if facts.candidate.transactional:
        trace.append(["charter", PASS, {"service": True}])
        return None
    rules = pressure.timed_rules(facts, channel)
    reason = ""
    for name, rule, inputs in rules:
        allowed = rule(facts.now)
        free = allowed == facts.now
        trace.append(
            [
                name,
                PASS if free else WAIT,
                {**inputs, "next": text(allowed) if allowed and not free else None},
            ]
        )
        reason = reason or ("" if free else name)
    if not reason:
        return None
    asks = [rule for _name, rule, _inputs in rules]
    until = policy_time.agree(facts.now, asks)
    if until is None:
        trace.append(["charter", REFUSE, {"channel": channel}])
        return _Stop("never_allowed")
    later = until + policy_time.jitter(facts.person.contact_id, until, facts.charter.jitter)
    return _Stop(reason, later if policy_time.agree(later, asks) == later else until)


def recheck(facts: Facts, channel: str) -> Verdict | None:
    """Ask once more, as a decided message leaves on ``channel``; None when nothing has come against it.

    Caps are not asked: the message has its place already.
    """
    trace: Trace = []
    candidate = facts.candidate
    if candidate.conditions is False:
        return Verdict(CANCEL, "conditions", channel, trace=[["conditions", REFUSE, {}]])
    if _late(candidate, facts.now):
        return Verdict(EXPIRE, "deadline", channel, trace=[["deadline", REFUSE, {}]])
    quiet = Charter(quiet_hours=facts.charter.quiet_hours, jitter=facts.charter.jitter)
    for gate, asked in (
        (_suppression, facts),
        (_consent, facts),
        (_pressure, replace(facts, charter=quiet, touches=())),
    ):
        stop = gate(asked, channel, trace)
        if stop is not None:
            return _without_channel(facts, [(channel, stop)], trace)
    return None


# ── All messages of one person at once ──────────────────────────────────────────────────────────────


def arrange(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Who comes first when places are few: higher priority, higher value, earlier due, lower id."""
    return sorted(candidates, key=lambda one: (-one.priority, -one.value, one.due_at, one.id))


def settle(
    now: datetime,
    candidates: Iterable[Candidate],
    person: Person,
    charter: Charter,
    providers: Mapping[str, bool],
    touches: Sequence[Touch] = (),
    planned: Sequence[Planned] = (),
) -> dict[int, Verdict]:
    """The verdicts on all messages of one person that are due, by id.

    Each is decided in the order of ``arrange``, and takes its place before the next one is looked at; so
    the best one gets the last place, whatever order they were found in. ``planned`` holds the person's
    messages that are not due.
    """
    arranged = arrange(candidates)
    taken = list(touches)
    plans = {plan.message_id: plan for plan in planned}
    for one in arranged:
        if one.conditions is not False and not _late(one, now):
            plans[one.id] = Planned(one.id, likely_channel(one, person, charter), now, one.transactional)
    verdicts: dict[int, Verdict] = {}
    for candidate in arranged:
        plans.pop(candidate.id, None)
        facts = Facts(now, candidate, person, charter, providers, taken, list(plans.values()))
        verdict = verdicts[candidate.id] = decide(facts)
        if verdict.action == SEND:
            taken.append(Touch(verdict.channel, candidate.purpose, now, candidate.transactional))
        if verdict.action in {SEND, HOLD}:
            at = verdict.until or now
            plans[candidate.id] = Planned(candidate.id, verdict.channel, at, candidate.transactional)
    return verdicts


def likely_channel(candidate: Candidate, person: Person, charter: Charter) -> str:
    """The channel that an undecided message will take, as far as one can tell; empty when none."""
    for channel in in_order(candidate, charter):
        if usable(candidate, person, charter, channel):
            return channel
    return ""


def usable(candidate: Candidate, person: Person, charter: Charter, channel: str) -> bool:
    """Whether the person can be reached by ``channel`` and allows it, whatever pressure and hours say."""
    if not person.addresses.get(channel) or channel in person.suppressed:
        return False
    return candidate.transactional or _free(person, channel, candidate.purpose, charter)
