"""Taking decisions again: the same facts, the charter of then, the policy of the program as it runs now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
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


def replay(decision: Decision) -> Replay:
    """Take one decision again."""
    return replays([decision])[decision.pk]


def replays(decisions: Iterable[Decision]) -> dict[int, Replay]:
    """Take decisions again, by id. One statement for their charters, whatever the number."""
    asked = list(decisions)
    charters = _charters({one.charter_number for one in asked if one.charter_number is not None})
    return {one.pk: _replay(one, charters) for one in asked}


def sample(after: int, upto: int, since: datetime, most: int) -> list[tuple[Decision, Replay]]:
    """Take some of the decisions with ids in (after, upto] again: ``most`` at most, evenly spread.

    Those before ``since`` are left out. Three statements.
    """
    there = Decision.objects.filter(id__gt=after, id__lte=upto, decided_at__gt=since)
    ids = list(there.order_by("id").values_list("id", flat=True))
    found = list(there.filter(id__in=ids[:: max(1, -(-len(ids) // most))]))
    again = replays(found)
    return [(one, again[one.pk]) for one in found]


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
