"""Lets the real engine, policy and delivery live through a time, instant by instant, without any delay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Min, QuerySet

from channels import deciding
from channels.delivery import Crew
from channels.models import Message
from journeys import engine, triggers
from journeys.models import EndpointCall, Run

Happening = tuple[datetime, Callable[[datetime], object]]


def live_through(happenings: Sequence[Happening], end: datetime) -> None:
    """What happens, and all that the pulses do about it at once, until before ``end``."""
    waiting = sorted(happenings, key=lambda one: one[0])
    crew = Crew(connections=1)
    while (now := _next([at for at, _act in waiting[:1]])) is not None and now < end:
        while waiting and waiting[0][0] <= now:
            waiting.pop(0)[1](now)
        settle(crew, now)


def settle(crew: Crew, now: datetime) -> None:
    while True:
        done = 0
        while moved := triggers.follow(now) + engine.advance(now) + _answer(now):
            done += moved
        # Most instants have no message, and these two would look for a long time.
        if _waiting().filter(due_at__lte=now).exists():
            while decided := deciding.decide_batch(now, most_slots=64):
                done += decided
            while sent := _deliver(crew, now):
                done += sent
        if not done:
            return


def _answer(now: datetime) -> int:
    """Endpoints answer at once and say nothing, as a replay takes them to."""
    asked = list(EndpointCall.objects.filter(state=EndpointCall.State.WAITING))
    for call in asked:
        EndpointCall.objects.filter(pk=call.pk).update(
            state=EndpointCall.State.ANSWERED, status=200, answer={}, due_at=None, ended_at=now
        )
        Run.objects.filter(pk=call.run_id, state=1, step=call.step, visit=call.visit).update(due_at=now)
    return len(asked)


def _deliver(crew: Crew, now: datetime) -> int:
    return crew.deliver(lambda: now, share=False)


def _next(times: list[datetime]) -> datetime | None:
    runs = Run.objects.filter(state=Run.State.LIVE).aggregate(due=Min("due_at"))["due"]
    messages = _waiting().aggregate(due=Min("due_at"))["due"]
    return min([*times, *(each for each in (runs, messages) if each)], default=None)


def _waiting() -> QuerySet[Message]:
    """Intended, held and queued ones."""
    return Message.objects.filter(state__in=(1, 2, 3))
