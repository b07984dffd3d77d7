"""Do live segments keep up? 50 of them, 5,000 events a second arriving, beside computing them anew.

Events are appended by a process of their own; one follower works as the product's pulse does. The lag of a
batch is the time from its commit until every lane was read past it. At two sizes of the base, so that a cost
that grows with it shows. Baseline: the touched segments computed whole, once for each second of events.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from benchmarks import harness, kept
from contacts import clock, event_log, segments
from contacts.event_log import NewEvent
from contacts.models import Segment

_RATE_PARTS = 10
"Batches a second."
_NAMES = ["Product Viewed"] * 5 + ["Page Viewed"] * 3 + ["Product Added"] * 2
_NAMES += ["Checkout Started"] + ["Order Completed"] * 2


class Run(NamedTuple):
    contacts: int
    events: int
    lags: list[float]
    #: Seconds of both sides for one event.
    cost: float
    moved: int
    recompute: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--each", type=int, default=20, help="events of the past of each contact")
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--live", type=int, default=50)
    parser.add_argument("--produce", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.produce:
        produce(chosen.produce, chosen.rate, chosen.seconds)
        return
    runs = []
    for contacts in chosen.contacts:
        with kept.database(contacts, contacts * chosen.each, scratch=True):
            runs.append(measure(contacts, chosen))
    first, last = runs[0], runs[-1]
    worst = max(quantile(run.lags) for run in runs)
    print(f"lag p95 {worst:.2f} s (wanted 2); cost an event {last.cost / first.cost:.2f} times", end=" ")
    print(f"from {first.contacts:,} to {last.contacts:,} contacts")
    each_second = last.cost * chosen.rate
    harness.report("segments_incremental", ours=each_second, baseline=last.recompute, kind="time")


def measure(contacts: int, chosen: argparse.Namespace) -> Run:
    live = make(chosen.live)
    began = time.perf_counter()
    segments.ensure_current(clock.now())
    computed = time.perf_counter() - began
    began = time.perf_counter()
    for segment in live:
        segments.refresh(segment, clock.now())
    recompute = time.perf_counter() - began
    event_log.start_at_end(segments.READER)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_segmentmembership")
    with harness.Load() as load, harness.stopwatch() as spent, producing(contacts, chosen) as producer:
        done, busy, events, left = follow(producer)
    lags = [done_at - made_at for made_at, done_at in done]
    run = Run(contacts, events, lags, busy / max(events, 1), left, recompute)
    print(
        f"{contacts:,} contacts: {len(live)} segments computed in {computed:.1f} s, again {recompute:.1f} s"
    )
    print(
        f"  {events:,} events, {busy:.1f} s at work; lag p50 {statistics.median(lags):.2f}"
        f" p95 {quantile(lags):.2f} s; {spent.describe(max(events, 1), 'event')}"
    )
    print(f"  {load}", flush=True)
    return run


def follow(producer: subprocess.Popen[str]) -> tuple[list[tuple[float, float]], float, int, int]:
    """Follow until all that was produced is read: (made, done) of each batch, seconds at work, events."""
    made: list[tuple[int, float]] = []
    done: list[tuple[float, float]] = []
    busy, events, ended, moved = 0.0, 0, False, 0
    os.set_blocking(producer.stdout.fileno(), False)  # type: ignore[union-attr]
    while not ended or made:
        began = time.time()
        count = segments.follow(clock.now())
        if count:
            busy += time.time() - began
            events += count
        else:
            time.sleep(0.02)
        for line in producer.stdout or ():
            batch = json.loads(line)
            made.append((batch["xid"], batch["at"]))
        read = _read_past()
        now = time.time()
        done += [(at, now) for xid, at in made if xid <= read]
        made = [(xid, at) for xid, at in made if xid > read]
        ended = producer.poll() is not None
    return done, busy, events, moved


def _read_past() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(xid)::int8 FROM contacts_cursor WHERE reader = %s", [segments.READER])
        (xid,) = cursor.fetchone() or (0,)
        return int(xid)


@contextmanager
def producing(contacts: int, chosen: argparse.Namespace) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.segments_incremental", "--produce", str(contacts)]
    command += ["--rate", str(chosen.rate), "--seconds", str(chosen.seconds)]
    producer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield producer
    finally:
        producer.kill()
        producer.wait()


def produce(contacts: int, rate: int, seconds: int) -> None:
    """Append events at a steady rate; a line of each batch's transaction and when it was committed."""
    chance = random.Random(1)
    began = time.time()
    size = rate // _RATE_PARTS
    for number in range(seconds * _RATE_PARTS):
        time.sleep(max(0.0, began + number / _RATE_PARTS - time.time()))
        now = clock.now()
        batch = [_event(chance, contacts, now) for _each in range(size)]
        # One for each lane, so that all cursors pass the batch.
        batch += [NewEvent(1 + lane, "Page Viewed", now, now, kind=1) for lane in range(64)]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text::int8")
            (xid,) = cursor.fetchone() or (0,)
            event_log.append(batch)
        print(json.dumps({"xid": xid, "at": time.time()}), flush=True)


def _event(chance: random.Random, contacts: int, now: datetime) -> NewEvent:
    properties = {
        "product_id": f"sku{chance.randrange(5000)}",
        "category": f"category {chance.randrange(40)}",
        "price": chance.randrange(20000) / 100,
        "total": chance.randrange(50000) / 100,
    }
    who = 1 + chance.randrange(contacts)
    return NewEvent(who, chance.choice(_NAMES), now, now, kind=1, properties=properties)


def make(count: int) -> list[Segment]:
    rules = [rule for number in range(-(-count // 5)) for rule in _rules(number)][:count]
    return [
        Segment.objects.create(name=f"Live {number:02}", slug=f"live-{number:02}", rule=rule)
        for number, rule in enumerate(rules)
    ]


def _rules(number: int) -> list[dict[str, Any]]:
    """Five rules such as marketers write, each time with other numbers."""
    days = f"{7 * (1 + number % 5)} days"
    category = {"property": "category", "op": "is", "value": f"category {number}"}
    return [
        {"event": "Order Completed", "count": {"gte": 1 + number % 3}, "within": days},
        {
            "event": "Order Completed",
            "sum": {"property": "total", "gte": 100 + 50 * number},
            "within": "30 days",
        },
        {"event": "Product Viewed", "within": days, "where": [category]},
        {
            "all": [
                {"attribute": "plan", "op": "is", "value": ["free", "plus", "gold"][number % 3]},
                {"event": "Product Added", "within": days},
                {"event": "Order Completed", "count": {"lte": 0}, "within": days},
            ]
        },
        {
            "all": [
                {"event": "Checkout Started", "within": "14 days", "count": {"gte": 1 + number % 2}},
                {"message": "opened", "count": {"lte": 0}, "within": days},
                {"consent": {"channel": "email", "purpose": "offers"}},
            ]
        },
    ]


def quantile(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    main()
