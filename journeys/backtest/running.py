"""Keeps backtests as work for pulses: asked, played lot by lot, counted together, kept for a while.

A lot is played in a transaction that may only read, and its result is kept by the next one. So a death at
any point costs one lot, which is played anew, and nothing else is ever written. Any number of workers share
the lots: each takes one that nobody else is playing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.contrib.auth.models import AbstractBaseUser
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, Q

from contacts import pulse, slots
from contacts.crashpoints import crashpoint
from journeys import graph
from journeys.backtest import arriving, replaying, stories, tally
from journeys.backtest.arriving import CannotReplayError
from journeys.backtest.question import LINE, Question
from journeys.backtest.stories import Line
from journeys.models import BacktestPart, BacktestRun, Journey, JourneyVersion

Clock = Callable[[], datetime]
State = BacktestRun.State

DRAFT = "draft"
KEPT = timedelta(days=30)
LONGEST = timedelta(days=92)
#: People whose logs are in memory at once.
CROWD = 4000
#: How many of the 64 lots a sample may have.
SAMPLES = (1, 4, 16, slots.SLOTS)
#: Backtests of one installation that may run at once.
MOST_RUNNING = 5
_LOCK = 0x5E60BACC & 0x7FFFFFFF
_LOOK = 1.0
"Seconds after which a worker asks whether the backtest is still wanted."


class CannotAskError(ValueError):
    """The question cannot be asked; the text says why."""


def ask(
    journey: Journey,
    version: JourneyVersion | None,
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    lots: int = slots.SLOTS,
    line: int = LINE,
    prices: Mapping[str, float] | None = None,
    user: AbstractBaseUser | None = None,
) -> BacktestRun:
    """Begin a backtest of ``version``, or of the draft. Raises GraphError, CannotAskError."""
    data = version.graph if version else journey.draft
    found = graph.parse(data)
    if not (found.trigger.event or found.trigger.inactive_days):
        raise CannotAskError("of this trigger the log keeps no trace, so it cannot be played")
    if not start < end <= now:
        raise CannotAskError("the time must lie in the past, and begin before it ends")
    if end - start > LONGEST:
        raise CannotAskError(f"the time may be at most {LONGEST.days} days long")
    if lots not in SAMPLES:
        raise CannotAskError(f"so many lots can be asked: {', '.join(map(str, SAMPLES))}")
    with transaction.atomic():
        if BacktestRun.objects.filter(state=State.RUNNING).count() >= MOST_RUNNING:
            raise CannotAskError("others are running: wait for them, or cancel one")
        run = BacktestRun.objects.create(
            journey=journey,
            label=f"version {version.number}" if version else DRAFT,
            graph=data,
            start=start,
            end=end,
            lots=lots,
            line=line,
            prices=dict(prices or {}),
            created_at=now,
            created_by_id=user.pk if user else None,
            expires_at=now + KEPT,
        )
        # Spread over the lots, so that a sample is of old and new contacts alike.
        step = slots.SLOTS // lots
        BacktestPart.objects.bulk_create(BacktestPart(run=run, slot=lot * step) for lot in range(lots))
        transaction.on_commit(lambda: pulse.wake("backtests"))
    return run


def question(run: BacktestRun) -> Question:
    """What a backtest asks."""
    return Question(
        graph.parse(run.graph),
        run.journey_id,
        run.start,
        run.end,
        list(run.parts.order_by("slot").values_list("slot", flat=True)),
        run.line,
        run.prices,
    )


def work(clock: Clock, *, seconds: float) -> int:
    """Play lots until none is left or ``seconds`` have passed; returns how many."""
    played, until = 0, time.monotonic() + seconds
    while time.monotonic() < until and _play_one(clock):
        played += 1
    return played


def _play_one(clock: Clock) -> bool:
    """Play one lot that nobody else is playing."""
    part = _take()
    if part is None:
        return False
    try:
        _play(part, clock)
    finally:
        _let_go(part.pk)
    return True


def _play(part: BacktestPart, clock: Clock) -> None:
    try:
        run, result = _played(part)
    except (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 (a graph that cannot be played must not stop the others)
        _give_up(part, f"{type(error).__name__}: {error}", clock())
        return
    crashpoint("backtest.played")
    if result is not None:
        _keep(part, run, result, clock())


def _take() -> BacktestPart | None:
    """A part without result whose lock is free. The lock is the session's, and ends with it."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT p.id FROM journeys_backtestpart p JOIN journeys_backtestrun r ON r.id = p.run_id"
            " WHERE r.state = 'running' AND p.result IS NULL ORDER BY r.id, p.slot"
        )
        for (part_id,) in cursor.fetchall():
            cursor.execute("SELECT pg_try_advisory_lock(%b::int4, %b::int4)", [_LOCK, part_id])
            if (cursor.fetchone() or (False,))[0]:
                open_ = BacktestPart.objects.filter(pk=part_id, result__isnull=True)
                part = open_.select_related("run").first()
                if part and part.run.state == State.RUNNING:
                    return part
                _let_go(part_id)
    return None


