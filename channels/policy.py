"""One decision for every message: facts in, verdict out. Pure, so that tests need no database.

For each channel in turn: suppression, consent, reachability, charter (``policy_gates``). The first channel
that may be used now is used; then comes the deadline. Service messages skip consent and charter. Every
question asked is in the verdict's trace: [rule, answer, inputs].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from channels import choosing, policy_pressure, send_time
from channels import policy_arbitration as arbitration
from channels import policy_gates as gates
from channels.charter_parts import AWAITED, Charter
from channels.policy_facts import (
    CANCEL,
    DROP,
    EXPIRE,
    HOLD,
    PASS,
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
from channels.policy_gates import Stop


def decide(facts: Facts, standing: arbitration.Rank | None = None) -> Verdict:
    """The verdict on one message. ``standing`` says how it came to its turn among others of the person."""
    trace: Trace = [standing.line] if standing is not None else []
    candidate = facts.candidate
    if candidate.conditions is not None:
        trace.append(["conditions", PASS if candidate.conditions else REFUSE, {}])
        if not candidate.conditions:
            return Verdict(CANCEL, "conditions", trace=trace)
    if _late(candidate, facts.now) and candidate.deadline_at:
        trace.append(["deadline", REFUSE, {"deadline": text(candidate.deadline_at)}])
        return Verdict(EXPIRE, "deadline", trace=trace)
    stops: list[tuple[str, Stop]] = []
    order, chosen = ways(candidate, facts.person, facts.charter)
    trace += chosen
    for channel in order:
        stop = gates.stop(facts, channel, trace)
        if stop is None:
            return _now_or_best(facts, channel, trace)
        stops.append((channel, stop))
        if stop.until is not None and not _goes_on(candidate, facts.charter):
            break
    return _without_channel(facts, stops, trace)


def _now_or_best(facts: Facts, channel: str, trace: Trace) -> Verdict:
    """The message may leave now; where its person answers more at another hour, it waits for that."""
    if not send_time.asked(facts):
        return Verdict(SEND, "allowed", channel, trace=trace)
    asks = [rule for _name, rule, _inputs in policy_pressure.timed_rules(facts, channel)]
    best, line = send_time.wait(facts, channel, asks)
    trace += line
    if best is None:
        return Verdict(SEND, "allowed", channel, trace=trace)
    return Verdict(HOLD, send_time.RULE, channel, best, trace)


def _without_channel(facts: Facts, stops: Sequence[tuple[str, Stop]], trace: Trace) -> Verdict:
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


def ways(candidate: Candidate, person: Person, charter: Charter) -> tuple[list[str], Trace]:
    """The channels in the order in which they are tried for this person, and why, where that was chosen."""
    return choosing.order(
        candidate,
        person,
        charter.smart,
        in_order(candidate, charter),
        lambda channel: usable(candidate, person, charter, channel),
    )


def _goes_on(candidate: Candidate, charter: Charter) -> bool:
    """Whether the next channel is tried where one is only held."""
    return charter.fallback == "held" or candidate.on_hold == "reroute"


def _late(candidate: Candidate, now: datetime) -> bool:
    return candidate.deadline_at is not None and candidate.deadline_at < now


def recheck(facts: Facts, channel: str) -> Verdict | None:
    """Ask once more, as a decided message leaves on ``channel``; None when nothing has come against it.

    Caps are not asked: the message has its place already. Where only this channel has closed meanwhile and
    the message may take another one, it is held for no time: to be decided about anew.
    """
    trace: Trace = []
    candidate = facts.candidate
    if candidate.conditions is False:
        return Verdict(CANCEL, "conditions", channel, trace=[["conditions", REFUSE, {}]])
    if _late(candidate, facts.now):
        return Verdict(EXPIRE, "deadline", channel, trace=[["deadline", REFUSE, {}]])
    clock_alone = facts.charter.clock_alone
    hours = Facts(facts.now, candidate, facts.person, clock_alone, facts.providers, (), facts.planned)
    for gate, asked in ((gates.suppression, facts), (gates.consent, facts), (gates.pressure, hours)):
        stop = gate(asked, channel, trace)
        if stop is not None:
            if others := _others(facts, channel, stop):
                trace.append(["reroute", WAIT, {"channel": channel, "others": others}])
                return Verdict(HOLD, stop.reason, channel, facts.now, trace)
            return _without_channel(facts, [(channel, stop)], trace)
    return None


def _others(facts: Facts, channel: str, stop: Stop) -> list[str]:
    """By which channels a leaving message may go on where ``channel`` stops it."""
    candidate, charter = facts.candidate, facts.charter
    if channel in AWAITED or (stop.until is not None and not _goes_on(candidate, charter)):
        return []
    return [
        one
        for one in in_order(candidate, charter)
        if one != channel and usable(candidate, facts.person, charter, one)
    ]


# ── All messages of one person at once ──────────────────────────────────────────────────────────────


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

    Each is decided in the order of ``policy_arbitration``, and takes its place before the next one is looked
    at; so the best one gets the last place, whatever order they were found in. ``planned`` holds the
    person's messages that are not due.
    """
    ranks = arbitration.arrange(candidates, person, charter, now)
    arranged = [rank.candidate for rank in ranks]
    taken = list(touches)
    plans = {plan.message_id: plan for plan in planned}
    for one in arranged:
        if one.conditions is not False and not _late(one, now):
            plans[one.id] = Planned(one.id, likely_channel(one, person, charter), now, one.transactional)
    verdicts: dict[int, Verdict] = {}
    for rank in ranks:
        candidate = rank.candidate
        plans.pop(candidate.id, None)
        facts = Facts(now, candidate, person, charter, providers, tuple(taken), tuple(plans.values()))
        verdict = replace(decide(facts, rank if rank.matters else None), facts=facts)
        verdicts[candidate.id] = verdict
        if verdict.action == SEND:
            channel = verdict.channel
            tags = candidate.tags_on(channel)
            taken.append(Touch(channel, candidate.purpose, now, candidate.transactional, tags))
        if verdict.action in {SEND, HOLD}:
            at = verdict.until or now
            plans[candidate.id] = Planned(candidate.id, verdict.channel, at, candidate.transactional)
    return verdicts


def likely_channel(candidate: Candidate, person: Person, charter: Charter) -> str:
    """The channel that an undecided message will take, as far as one can tell; empty when none."""
    order, _why = ways(candidate, person, charter)
    return next((one for one in order if usable(candidate, person, charter, one)), "")


def usable(candidate: Candidate, person: Person, charter: Charter, channel: str) -> bool:
    """Whether the person can be reached by ``channel`` and allows it, whatever pressure and hours say."""
    if not person.addresses.get(channel) or channel in person.suppressed:
        return False
    return candidate.transactional or gates.agrees(person, channel, candidate.purpose, charter)
