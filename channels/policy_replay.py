"""Plays the messages that one person was wanted to get under a charter, from first to last. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from channels import policy
from channels.charter_parts import Charter
from channels.policy_facts import CANCEL, HOLD, SEND, Candidate, Person, Planned, Touch

#: What becomes of a message when it is not decided for good: it still waits, or was called off meanwhile.
WAITS, OFF = "waits", "off"
#: So many looks at one person's messages are enough: rules that chase each other end here.
_MOST_LOOKS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message as it was wanted: first looked at when due, and called off at ``ends`` if it still waits."""

    candidate: Candidate
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one message: ``what`` is an action of the policy, WAITS or OFF."""

    what: str
    at: datetime
    channel: str = ""
    reason: str = ""


def play(
    wanted: Iterable[Wanted],
    person_at: Callable[[datetime], Person | None],
    charter: Charter,
    providers: Mapping[str, bool],
    touches: Sequence[Touch],
    until: datetime,
    most: int = _MOST_LOOKS,
) -> dict[int, Fate]:
    """The fate of each message by id, as of ``until``. ``touches`` are messages beside these.

    After ``most`` looks what is left counts as waiting.
    """
    waiting = {one.candidate.id: one for one in wanted}
    due = {one.candidate.id: one.candidate.due_at for one in waiting.values()}
    fates: dict[int, Fate] = {}
    sent = list(touches)
    for _look in range(most):
        now = min(due.values(), default=None)
        if now is None or now > until:
            break
        _call_off(waiting, due, fates, now)
        person = person_at(now)
        # What is held competes with what is due, as in life.
        asked = [
            one.candidate
            for one in waiting.values()
            if due[one.candidate.id] <= now or one.candidate.held_since
        ]
        if not asked:
            continue
        later = [
            _planned(one.candidate, due[key], person, charter)
            for key, one in waiting.items()
            if one.candidate not in asked
        ]
        if person is None:
            verdicts = {}
        else:
            known = [touch for touch in sent if touch.at <= now]
            verdicts = policy.settle(now, asked, person, charter, providers, known, later)
        for candidate in asked:
            verdict = verdicts.get(candidate.id)
            if verdict is not None and verdict.action == HOLD and verdict.until is not None:
                one = waiting[candidate.id]
                held = replace(candidate, held_since=candidate.held_since or now)
                waiting[candidate.id] = replace(one, candidate=held)
                due[candidate.id] = verdict.until
                continue
            del waiting[candidate.id], due[candidate.id]
            if verdict is None:
                fates[candidate.id] = Fate(CANCEL, now, reason="no_contact")
                continue
            fates[candidate.id] = Fate(verdict.action, now, verdict.channel, verdict.reason)
            if verdict.action == SEND:
                tags = candidate.tags_on(verdict.channel)
                sent.append(Touch(verdict.channel, candidate.purpose, now, candidate.transactional, tags))
    _call_off(waiting, due, fates, until)
    return fates | {key: Fate(WAITS, at) for key, at in due.items()}


def _call_off(
    waiting: dict[int, Wanted], due: dict[int, datetime], fates: dict[int, Fate], now: datetime
) -> None:
    for key in [key for key, one in waiting.items() if one.ends is not None and one.ends <= now]:
        fates[key] = Fate(OFF, waiting[key].ends or now)
        del waiting[key], due[key]


def _planned(candidate: Candidate, at: datetime, person: Person | None, charter: Charter) -> Planned:
    channel = policy.likely_channel(candidate, person, charter) if person else ""
    return Planned(candidate.id, channel, at, candidate.transactional)
