"""The engine: runs through a journey of twelve steps, beside the bare statement and the hand-written way.

Bare: one ``UPDATE … FROM (SELECT … FOR UPDATE SKIP LOCKED LIMIT 5000)`` that claims rows and advances them
and decides nothing: on a narrow table of 1,000,000 rows and, for the record, on the table of runs itself.
Hand-written: one Celery task for each person and step that loads, decides, saves and enqueues the next,
through the real broker and a real worker.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from benchmarks import harness
from benchmarks.engine_by_hand import app, take_step
from benchmarks.populate import populate
from channels.models import Message
from config.processes import spawn, stop
from journeys import engine
from journeys.models import Journey, JourneyVersion, Run, StepEntry

DAY = timedelta(days=1)
BARE = 5_000
SMALL = 10_000
"Runs that move while the others stand, and the smallest table to compare with."
STEPS = 12
"Steps of the journey. People who order, or look often, take fewer."


def _asks(event: str, within: str, then: str, otherwise: str, **count: int) -> dict[str, Any]:
    rule = {"event": event, "within": within} | ({"count": count} if count else {})
    return {"type": "branch", "branches": [{"name": "did", "if": rule, "next": then}], "else": otherwise}


def _mail(then: str) -> dict[str, Any]:
    content = {"email": "hello"}
    return {"type": "send", "channels": ["email"], "content": content, "purpose": "offers", "next": then}


#: Four waits, four branches on what people did, three messages, an end.
GRAPH: dict[str, Any] = {
    "trigger": {"event": "Product Added"},
    "start": "first-day",
    "steps": {
        "first-day": {"type": "wait", "for": "1 day", "next": "ordered"},
        "ordered": _asks("Order Completed", "30 days", "second-day", "remind"),
        "remind": _mail("second-day"),
        "second-day": {"type": "wait", "for": "1 day", "next": "looked"},
        "looked": _asks("Product Viewed", "60 days", "checked-out", "advise", gte=3),
        "advise": _mail("checked-out"),
        "checked-out": _asks("Checkout Started", "45 days", "third-day", "third-day"),
        "third-day": {"type": "wait", "for": "1 day", "next": "opened"},
        "opened": _asks("Message Opened", "60 days", "rest", "last-word"),
        "last-word": _mail("rest"),
        "rest": {"type": "wait", "for": "1 day", "next": "gone"},
        "gone": {"type": "exit", "reason": "not ordered"},
    },
}
DAYS = 4


def fill(people: int, now: datetime) -> None:
    """One live run of one journey for each of ``people`` contacts, due at ``now``."""
    journey = Journey.objects.create(name="Bench", slug="bench", status=Journey.Status.LIVE, draft=GRAPH)
    version = JourneyVersion.objects.create(journey=journey, number=1, graph=GRAPH, published_at=now)
    Journey.objects.filter(pk=journey.pk).update(live_version_id=version.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journeys_run (slot, contact_id, journey_id, version_id, key, state, step, visit,"
            " due_at, since, watching, entered_at, outcome, entry)"
            " SELECT slot, id, %s, %s, '', 1, 'first-day', 0, at, at, '[]', at, '', '{\"price\": 25}'"
            # People come in their own order, not in that of the table.
            " FROM (SELECT id, slot, %s - make_interval(secs => id * 7368787 %% 3600) AS at"
            " FROM contacts_contact ORDER BY id LIMIT %s) AS people",
            [journey.pk, version.pk, now, people],
        )
        cursor.execute("VACUUM ANALYZE journeys_run")


def work(now: datetime) -> None:
    """One worker: wait for the word, then move what is due on each of the days; say how many moves."""
    engine.advance(now - DAY)  # so that connecting and loading are done
    print("ready", flush=True)
    sys.stdin.readline()
    moves, began = 0, time.process_time()
    for instant in (now + day * DAY for day in range(DAYS + 1)):
        while (moved := engine.advance(instant)) or due(instant):
            moves += moved
            if not moved:
                time.sleep(0.01)  # the other worker holds every slot that has work
    print(moves, time.process_time() - began, flush=True)


def due(instant: datetime) -> bool:
    return Run.objects.filter(state=Run.State.LIVE, due_at__lte=instant).exists()


def walk(workers: int, now: datetime) -> tuple[int, harness.Spent]:
    """Moves of all runs by so many workers, and what they spent."""
    command = [sys.executable, "-m", "benchmarks.engine", "--worker", now.isoformat()]
    pipe = subprocess.PIPE
    crew = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _worker in range(workers)]
    for each in crew:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    with harness.stopwatch() as spent:
        for each in crew:
            assert each.stdin
            each.stdin.write("go\n")
            each.stdin.flush()
        told = [each.communicate()[0].split() for each in crew]
    spent.python = sum(float(cpu) for _moves, cpu in told)  # without that of starting up
    return sum(int(moves) for moves, _cpu in told), spent


def bare(table: str, step: str, due: str, rows: int, workers: int, now: datetime) -> harness.Spent:
    """What the bare claim-and-advance statement spends on ``rows`` rows of ``table``, by so many clients."""

    def client() -> None:
        moved = 0
        while moved < rows // workers:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} t SET {step}, {due} = %s FROM (SELECT id FROM {table}"
                    f" WHERE state = 1 AND {due} <= %s ORDER BY {due} LIMIT %s FOR UPDATE SKIP LOCKED) AS c"
                    " WHERE t.id = c.id",
                    [now + DAY, now, BARE],
                )
                moved += cursor.rowcount
        connection.close()

    clients = [threading.Thread(target=client) for _worker in range(workers)]
    with harness.stopwatch() as spent:
        for each in clients:
            each.start()
        for each in clients:
            each.join()
    return spent


def narrow(rows: int, workers: int, now: datetime) -> harness.Spent:
    """The bare statement on a table of 1,000,000 rows with five narrow columns and two indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_enrolment AS SELECT i::int8 AS id, i::int8 AS contact_id, 1::int2 AS state,"
            " 1 AS node, %s - make_interval(secs => i * 7368787 %% 3600) AS due"
            " FROM generate_series(1::bigint, 1000000) AS i",
            [now],
        )
        cursor.execute("ALTER TABLE bench_enrolment ADD PRIMARY KEY (id)")
        cursor.execute("CREATE INDEX bench_due ON bench_enrolment (due) WHERE state = 1")
        cursor.execute("VACUUM ANALYZE bench_enrolment")
    spent = bare("bench_enrolment", "node = t.node + 1", "due", rows, workers, now)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_enrolment")
    return spent


