"""100,000 waits that end in one minute, drained by two workers while fresh people keep coming in.

Ours drains in lanes and lets those due last pass the crowd; the baseline is the same table drained oldest
first by the bare claim-and-advance statement, in which whoever is fresh waits for the whole crowd. Told are
the seconds of the drain and how long a fresh person waited for their first step.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from benchmarks import engine as walks
from benchmarks import harness
from benchmarks.populate import populate
from journeys import engine, runs, versions
from journeys.models import Journey, JourneyVersion, Run, StepEntry
from journeys.runs import Entry

EVERY = 0.25
"Seconds between two people who come in meanwhile."
FRESH = {
    "trigger": {"event": "Signed Up"},
    "start": "hello",
    "steps": {
        "hello": {
            "type": "send",
            "channels": ["email"],
            "content": {"email": "hello"},
            "purpose": "news",
            "next": "rest",
        },
        "rest": {"type": "wait", "for": "30 days"},
    },
}


def work(until: float) -> None:
    """One worker at the real clock, until the machine's clock says ``until``."""
    engine.advance(datetime(2000, 1, 1, tzinfo=UTC))  # so that connecting and loading are done
    print("ready", flush=True)
    sys.stdin.readline()
    while time.time() < until:
        if not engine.advance(datetime.now(UTC)):
            time.sleep(0.05)


def fresh_journey(now: datetime) -> versions.Version:
    journey = Journey.objects.create(name="Fresh", slug="fresh", status=Journey.Status.LIVE, draft=FRESH)
    version = JourneyVersion.objects.create(journey=journey, number=1, graph=FRESH, published_at=now)
    Journey.objects.filter(pk=journey.pk).update(live_version_id=version.pk)
    return versions.load([version.pk])[version.pk]


def storm(people: int, workers: int, give_up: float) -> tuple[float, list[float]]:
    """Seconds until nobody of the crowd is due, and how long each fresh person waited."""
    now = datetime.now(UTC)
    walks.fill(people, now - timedelta(days=1))
    with connection.cursor() as cursor:
        # All of them came to their wait within one minute a day ago.
        cursor.execute(
            "UPDATE journeys_run SET since = %s - interval '1 day' - make_interval(secs => 1 + id %% 60),"
            " due_at = %s - make_interval(secs => 1 + id %% 60)",
            [now, now],
        )
        cursor.execute("VACUUM ANALYZE journeys_run")
    version = fresh_journey(now)
    command = [sys.executable, "-m", "benchmarks.due_storm", "--worker", str(time.time() + give_up)]
    pipe = subprocess.PIPE
    crew = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _worker in range(workers)]
    for each in crew:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    began = time.time()
    for each in crew:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    try:
        return _meanwhile(version, people, datetime.now(UTC), began + give_up)
    finally:
        for each in crew:
            each.kill()
            each.wait()


def _meanwhile(
    version: versions.Version, people: int, now: datetime, give_up: float
) -> tuple[float, list[float]]:
    """Let somebody in every so often until the crowd is through, and wait for the last of them."""
    began, number, drained = time.time(), 0, 0.0
    waits: dict[int, float] = {}
    while time.time() < give_up:
        at = datetime.now(UTC)
        if not drained:
            number += 1
            runs.enter(version, [Entry(1 + (number * 7919) % people, at)], at)
        # Seen from outside, so that a step counts when its batch is committed.
        taken = StepEntry.objects.filter(version_id=version.id, step="hello").exclude(run_id__in=waits)
        entered = dict(Run.objects.filter(version_id=version.id).values_list("id", "entered_at"))
        for run_id in taken.values_list("run_id", flat=True):
            waits[run_id] = (datetime.now(UTC) - entered[run_id]).total_seconds()
        if not drained and not Run.objects.filter(state=Run.State.LIVE, due_at__lte=now).exists():
            drained = time.time() - began
        if drained and len(waits) == number:
            return drained, sorted(waits.values())
        time.sleep(EVERY)
    raise SystemExit("the storm does not end")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", type=float, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work(chosen.worker)
        return
    with harness.database():
        now = datetime.now(UTC)
        populate(chosen.people, 5 * chosen.people, now)
        walks.fill(chosen.people, now)
        rows = max(chosen.people // walks.BARE // chosen.workers, 1) * walks.BARE * chosen.workers
        plain = walks.bare("journeys_run", "visit = t.visit + 1", "due_at", rows, chosen.workers, now)
        walks.clear()
        with harness.Load() as load:
            drained, waits = storm(chosen.people, chosen.workers, give_up=180)
        print(load)
        print(f"{len(waits)} fresh people waited {waits[len(waits) // 2]:.2f} s at the median,"
              f" {waits[-1]:.2f} s at most")  # fmt: skip
        # Oldest first, somebody fresh waits for the whole crowd.
        harness.report("due_storm_fresh", ours=waits[-1], baseline=drained, kind="time")
        harness.report("due_storm", ours=chosen.people / drained, baseline=rows / plain.wall)
        print(f"due_storm: {chosen.people:,} drained in {drained:.1f} s")


if __name__ == "__main__":
    main()
