"""Lets the policy decide about replayed messages: the same function, on facts of the instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from channels import deciding_conditions, deciding_past, policy
from channels.deciding_past import Past
from channels.policy_facts import CANCEL, HOLD, SEND, Candidate, Person, Planned, Touch, Verdict
from journeys.backtest.lives import Letter, Life, Said


def decide(due: Sequence[tuple[Life, datetime]], past: Past) -> None:
    """Decide about the messages of these people that are due, each person at an instant of their own."""
    ripe = [(life, at, letters) for life, at in due if (letters := _ripe(life, at))]
    asked = [(letter, at) for _life, at, letters in ripe for letter in letters]
    held = deciding_conditions.hold(
        [letter for letter, _at in asked], {letter.id: at for letter, at in asked}
    )
    for life, at, letters in ripe:
        _settle(life, letters, at, held, past)


def _settle(life: Life, ripe: Sequence[Letter], at: datetime, held: Mapping[int, bool], past: Past) -> None:
    charter = past.charter(at)
    person = past.person(life.contact_id, at)
    if person is None:
        for letter in ripe:
            _say(letter, at, Verdict(CANCEL, "no_contact"))
        return
    verdicts = policy.settle(
        at,
        [_candidate(letter, past, held.get(letter.id)) for letter in ripe],
        person,
        charter,
        past.providers,
        past.touches(life.contact_id, at, deciding_past.reach(charter)) + _own_touches(life),
        past.planned(life.contact_id, at) + _waiting(life, at, person, past),
    )
    for letter in ripe:
        if not _as_before(letter, verdicts[letter.id], at):
            _say(letter, at, verdicts[letter.id])


def _ripe(life: Life, at: datetime) -> list[Letter]:
    """What is due, and with it what is held and takes the place that has become free, as in life."""
    due = {letter.id for letter in life.letters if letter.due_at is not None and letter.due_at <= at}
    if not due:
        return []
    return [
        letter
        for letter in life.letters
        if letter.id in due or (letter.due_at is not None and letter.competes)
    ]


def _as_before(letter: Letter, verdict: Verdict, at: datetime) -> bool:
    """Whether a held message that competed before its time has won nothing by it."""
    due, until = letter.due_at, verdict.until
    return verdict.action == HOLD and due is not None and due > at and until is not None and until >= due


def _candidate(letter: Letter, past: Past, holds: bool | None) -> Candidate:
    return Candidate(
        id=letter.id,
        purpose=letter.purpose,
        wanted=letter.wanted,
        due_at=letter.due_at or letter.created_at,
        transactional=letter.transactional or letter.purpose in past.service,
        priority=letter.priority,
        value=letter.value,
        on_hold=letter.on_hold,
        deadline_at=letter.deadline_at,
        conditions=holds,
        tags=letter.tags,
        held_since=letter.held_since,
        smart_channel=letter.smart_channel,
        best_by=letter.best_by,
        wanted_at=letter.created_at,
    )


def _own_touches(life: Life) -> list[Touch]:
    return [
        Touch(
            letter.channel,
            letter.purpose,
            letter.sent_at,
            letter.transactional,
            letter.tags.get(letter.channel, frozenset()),
        )
        for letter in life.letters
        if letter.sent_at is not None
    ]


def _waiting(life: Life, at: datetime, person: Person, past: Past) -> list[Planned]:
    """Replayed messages of this person that are to be looked at later."""
    return [
        Planned(
            letter.id,
            letter.channel or policy.likely_channel(_candidate(letter, past, None), person, past.charter(at)),
            letter.due_at,
            letter.transactional,
        )
        for letter in life.letters
        if letter.due_at is not None and letter.due_at > at
    ]


def _say(letter: Letter, at: datetime, verdict: Verdict) -> None:
    letter.said.append(Said(at, verdict.action, verdict.reason, verdict.channel, verdict.until))
    letter.channel = verdict.channel
    letter.due_at = (verdict.until or at) if verdict.action == HOLD else None


def call_off(life: Life, run_id: int, reason: str, at: datetime) -> None:
    """Take back what a run wanted and what has not left."""
    for letter in life.letters:
        if letter.run_id == run_id and letter.due_at is not None:
            letter.said.append(Said(at, CANCEL, reason, letter.channel, None))
            letter.due_at = None


__all__ = ["SEND", "call_off", "decide"]
