"""Writing down what became of parcels: states, attempts and log events, a set at a time."""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from channels import flow_rules, lifecycle, retry
from channels.delivery_claim import LEASE, Claimed
from channels.delivery_parcels import Fault
from channels.lifecycle import State
from channels.message_events import event
from channels.models.provider import Channel
from channels.providers.base import Outcome, Result
from channels.retry import Schedule
from contacts import consent, copying, event_log
from contacts.crashpoints import crashpoint
from contacts.models import ChannelAddress, Suppression

_UNDERWAY = (State.CLAIMED, State.TRANSMITTING)


@dataclass(frozen=True, slots=True)
class _End:
    """Where one message goes next."""

    state: State
    reason: str = ""
    due_at: datetime | None = None


def transmitting(messages: Sequence[Claimed], now: datetime) -> set[int]:
    """Mark, durably, that the messages are about to be handed over; returns those still ours."""
    crashpoint("deliver.packed")
    with transaction.atomic(savepoint=False):
        held = lifecycle.move(
            [message.ref for message in messages],
            State.CLAIMED,
            State.TRANSMITTING,
            fences=[message.fence for message in messages],
            every={"lease_until": now + LEASE},
        )
    return held


def faults(messages: Sequence[Claimed], found: Mapping[int, Fault], now: datetime) -> int:
    """End the messages that cannot be written; their addresses too, where those are to blame."""
    broken = [message for message in messages if message.id in found]
    if not broken:
        return 0
    with transaction.atomic():
        moved = lifecycle.move(
            [message.ref for message in broken],
            State.CLAIMED,
            State.REJECTED,
            fences=[message.fence for message in broken],
            columns={"reason": [found[message.id].code for message in broken]},
        )
        ended = [message for message in broken if message.id in moved]
        invalid = [message for message in ended if found[message.id].address_invalid]
        consent.suppress(
            ((message.channel, message.address) for message in invalid), Suppression.Reason.INVALID, now
        )
        results = {
            message.id: Result(Outcome.REFUSED, found[message.id].code, found[message.id].detail)
            for message in ended
        }
        _write_attempts(ended, results, 0, now, now)
        event_log.append(
            event("Message Failed", message, now, reason=found[message.id].code) for message in ended
        )
    return len(ended)


def results(
    messages: Sequence[Claimed],
    answers: Mapping[int, Result],
    account_id: int,
    started_at: datetime,
    now: datetime,
    *,
    honours_key: bool,
    schedules: tuple[Schedule, Schedule] = (retry.MARKETING, retry.TRANSACTIONAL),
) -> int:
    """Record the provider's answers; returns how many messages it accepted. One short transaction."""
    answered = [message for message in messages if message.id in answers]
    later = Counter(
        flow_rules.domain_of(message.address)
        for message in answered
        if answers[message.id].outcome is Outcome.TRY_LATER
    )
    ends = {
        message.id: _end(
            message, answers[message.id], now, schedules[message.transactional],
            honours_key=honours_key, crowd=later[flow_rules.domain_of(message.address)] if later else 1,
        )
        for message in answered
    }  # fmt: skip
    crashpoint("deliver.answered")
    with transaction.atomic(savepoint=False):
        moved: set[int] = set()
        for state in {end.state for end in ends.values()}:
            going = [message for message in answered if ends[message.id].state is state]
            moved |= _move(going, state, ends, answers, account_id, now)
        done = [message for message in answered if message.id in moved]
        tried = [message for message in done if answers[message.id].begun]
        _write_attempts(tried, answers, account_id, started_at, now)
        event_log.append(_events(done, ends, now))
        _end_addresses([message for message in done if answers[message.id].address_ended], now)
    return sum(1 for message in done if ends[message.id].state is State.ACCEPTED)


def give_back(messages: Sequence[Claimed], now: datetime, wait: timedelta, *, marked: bool = False) -> None:
    """Return messages that were not begun, without counting an attempt; those ``marked`` for nothing too."""
    lifecycle.move(
        [message.ref for message in messages],
        _UNDERWAY if marked else State.CLAIMED,
        State.QUEUED,
        fences=[message.fence for message in messages],
        columns={"attempts": [message.attempts - 1 for message in messages]},
        every={"due_at": now + wait, "lease_until": None},
    )


