"""What the policy would say about a message to some people if it were wished for now. Writes nothing.

The same facts and the same policy as for a real message, so that an estimate and what follows agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels import deciding_conditions, deciding_facts, deciding_people, policy, visiting
from channels.policy_facts import SEND, Candidate
from channels.policy_pressure import OWN_WEEK
from contacts import slots


@dataclass(frozen=True, slots=True)
class Wish:
    """The message that is thought of."""

    purpose: str
    channels: tuple[str, ...]
    priority: int = 50
    conditions: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Counts over the people asked about.

    ``outcomes`` maps (action, reason) to people and ``channels`` the channel of those who would be sent to;
    ``reachable`` says by how many each channel could be used, whatever pressure and hours say.
    """

    people: int
    outcomes: Mapping[tuple[str, str], int]
    channels: Mapping[str, int]
    reachable: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Thought:
    """Enough of a message for its conditions to be asked."""

    id: int
    contact_id: int
    slot: int
    created_at: datetime
    entered_at: datetime | None
    conditions: Any


def foresee(contact_ids: Sequence[int], wish: Wish, now: datetime) -> Foreseen:
    """What would be said now. A constant number of statements."""
    around = deciding_facts.surroundings(now)
    people = deciding_people.people(contact_ids, around.charter, now)
    if visiting.CHANNEL in wish.channels:
        deciding_people.add_visitors(people, around.visited_since)
    histories = deciding_facts.histories(people, now, now - max(around.charter.reach, OWN_WEEK))
    thoughts = [_Thought(-one, one, slots.of(one), now, now, wish.conditions) for one in people]
    held = deciding_conditions.hold(thoughts, now)
    outcomes: Counter[tuple[str, str]] = Counter()
    channels: Counter[str] = Counter()
    reachable: Counter[str] = Counter()
    for contact_id, person in people.items():
        candidate = Candidate(
            id=-contact_id,
            purpose=wish.purpose,
            wanted=wish.channels,
            due_at=now,
            transactional=wish.purpose in around.service,
            priority=wish.priority,
            conditions=held.get(-contact_id),
        )
        history = histories[contact_id]
        plans = deciding_facts.plans(history, person, around)
        verdict = policy.settle(
            now, [candidate], person, around.charter, around.paused, history.touches, plans
        )[candidate.id]
        outcomes[verdict.action, verdict.reason] += 1
        if verdict.action == SEND:
            channels[verdict.channel] += 1
        for channel in wish.channels:
            reachable[channel] += policy.usable(candidate, person, around.charter, channel)
    return Foreseen(len(people), dict(outcomes), dict(channels), dict(reachable))
