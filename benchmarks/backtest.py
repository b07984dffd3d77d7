"""A draft of ten steps played against 30 days of 100,000 contacts, by two workers, from asking to the answer.

Ours: seconds until the whole answer is there, with the time to the first progress and the most memory of a
worker. Baseline: the same engine code, one contact after the other, as one would write it at first, of a
sample and extrapolated. ``make bench NAME=backtest``, or with ``ARGS="--contacts 20000"`` for less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks import harness
from benchmarks.populate import populate
from channels.models import ProviderAccount
from contacts import slots
from journeys.backtest import arriving, playing, replaying, running
from journeys.models import BacktestRun, Journey

DAYS = timedelta(days=30)
MAIL = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
GOLD = {"attribute": "plan", "op": "is", "value": "gold"}
ACTIVE = {"event": "Product Added", "count": {"gte": 2}, "within": "30 days"}
GRAPH: dict[str, Any] = {
    "trigger": {"event": "Product Viewed"},
    "goal": {"event": "Order Completed", "value": "total"},
    "start": "settle",
    "steps": {
        "settle": {"type": "wait", "for": "1 hour", "next": "first"},
        "first": {**MAIL, "next": "look"},
        "look": {
            "type": "wait_for",
            "event": "Checkout Started",
            "timeout": "2 days",
            "next": "nudge",
            "on_timeout": "kind",
        },
        "kind": {"type": "branch", "branches": [{"if": ACTIVE, "next": "second"}], "else": "parts"},
        "second": {**MAIL, "next": "rest"},
        "parts": {
            "type": "split",
            "shares": [
                {"name": "a", "share": 1, "next": "second"},
                {"name": "b", "share": 1, "next": "rest"},
            ],
        },
        "rest": {"type": "wait", "days": 2, "at": "09:00", "next": "worth"},
        "worth": {"type": "branch", "branches": [{"if": GOLD, "next": "nudge"}], "else": "last"},
        "nudge": {
            **MAIL,
            "channels": ["sms", "email"],
            "content": {"sms": "a", "email": "b"},
            "next": "last",
        },
        "last": {**MAIL, "deadline": "1 day"},
    },
}


def work() -> None:
    """One worker: wait for the word, play lots until none is left, say the most memory it had."""
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    while playing.work(lambda: datetime.now(UTC), seconds=5):
        pass
    print(_most_memory(), flush=True)


def _most_memory() -> int:
    """The most this process had in memory, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


def play(run: BacktestRun, workers: int) -> tuple[float, float, int]:
    """Seconds until the answer, seconds until the first progress, and the most memory of a worker in MB."""
    command = [sys.executable, "-m", "benchmarks.backtest", "--worker"]
    pipe = subprocess.PIPE
    crew = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _worker in range(workers)]
    for each in crew:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    began, first = time.perf_counter(), 0.0
    for each in crew:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    while BacktestRun.objects.get(pk=run.pk).state == BacktestRun.State.RUNNING:
        if not first and running.progress(run)[0]:
            first = time.perf_counter() - began
        if all(each.poll() is not None for each in crew):
            break
        time.sleep(0.05)
    wall = time.perf_counter() - began
    return wall, first or wall, max(int(each.communicate()[0] or 0) for each in crew)


def one_by_one(run: BacktestRun, sample: int) -> tuple[float, int]:
    """Seconds that all people would take one after the other, and how many people there are."""
    asked = running.question(run)
    people = arriving.lives(asked, range(slots.SLOTS))
    step = max(len(people) // sample, 1)
    chosen = people[::step][:sample]
    began = time.perf_counter()
    for life in chosen:
        replaying.play(asked, [life])
    return (time.perf_counter() - began) / len(chosen) * len(people), len(people)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=60, help="people for the way one by one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work()
        return
    with harness.started():
        measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    populate(chosen.contacts, chosen.contacts * 10, now)
    for channel in ("email", "sms"):
        ProviderAccount.objects.get_or_create(channel=channel, kind="sandbox", defaults={"name": channel})
    journey = Journey.objects.create(name="Bench", slug="bench", draft=GRAPH)
    run = running.ask(journey, None, now - DAYS, now, now)
    wall, first, memory = play(run, chosen.workers)
    run.refresh_from_db()
    if run.state != BacktestRun.State.DONE or not run.result:
        raise SystemExit(f"the backtest ended as {run.state}: {run.error}")
    result = run.result
    print(
        f"{chosen.contacts:,} contacts, {DAYS.days} days: {result['entries']:,} runs,"
        f" {sum(step['reached'] for step in result['steps'].values()):,} steps,"
        f" {sum(result['messages'].values()):,} messages in {wall:.1f} s;"
        f" first progress after {first:.1f} s; at most {memory} MB a worker"
    )
    again = running.ask(journey, None, now - DAYS, now, now)
    slow, people = one_by_one(again, chosen.sample)
    print(f"one by one: {slow:,.0f} s for {people:,} people, by {chosen.sample} of them")
    harness.report("backtest", ours=wall, baseline=slow, kind="time")


if __name__ == "__main__":
    main()