def _end(
    message: Claimed, answer: Result, now: datetime, schedule: Schedule, *, honours_key: bool, crowd: int
) -> _End:
    if answer.outcome is Outcome.ACCEPTED:
        return _End(State.ACCEPTED)
    if answer.outcome is Outcome.REFUSED:
        return _End(State.REJECTED, answer.code)
    if answer.outcome is Outcome.UNCERTAIN and not honours_key:
        return _End(State.UNCERTAIN, "no_answer")
    if not answer.begun:
        wait = timedelta(seconds=retry.believed(answer.retry_after))
        return _End(State.QUEUED, answer.code, now + wait)
    due_at = retry.next_attempt(
        schedule, message.attempts, now,
        chance=random.random(), retry_after=answer.retry_after, crowd=crowd,  # noqa: S311 (spreads load, guards nothing)
    )  # fmt: skip
    if due_at is None:
        return _End(State.REJECTED, "attempts_used")
    if message.deadline_at is not None and due_at > message.deadline_at:
        return _End(State.EXPIRED, "deadline")
    return _End(State.QUEUED, answer.code, due_at)


def _move(
    going: Sequence[Claimed],
    state: State,
    ends: Mapping[int, _End],
    answers: Mapping[int, Result],
    account_id: int,
    now: datetime,
) -> set[int]:
    columns: dict[str, Sequence[Any]] = {"reason": [ends[message.id].reason for message in going]}
    every: dict[str, Any] = {"lease_until": None}
    if state is State.ACCEPTED:
        columns["provider_message_id"] = [answers[message.id].provider_message_id for message in going]
        every |= {"accepted_at": now, "provider_id": account_id}
    elif state is State.UNCERTAIN:
        every |= {"provider_id": account_id}
    elif state is State.QUEUED:
        columns["due_at"] = [ends[message.id].due_at for message in going]
        columns["attempts"] = [message.attempts - (not answers[message.id].begun) for message in going]
    # Accepted or unknown can only be what was marked as being handed over.
    sources = State.TRANSMITTING if state in (State.ACCEPTED, State.UNCERTAIN) else _UNDERWAY
    return lifecycle.move(
        [message.ref for message in going],
        sources,
        state,
        fences=[message.fence for message in going],
        columns=columns,
        every=every,
    )


def _events(done: Sequence[Claimed], ends: Mapping[int, _End], now: datetime) -> list[event_log.NewEvent]:
    found = []
    for message in done:
        end = ends[message.id]
        if end.state is State.ACCEPTED:
            found.append(event("Message Sent", message, now))
        elif end.state in (State.REJECTED, State.EXPIRED):
            found.append(event("Message Failed", message, now, reason=end.reason))
    return found


def _write_attempts(
    messages: Sequence[Claimed],
    answers: Mapping[int, Result],
    account_id: int,
    started_at: datetime,
    now: datetime,
) -> None:
    if not messages:
        return
    front = _when(8, copying.instant(started_at))
    rest = _when(8, copying.instant(now)) + _account(4, account_id)
    parts = [copying.HEADER]
    for message in messages:
        answer = answers[message.id]
        parts += (
            _fields(10),
            front,
            _whose(8, message.id, 8, copying.instant(message.created_at)),
            rest,
            _which(2, message.slot, 2, message.attempts),
            copying.text(answer.outcome.value),
            copying.text(answer.code),
            copying.text(answer.detail.replace("\x00", "")[:1000]),
        )
    parts.append(copying.TRAILER)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(b"".join(parts))


# Ten fields: when it began; whose; when it ended and by which account; slot and number; three texts.
_COPY = (
    "COPY channels_attempt (started_at, message_id, message_created_at, finished_at, provider_id, slot,"
    " number, outcome, code, detail) FROM STDIN (FORMAT BINARY)"
)
_fields = struct.Struct("!h").pack
_when = struct.Struct("!iq").pack
_whose = struct.Struct("!iq iq").pack
_account = struct.Struct("!ii").pack
_which = struct.Struct("!ih ih").pack


def _end_addresses(messages: Sequence[Claimed], now: datetime) -> None:
    """Never write again to mailboxes that do not exist and subscriptions that have ended."""
    if not messages:
        return
    pushed = [message.address for message in messages if message.channel == Channel.PUSH]
    if pushed:
        ChannelAddress.objects.filter(channel=Channel.PUSH, address__in=pushed, active=True).update(
            active=False, ended_at=now
        )
    consent.suppress(
        ((message.channel, message.address) for message in messages if message.channel != Channel.PUSH),
        Suppression.Reason.HARD_BOUNCE,
        now,
    )
