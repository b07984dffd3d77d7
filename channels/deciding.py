"""The pulse that decides: takes the due messages of some people, asks the policy, writes what it said.

It leases the slots it works on, so no two workers decide for one person at once; every message that was
let out before counts, also those decided a moment ago in this batch. So a cap is never exceeded, without
locking a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol

from django.db import connection, transaction

from channels import (
    deciding_conditions,
    deciding_facts,
    deciding_learned,
    deciding_people,
    ledger,
    lifecycle,
    message_events,
    policy,
    policy_places,
    visiting,
)
from channels.deciding_conditions import Wish
from channels.deciding_facts import Row, Surroundings
from channels.ledger import Line
from channels.lifecycle import Ref, State
from channels.message_events import Described
from channels.policy_facts import CANCEL, DROP, EXPIRE, HOLD, SEND, Candidate, Facts, Verdict
from channels.policy_pressure import OWN_WEEK
from contacts import event_log, pulse, slots

#: So many slots at least are taken at once; more only while no other worker needs them.
_FEWEST_SLOTS = 8

_STATES = {
    SEND: State.QUEUED,
    HOLD: State.HELD,
    DROP: State.DROPPED,
    CANCEL: State.CANCELLED,
    EXPIRE: State.EXPIRED,
}
_EVENTS = {HOLD: "Message Held", DROP: "Message Dropped", EXPIRE: "Message Dropped"}


class _Decided(NamedTuple):
    row: Row
    verdict: Verdict
    address: str
    provider_id: int | None


class Leaving(Wish, Described, Protocol):
    """A message about to leave, as delivery holds it; a row of the table will do."""

    @property
    def address(self) -> str: ...
    @property
    def transactional(self) -> bool: ...
    @property
    def deadline_at(self) -> datetime | None: ...


def decide_batch(now: datetime, limit: int = 1000, *, most_slots: int | None = None) -> int:
    """Decide about ``limit`` due messages; returns how many, 0 when nothing is due or free.

    One transaction, a constant number of statements. By default it leases half of the slots that have
    work, so that another worker finds some.
    """
    with transaction.atomic():
        leased = _lease(now, most_slots)
        rows = deciding_facts.due(leased, now, limit) if leased else []
        if not rows:
            return 0
        around = deciding_facts.surroundings(now)
        decided = _decide(rows, around, now)
        _write(decided, around, now)
    return len(decided)


def recheck(messages: Sequence[Leaving], now: datetime) -> dict[int, Verdict]:
    """What has come against messages since they were decided, by id; those that may leave are left out.

    Asks for conditions, deadline, suppression, consent and quiet hours, a set at a time. Call it in the
    transaction that claims them, and hand the answers to ``turn_back``.
    """
    if not messages:
        return {}
    around = deciding_facts.surroundings(now)
    people = deciding_people.people({message.contact_id for message in messages}, around.charter, now)
    held = deciding_conditions.hold(messages, now)
    barred = deciding_people.barred({(message.channel, message.address) for message in messages})
    against: dict[int, Verdict] = {}
    paused = around.paused
    for message in messages:
        person = people.get(message.contact_id)
        if person is None:
            against[message.id] = Verdict(CANCEL, "no_contact", message.channel, trace=[])
            continue
        # What counts is the address it will go to, even if the person has another one by now.
        own = person.suppressed - {message.channel}
        if (message.channel, message.address) in barred:
            own |= {message.channel}
        candidate = Candidate(
            id=message.id,
            purpose=message.purpose,
            wanted=(message.channel,),
            due_at=now,
            transactional=message.transactional or message.purpose in around.service,
            deadline_at=message.deadline_at,
            conditions=held.get(message.id),
            answer=message.origin_kind == "reply",
        )
        place = policy_places.towards(person.place, message.channel, message.address)
        if own != person.suppressed or place != person.place:
            person = replace(person, suppressed=own, place=place)
        facts = Facts(now, candidate, person, around.charter, paused)
        verdict = policy.recheck(facts, message.channel)
        if verdict is not None:
            against[message.id] = replace(verdict, facts=facts)
    return against | _by_their_own_rule(against)


def _by_their_own_rule(against: Mapping[int, Verdict]) -> dict[int, Verdict]:
    """The same asked with what each message says for this case, which only few need: one statement."""
    asked = {key: one.facts for key, one in against.items() if one.facts is not None}
    found: dict[int, Verdict] = {}
    for key, on_hold, wanted in deciding_facts.own_rules(asked):
        facts = replace(asked[key], candidate=replace(asked[key].candidate, on_hold=on_hold, wanted=wanted))
        verdict = policy.recheck(facts, against[key].channel)
        if verdict is not None:
            found[key] = replace(verdict, facts=facts)
    return found


def turn_back(messages: Iterable[Leaving], verdicts: Mapping[int, Verdict], now: datetime) -> set[int]:
    """Move claimed or queued messages to what ``recheck`` said, with ledger and log; returns those moved."""
    concerned = [message for message in messages if message.id in verdicts]
    groups: dict[State, list[Leaving]] = defaultdict(list)
    for message in concerned:
        groups[_STATES[verdicts[message.id].action]].append(message)
    moved: set[int] = set()
    for state, group in groups.items():
        answers = [verdicts[message.id] for message in group]
        moved |= lifecycle.move(
            [Ref(message.id, message.created_at, message.slot) for message in group],
            {State.QUEUED, State.CLAIMED},
            state,
            columns={
                "reason": [answer.reason for answer in answers],
                "due_at": [answer.until for answer in answers],
            },
            every={"lease_until": None},
        )
    done = [(message, verdicts[message.id]) for message in concerned if message.id in moved]
    charter_number = deciding_facts.charter_number(now)
    ledger.keep([Line(message, verdict, charter_number, message.channel) for message, verdict in done], now)
    event_log.append(
        message_events.event(_EVENTS[verdict.action], message, now, reason=verdict.reason)
        for message, verdict in done
        if verdict.action in _EVENTS
    )
    if any(verdict.until is not None and verdict.until <= now for _message, verdict in done):
        transaction.on_commit(partial(pulse.wake, "decide"))
    return moved


def _lease(now: datetime, most: int | None) -> list[int]:
    waiting = deciding_facts.slots_with_work(now)
    with connection.cursor() as cursor:
        return slots.lease(cursor, "decide", waiting, most or max(_FEWEST_SLOTS, -(-len(waiting) // 2)))


def _decide(rows: Sequence[Row], around: Surroundings, now: datetime) -> list[_Decided]:
    by_contact: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_contact[row.contact_id].append(row)
    people = deciding_people.people(by_contact, around.charter, now)
    if any(visiting.CHANNEL in row.wanted for row in rows):
        deciding_people.add_visitors(people, around.visited_since)
    if deciding_learned.wanted(around.charter, rows):
        deciding_learned.add(people)
    histories = deciding_facts.histories(by_contact, now, now - max(around.charter.reach, OWN_WEEK))
    held = deciding_conditions.hold(rows, now)
    decided: list[_Decided] = []
    for contact_id, own in by_contact.items():
        person = people.get(contact_id)
        if person is None:
            gone = Verdict(CANCEL, "no_contact", trace=[["contact", "refuse", {}]])
            decided += [_Decided(row, gone, "", None) for row in own]
            continue
        history = histories[contact_id]
        verdicts = policy.settle(
            now,
            [row.candidate(around, held.get(row.id)) for row in own],
            person,
            around.charter,
            around.paused,
            history.touches,
            deciding_facts.plans(history, person, around),
        )
        for row in own:
            verdict = verdicts[row.id]
            account = around.providers.get(verdict.channel, (None, False))[0]
            address = person.addresses.get(verdict.channel, "") if verdict.action == SEND else ""
            decided.append(_Decided(row, verdict, address, account if verdict.action == SEND else None))
    return decided


def _write(decided: Sequence[_Decided], around: Surroundings, now: datetime) -> None:
    """Move the messages, then keep decisions and events of those that were still there to be moved."""
    moved: set[int] = set()
    decided = [one for one in decided if not _as_before(one, now)]
    for action, state in _STATES.items():
        group = [one for one in decided if one.verdict.action == action]
        moved |= lifecycle.move(
            [one.row.ref for one in group],
            {State.INTENDED, State.HELD},
            state,
            columns={
                "reason": [one.verdict.reason for one in group],
                "channel": [one.verdict.channel for one in group],
                "address": [one.address for one in group],
                "provider_id": [one.provider_id for one in group],
                "due_at": [one.verdict.until or now for one in group],
                **_kept(action, group, around, now),
            },
        )
    done = [one for one in decided if one.row.id in moved]
    lines = [Line(one.row, one.verdict, around.charter.number) for one in done if not _same_pause(one)]
    ledger.keep(lines, now)
    event_log.append(
        message_events.event(
            _EVENTS[one.verdict.action],
            replace(one.row, channel=one.verdict.channel),
            now,
            reason=one.verdict.reason,
        )
        for one in done
        if one.verdict.action in _EVENTS and not (one.verdict.action == HOLD and one.row.state == State.HELD)
    )
    if any(one.verdict.action == SEND for one in done):
        transaction.on_commit(partial(pulse.wake, "deliver"))


def _as_before(one: _Decided, now: datetime) -> bool:
    """Whether a held message that competed before its time has won nothing by it: it stays as it is."""
    until = one.verdict.until
    return (
        one.verdict.action == HOLD and one.row.due_at > now and until is not None and until >= one.row.due_at
    )


def _kept(
    action: str, group: Sequence[_Decided], around: Surroundings, now: datetime
) -> dict[str, list[Any]]:
    """What later decisions need to know: the tags with which it left, or since when it is held."""
    if action == SEND:
        tags = [around.tags_of(one.row.content).get(one.verdict.channel, ()) for one in group]
        return {"tags": [",".join(sorted(own)) for own in tags]} if any(tags) else {}
    return {"held_since": [one.row.held_since or now for one in group]} if action == HOLD else {}


def _same_pause(one: _Decided) -> bool:
    """A paused provider is looked at again and again; the ledger needs it once."""
    return one.verdict.reason == "paused" == one.row.reason and one.row.state == State.HELD
