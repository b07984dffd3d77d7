"""Taking decisions again: the same facts, the charter of then, the policy of the program as it runs now."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from channels import charter, charter_rules, policy_kept
from channels.charter_parts import Charter
from channels.ledger import OUTCOMES
from channels.models import CharterVersion, Decision
from channels.policy_facts import Verdict

SAME, DIFFERENT = "same", "different"
#: Nothing was asked: called off by its journey, the contact gone, or kept before facts were.
NOT_ASKED = "not_asked"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Retold:
    """An answer of the policy, in the form of a line of the ledger."""

    outcome: int
    reason: str
    channel: str
    until: datetime | None
    trace: list[Any]


class Replay(NamedTuple):
    """How taking it again ended; ``differs`` names what is not as it was, ``now`` is today's answer."""

    status: str
    now: Retold | None = None
    differs: tuple[str, ...] = ()


@dataclass(slots=True)
class Sample:
    """What taking some decisions again gave: how many were, by status, and which were different."""

    counts: dict[str, int] = field(default_factory=dict)
    different: list[int] = field(default_factory=list)

    @property
    def checked(self) -> int:
        return self.counts.get(SAME, 0) + self.counts.get(DIFFERENT, 0)


def replay(decision: Decision) -> Replay:
    """Take one decision again."""
    return replays([decision])[decision.pk]


def replays(decisions: Iterable[Decision]) -> dict[int, Replay]:
    """Take decisions again, by id. One statement for their charters, whatever the number."""
    asked = list(decisions)
    charters = _charters({one.charter_number for one in asked if one.charter_number is not None})
    return {one.pk: _replay(one, charters) for one in asked}


def sample(now: datetime, size: int = 200, within: timedelta = timedelta(days=2), seed: int = 0) -> Sample:
    """Take some of the latest decisions again, chosen by chance: so many at most. Three statements."""
    latest = Decision.objects.filter(decided_at__gt=now - within, decided_at__lte=now)
    newest = latest.order_by("-id").values_list("id", flat=True).first()
    oldest = latest.order_by("id").values_list("id", flat=True).first()
    found = Sample()
    if newest is None or oldest is None:
        return found
    span = range(oldest, newest + 1)
    chance = random.Random(seed or now.timestamp())  # noqa: S311 a sample, no secret
    ids = span if len(span) <= size else chance.sample(span, size)
    for decision_id, one in replays(latest.filter(id__in=list(ids))).items():
        found.counts[one.status] = found.counts.get(one.status, 0) + 1
        if one.status == DIFFERENT:
            found.different.append(decision_id)
    return found


def _charters(numbers: Collection[int]) -> dict[int | None, Charter]:
    found: dict[int | None, Charter] = {None: charter_rules.parse(charter.DEFAULT)}
    for version in CharterVersion.objects.filter(number__in=numbers):
        found[version.number] = charter_rules.parse(version.rules, version.number)
    return found


def _replay(decision: Decision, charters: dict[int | None, Charter]) -> Replay:
    ruled = charters.get(decision.charter_number)
    if decision.facts is None:
        return Replay(NOT_ASKED)
    if ruled is None:
        return Replay(UNREADABLE)
    try:
        verdict = policy_kept.again(policy_kept.unpack(bytes(decision.facts)), ruled)
    except policy_kept.UnreadableError:
        return Replay(UNREADABLE)
    if verdict is None:
        return Replay(DIFFERENT, None, ("outcome",))
    now = _retold(verdict)
    differs = tuple(
        name
        for name in ("outcome", "reason", "channel", "until", "trace")
        if _said(getattr(now, name)) != _said(getattr(decision, name))
    )
    return Replay(DIFFERENT if differs else SAME, now, differs)


def _retold(verdict: Verdict) -> Retold:
    # As the table gives it back: what JSON has no word for is a list or a text.
    trace = msgspec.json.decode(msgspec.json.encode(verdict.trace or []))
    return Retold(int(OUTCOMES[verdict.action]), verdict.reason, verdict.channel, verdict.until, trace)


def _said(value: Any) -> Any:
    """What an answer says by itself: how a message came to its turn among others is no part of it."""
    if isinstance(value, list) and value and isinstance(value[0], list) and value[0][:1] == ["arbitration"]:
        return value[1:]
    return value
