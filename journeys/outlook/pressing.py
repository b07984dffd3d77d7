"""Asks the charter about expected messages: whom it would keep from getting one, and why.

The rules are those of the policy, each message judged at its instant with all that the person gets before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from channels import charter, deciding_past, policy_pressure
from channels.charter_rules import Charter
from channels.policy_facts import Candidate, Facts, Person, Touch
from journeys.backtest.lives import PRESSURE
from journeys.outlook.expected import CLOSED_DAYS, Expected, Stopped

_CROWD = 2000


def stopped(messages: Collection[Expected], now: datetime) -> list[Stopped]:
    """Messages that caps, spacing, or days without sending stand against. Reads people some at a time."""
    by_contact: dict[int, list[Expected]] = defaultdict(list)
    for message in messages:
        if not message.transactional:
            by_contact[message.contact_id].append(message)
    ids, rules, found = sorted(by_contact), charter.current(now), list[Stopped]()
    for first in range(0, len(ids), _CROWD):
        some = ids[first : first + _CROWD]
        past = deciding_past.load(some, now - deciding_past.reach(rules), now, providers={})
        for contact_id in some:
            if (person := past.person(contact_id, now)) is not None:
                before = past.touches(contact_id, now, deciding_past.reach(rules))
                found += of_person(by_contact[contact_id], person, rules, before)
    return found


def of_person(
    messages: Sequence[Expected], person: Person, rules: Charter, before: Sequence[Touch]
) -> list[Stopped]:
    """One person's messages in the order of time, each taking its place before the next. Pure."""
    touches, found = list(before), []
    for message in sorted(messages, key=lambda one: one.at):
        reason = _against(message, person, rules, touches)
        if reason:
            found.append(Stopped(message, *reason))
        else:
            touches.append(Touch(message.channel, message.purpose, message.at))
    return found


def _against(
    message: Expected, person: Person, rules: Charter, touches: Sequence[Touch]
) -> tuple[str, str] | None:
    candidate = Candidate(0, message.purpose, (message.channel,), message.at)
    facts = Facts(message.at, candidate, person, rules, {}, touches)
    for name, rule, inputs in policy_pressure.timed_rules(facts, message.channel):
        if name in PRESSURE | CLOSED_DAYS and rule(message.at) != message.at:
            return name, _called(name, inputs)
    return None


def _called(name: str, inputs: Mapping[str, object]) -> str:
    """What the rule is called: a cap by its own name, spacing by its kind."""
    return str(inputs.get("name") or (inputs.get("rule") if name == "spacing" else "") or name)
