"""Writing down what became of parcels: states, attempts and log events, a set at a time."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from channels import lifecycle, retry
from channels.delivery_claim import LEASE, Claimed
from channels.delivery_parcels import Fault
from channels.lifecycle import State
from channels.message_events import event
from channels.models.provider import Channel
from channels.providers.base import Outcome, Result
from contacts import consent, event_log
from contacts.crashpoints import crashpoint
from contacts.models import ChannelAddress, Suppression

_ATTEMPT = (
    "started_at", "message_id", "message_created_at", "finished_at", "provider_id", "slot", "number",
    "outcome", "code", "detail",
)  # fmt: skip
_ATTEMPT_TYPES = [
    "timestamptz", "int8", "timestamptz", "timestamptz", "int4", "int2", "int2", "text", "text", "text",
]  # fmt: skip
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
    with transaction.atomic():
        held = lifecycle.move(
            [message.ref for message in messages],
            State.CLAIMED,
            State.TRANSMITTING,
            fences=[message.fence for message in messages],
            every={"lease_until": now + LEASE},
        )
    crashpoint("deliver.transmitting")
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
) -> int:
    """Record the provider's answers; returns how many messages it accepted. One short transaction."""
    answered = [message for message in messages if message.id in answers]
    ends = {
        message.id: _end(message, answers[message.id], now, honours_key=honours_key) for message in answered
    }
    crashpoint("deliver.answered")
    with transaction.atomic():
        moved: set[int] = set()
        for state in {end.state for end in ends.values()}:
            going = [message for message in answered if ends[message.id].state is state]
            moved |= _move(going, state, ends, answers, account_id, now)
        done = [message for message in answered if message.id in moved]
        _write_attempts(done, answers, account_id, started_at, now)
        event_log.append(_events(done, ends, now))
        _end_addresses([message for message in done if answers[message.id].address_ended], now)
    crashpoint("deliver.recorded")
    return sum(1 for message in done if ends[message.id].state is State.ACCEPTED)


def give_back(messages: Sequence[Claimed], now: datetime, wait: timedelta) -> None:
    """Return messages that were not begun, without counting an attempt."""
    lifecycle.move(
        [message.ref for message in messages],
        State.CLAIMED,
        State.QUEUED,
        fences=[message.fence for message in messages],
        columns={"attempts": [message.attempts - 1 for message in messages]},
        every={"due_at": now + wait, "lease_until": None},
    )


def _end(message: Claimed, answer: Result, now: datetime, *, honours_key: bool) -> _End:
    if answer.outcome is Outcome.ACCEPTED:
        return _End(State.ACCEPTED)
    if answer.outcome is Outcome.REFUSED:
        return _End(State.REJECTED, answer.code)
    if answer.outcome is Outcome.UNCERTAIN and not honours_key:
        return _End(State.UNCERTAIN, "no_answer")
    schedule = retry.TRANSACTIONAL if message.transactional else retry.MARKETING
    due_at = retry.next_attempt(
        schedule, message.attempts, now,
        chance=random.random(), retry_after=answer.retry_after,  # noqa: S311 (spreads load, guards nothing)
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
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY channels_attempt ({', '.join(_ATTEMPT)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(_ATTEMPT_TYPES)
        for message in messages:
            answer = answers[message.id]
            copy.write_row(
                (
                    started_at, message.id, message.created_at, now, account_id, message.slot,
                    message.attempts, answer.outcome.value, answer.code,
                    answer.detail.replace("\x00", "")[:1000],
                )
            )  # fmt: skip


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