def _let_go(part_id: int) -> None:
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%b::int4, %b::int4)", [_LOCK, part_id])


def _played(part: BacktestPart) -> tuple[BacktestRun, tally.Tally | None]:
    """The result of one lot; None where nobody wants it any more."""
    with transaction.atomic():
        _only_read()
        return part.run, _tallied(question(part.run), part)


def _only_read() -> None:
    # Whatever a step, a rule or a mistake of ours may try: here nothing can be written.
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")


def _tallied(asked: Question, part: BacktestPart) -> tally.Tally | None:
    looked = time.monotonic()

    def wanted() -> bool:
        nonlocal looked
        if time.monotonic() - looked < _LOOK:
            return True
        looked = time.monotonic()
        return BacktestRun.objects.filter(pk=part.run_id, state=State.RUNNING).exists()

    found = tally.empty()
    for people in arriving.crowds(asked, [part.slot], CROWD):
        replay = replaying.play(asked, people, wanted)
        tally.add(found, tally.of(asked, people, replay.past.received))
        people.clear()
    return found if BacktestRun.objects.filter(pk=part.run_id, state=State.RUNNING).exists() else None


def _keep(part: BacktestPart, run: BacktestRun, result: tally.Tally, now: datetime) -> None:
    with transaction.atomic():
        BacktestPart.objects.filter(pk=part.pk, result__isnull=True).update(result=result)
    with transaction.atomic():
        locked = BacktestRun.objects.select_for_update().get(pk=run.pk)
        if locked.state == State.RUNNING and not locked.parts.filter(result__isnull=True).exists():
            _finish(locked, now)


def _finish(run: BacktestRun, now: datetime) -> None:
    """Count the lots together; what they were is not needed any more."""
    run.result = total(run)
    run.state, run.finished_at = State.DONE, now
    run.save(update_fields=["result", "state", "finished_at"])


def total(run: BacktestRun) -> tally.Tally:
    """What is known so far, of the lots that are played."""
    found = tally.empty()
    for result in run.parts.exclude(result__isnull=True).order_by("slot").values_list("result", flat=True):
        tally.add(found, result or {})
    return found


def _give_up(part: BacktestPart, cause: str, now: datetime) -> None:
    BacktestRun.objects.filter(pk=part.run_id, state=State.RUNNING).update(
        state=State.FAILED, error=cause[:2000].replace("\x00", ""), finished_at=now
    )


def cancel(run: BacktestRun, now: datetime) -> bool:
    """End a running backtest; workers let go of it within a second or so. False where it had ended."""
    return bool(
        BacktestRun.objects.filter(pk=run.pk, state=State.RUNNING).update(
            state=State.CANCELLED, finished_at=now
        )
    )


def progress(run: BacktestRun) -> tuple[int, int]:
    """Lots that are played, and all."""
    counted = run.parts.aggregate(done=Count("id", filter=Q(result__isnull=False)), every=Count("id"))
    return counted["done"], counted["every"]


def expire(now: datetime) -> int:
    """Delete what was kept long enough."""
    deleted, _by_table = BacktestRun.objects.filter(expires_at__lte=now).delete()
    return deleted


def story(run: BacktestRun, contact_id: int) -> list[Line]:
    """What would have happened to one person, played anew."""
    asked = question(run)
    try:
        people = arriving.one(asked, contact_id)
    except CannotReplayError:
        return []
    if not people:
        return []
    replaying.play(asked, people)
    return stories.of(people[0])


def rates(run: BacktestRun) -> dict[str, dict[str, Any]]:
    """What history says of each channel in that time: messages that left, and shares opened and clicked."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT channel, count(*), count(opened_at), count(clicked_at) FROM channels_message"
            " WHERE state = 6 AND created_at >= %b AND created_at < %b AND channel <> '' GROUP BY channel",
            [run.start, run.end],
        )
        return {
            channel: {"sent": sent, "opened": opened / sent, "clicked": clicked / sent}
            for channel, sent, opened, clicked in cursor.fetchall()
        }