def clear() -> None:
    """Forget every run, so that the next measurement begins like the one before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE journeys_run, journeys_stepentry, channels_message, contacts_oncekey"
            " RESTART IDENTITY CASCADE"
        )
    Journey.objects.all().delete()


def by_hand(people: int) -> float:
    """Steps a second of one Celery task a person and step, with a worker of two processes."""
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.engine_by_hand", "worker"]
    app.conf.update(broker_url=os.environ["BROKER_URL"])  # known only since the servers run
    worker = spawn(
        [*command, "--concurrency", "2", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"],
        on_parent_death=signal.SIGKILL,
        environment=dict(os.environ),
    )
    try:
        # The first task waits for the worker to start.
        enqueue(list(Run.objects.order_by("id").values_list("id", flat=True)[:1]))
        settled(1)
        began, before = time.perf_counter(), StepEntry.objects.count()
        ids = list(
            Run.objects.filter(state=Run.State.LIVE).order_by("id").values_list("id", flat=True)[:people]
        )
        enqueue(ids)
        settled(people + 1)
        return (StepEntry.objects.count() - before) / (time.perf_counter() - began)
    finally:
        stop(worker, signal.SIGTERM, patience=10)


def enqueue(ids: list[int]) -> None:
    for run_id in ids:
        take_step.delay(run_id)


def settled(people: int) -> None:
    give_up = time.monotonic() + 120
    while Run.objects.exclude(state=Run.State.LIVE).count() < people:
        if time.monotonic() > give_up:
            raise SystemExit("the hand-written way does not end")
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100_000, help="1,000,000 takes about ten minutes")
    parser.add_argument("--standing", type=int, default=1_000_000, help="for the cost at size")
    parser.add_argument("--by-hand", type=int, default=150, help="people for the Celery way")
    parser.add_argument("--workers", type=int, default=2, help="as many on either side")
    parser.add_argument("--worker", type=datetime.fromisoformat, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work(chosen.worker)
        return
    with harness.started():
        measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    now, workers = datetime.now(UTC).replace(microsecond=0), chosen.workers
    populate(max(chosen.runs, chosen.standing), 5 * chosen.runs, now)
    fill(chosen.by_hand + 1, now)
    slow = by_hand(chosen.by_hand)
    print(f"one Celery task a person and step: {slow:,.0f} steps/s")
    few = transition(SMALL, SMALL, now)
    clear()
    fill(chosen.runs, now)
    rows = max(chosen.runs // BARE // workers, 1) * BARE * workers
    plain = bare("journeys_run", "step = 'remind', visit = t.visit + 1", "due_at", rows, workers, now)
    print(f"bare statement on the table of runs: {plain.describe(rows, 'row')}")
    alone = walked(1, chosen.runs // 2, now)[2]
    steps, spent, wall = walked(workers, chosen.runs, now)
    assert not Run.objects.filter(state=Run.State.LIVE).exists()
    print(f"a step costs the CPU of {cost(spent, steps) / cost(plain, rows):.2f} bare rows")
    thin = narrow(rows, workers, now)
    print(f"bare statement on a narrow table: {thin.describe(rows, 'row')}")
    many = transition(chosen.standing, SMALL, now)
    harness.report("engine_two_workers", ours=wall, baseline=alone)
    harness.report("engine_flat", ours=many, baseline=few, kind="time")
    harness.report("engine_same_table", ours=wall, baseline=rows / plain.wall)
    harness.report("engine_by_hand", ours=wall, baseline=slow)
    harness.report("engine", ours=wall, baseline=rows / thin.wall)


def walked(workers: int, people: int, now: datetime) -> tuple[int, harness.Spent, float]:
    """Steps of so many runs from beginning to end, what they cost, and how many a second."""
    clear()
    fill(people, now)
    moves, spent = walk(workers, now)
    steps, sent = StepEntry.objects.count(), Message.objects.count()
    print(f"{workers} workers: {moves:,} moves of {people:,} runs, {steps:,} steps, {sent:,} intents:")
    print(spent.describe(steps, "step"), flush=True)
    return steps, spent, steps / spent.wall


def transition(standing: int, due: int, now: datetime) -> float:
    """CPU seconds a step of ``due`` runs, while ``standing`` of them are in the table."""
    clear()
    fill(standing, now)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journeys_run SET due_at = due_at + interval '1 year' WHERE id > "
            "(SELECT id FROM journeys_run ORDER BY id OFFSET %s LIMIT 1)",
            [due - 1],
        )
        cursor.execute("VACUUM ANALYZE journeys_run")
    engine.advance(now - DAY)
    with harness.stopwatch() as spent:
        for day in range(DAYS):
            while engine.advance(now + day * DAY):
                pass
    steps = StepEntry.objects.count()
    print(f"{due:,} of {standing:,} standing runs: {spent.describe(steps, 'step')}", flush=True)
    return cost(spent, steps)


def cost(spent: harness.Spent, things: int) -> float:
    return (spent.python + spent.postgres) / things


if __name__ == "__main__":
    main()
