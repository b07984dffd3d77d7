"""The work on backtests: some lots of contacts are played in a transaction that may only read.

Their results are kept by the next transaction. So a death at any point costs some lots, which are played
anew, and nothing else is ever written. Any number of workers share the lots: each takes some that are free.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

import psycopg
from django.db import connection, transaction

from contacts import contention
from contacts.crashpoints import crashpoint
from journeys.backtest import arriving, replaying, running, tally
from journeys.backtest.lives import Life
from journeys.models import BacktestPart, BacktestRun

Clock = Callable[[], datetime]
State = BacktestRun.State

#: People whose logs are in memory at once.
CROWD = 4000
#: Lots that are played together, to need fewer statements; but the first alone, to show that it goes on.
_TOGETHER = 8
_LOCK = 0x5E60BAC
_LOOK = 1.0
"Seconds after which a worker asks whether the backtest is still wanted."


def work(clock: Clock, *, seconds: float) -> int:
    """Play lots until none is left or ``seconds`` have passed; returns how many."""
    played, until = 0, time.monotonic() + seconds
    while time.monotonic() < until and (some := _play_some(clock)):
        played += some
    return played


def _play_some(clock: Clock) -> int:
    """Play lots that nobody else is playing."""
    parts = _take()
    try:
        if parts:
            _play(parts, clock)
    finally:
        _let_go(parts)
    return len(parts)


def _take() -> list[BacktestPart]:
    """Some lots of one backtest that are to be played and not taken. Their locks end with the session."""
    run = BacktestRun.objects.filter(state=State.RUNNING, parts__result__isnull=True).order_by("id").first()
    if run is None:
        return []
    still = list(run.parts.filter(result__isnull=True).order_by("slot").values_list("id", flat=True))
    most = 1 if len(still) == run.lots else max(1, min(_TOGETHER, len(still) // 4))
    taken: list[int] = []
    with psycopg.Cursor(connection.connection) as cursor:
        for part_id in still:
            cursor.execute("SELECT pg_try_advisory_lock(%b::int4, %b::int4)", [_LOCK, part_id])
            if (cursor.fetchone() or (False,))[0]:
                taken.append(part_id)
            if len(taken) == most:
                break
    # Another worker may have finished one of them just before its lock was free.
    parts = list(run.parts.filter(pk__in=taken, result__isnull=True).select_related("run").order_by("slot"))
    wanted = {part.pk for part in parts}
    _let_go([BacktestPart(pk=part_id) for part_id in taken if part_id not in wanted])
    return parts


def _let_go(parts: Sequence[BacktestPart]) -> None:
    if parts:
        with psycopg.Cursor(connection.connection) as cursor:
            for part in parts:
                cursor.execute("SELECT pg_advisory_unlock(%b::int4, %b::int4)", [_LOCK, part.pk])


def _play(parts: Sequence[BacktestPart], clock: Clock) -> None:
    try:
        with transaction.atomic():
            only_read()
            results = _tallied(parts)
    except contention.AWAY:
        raise
    except Exception as error:  # noqa: BLE001 (a graph that cannot be played must not stop the others)
        _give_up(parts[0].run, f"{type(error).__name__}: {error}", clock())
        return
    crashpoint("backtest.played")
    if results is not None:
        _keep(parts, results, clock())


def only_read() -> None:
    """Whatever a step, a rule or a mistake of ours may try: in this transaction nothing can be written."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")


def _tallied(parts: Sequence[BacktestPart]) -> dict[int, tally.Tally] | None:
    """Slot -> what became of its people; None where nobody wants to know any more."""
    run = parts[0].run
    asked = running.question(run)
    looked = time.monotonic()

    def wanted() -> bool:
        nonlocal looked
        if time.monotonic() - looked < _LOOK:
            return True
        looked = time.monotonic()
        return BacktestRun.objects.filter(pk=run.pk, state=State.RUNNING).exists()

    found = {part.slot: tally.empty() for part in parts}
    for people in arriving.crowds(asked, list(found), CROWD):
        replay = replaying.play(asked, people, wanted)
        by_slot: dict[int, list[Life]] = defaultdict(list)
        for life in people:
            by_slot[life.slot].append(life)
        for slot, own in by_slot.items():
            tally.add(found[slot], tally.of(asked, own, replay.past.received))
        people.clear()
    return found if BacktestRun.objects.filter(pk=run.pk, state=State.RUNNING).exists() else None


def _keep(parts: Sequence[BacktestPart], results: dict[int, tally.Tally], now: datetime) -> None:
    with transaction.atomic():
        run = BacktestRun.objects.select_for_update().get(pk=parts[0].run_id)
        if run.state != State.RUNNING:
            return
        for part in parts:
            part.result = results[part.slot]
        BacktestPart.objects.bulk_update(parts, ["result"])
        if not run.parts.filter(result__isnull=True).exists():
            running.finish(run, now)


def _give_up(run: BacktestRun, cause: str, now: datetime) -> None:
    BacktestRun.objects.filter(pk=run.pk, state=State.RUNNING).update(
        state=State.FAILED, error=cause[:2000].replace("\x00", ""), finished_at=now
    )
