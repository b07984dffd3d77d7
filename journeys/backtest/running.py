"""Backtests from the asker's side: asked, followed, cancelled, read, and forgotten after a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection, transaction
from django.db.models import Count, Q

from contacts import pulse, slots
from journeys import graph
from journeys.backtest import arriving, replaying, stories, tally
from journeys.backtest.question import LINE, Question
from journeys.backtest.stories import Line
from journeys.models import BacktestPart, BacktestRun, Journey, JourneyVersion

State = BacktestRun.State

DRAFT = "draft"
KEPT = timedelta(days=30)
LONGEST = timedelta(days=92)
#: How many of the 64 lots a sample may have.
SAMPLES = (1, 4, 16, slots.SLOTS)
#: Backtests of one installation that may run at once.
MOST_RUNNING = 5


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
    user: AbstractBaseUser | AnonymousUser | None = None,
) -> BacktestRun:
    """Begin a backtest of ``version``, or of the draft. Raises GraphError, CannotAskError."""
    data = version.graph if version else journey.draft
    graph.parse(data)
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


def finish(run: BacktestRun, now: datetime) -> None:
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
    people = arriving.one(asked, contact_id)
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
