"""How soon a rule says how many it holds for: ten rules of rising difficulty, beside SQL written by hand.

Both sides give the size and the ten newest contacts, exactly, with the same settings. Medians of several
rounds, sides in turn. ``--plans`` prints what PostgreSQL did for ours.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction

from benchmarks import harness, kept
from benchmarks.segments_by_hand import QUESTIONS, Question
from contacts import rules, segments, whole_base
from contacts.rules_sql import matching

_WANTED_RATIO, _WANTED_SECONDS = 1.3, 1.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=int, help="the number of one question")
    parser.add_argument("--plans", action="store_true")
    chosen = parser.parse_args()
    with kept.database(chosen.contacts, chosen.events) as now:
        measure(chosen, now)


def measure(chosen: argparse.Namespace, now: datetime) -> None:
    asked = [one for number, one in enumerate(QUESTIONS, 1) if chosen.only in (None, number)]
    spent: list[tuple[float, float]] = []
    every: list[float] = []
    with harness.Load() as load:
        for question in asked:
            ours, baseline, seconds = compare(question, now, chosen.rounds)
            every += seconds
            spent.append((ours, baseline))
            print(f"  {ours:6.3f} s, by hand {baseline:6.3f} s: {question.title}", flush=True)
            if chosen.plans:
                explain(question, now)
    print(load)
    ratio = statistics.median(ours / baseline for ours, baseline in spent)
    slowest = sorted(every)[-1 - len(every) // 20]
    print(f"median of ours over by hand: {ratio:.2f} (wanted {_WANTED_RATIO}); p95 {slowest:.2f} s")
    print("ok" if ratio <= _WANTED_RATIO and slowest < _WANTED_SECONDS else "MISSED")
    harness.report(
        "segments_preview",
        ours=statistics.median(ours for ours, _baseline in spent),
        baseline=statistics.median(baseline for _ours, baseline in spent),
        kind="time",
    )


def compare(question: Question, now: datetime, rounds: int) -> tuple[float, float, list[float]]:
    """Median seconds of both sides, which must give the same answer; and all of ours."""
    rule = rules.parse(question.rule, in_journey=False)
    found: dict[str, tuple[int, list[int]]] = {}

    def ours() -> None:
        preview = segments.preview(rule, now)
        found["ours"] = (preview.size, [contact.pk for contact in preview.sample])

    def baseline() -> None:
        found["by hand"] = by_hand(question, now)

    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for act, kept_here in zip((ours, baseline), seconds, strict=True):
            spent = _seconds(act)
            if number:  # The first round warms up.
                kept_here.append(spent)
    if found["ours"] != found["by hand"]:
        raise SystemExit(f"{question.title}: ours {found['ours']}, by hand {found['by hand']}")
    return statistics.median(seconds[0]), statistics.median(seconds[1]), seconds[0]


def by_hand(question: Question, now: datetime) -> tuple[int, list[int]]:
    statement = (
        f"WITH found(id) AS MATERIALIZED ({question.sql}) SELECT (SELECT count(*) FROM found),"
        " ARRAY(SELECT id FROM found ORDER BY id DESC LIMIT 10)"
    )
    days = {f"d{days}": now - timedelta(days=days) for days in (7, 14, 21, 28, 30, 60)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(statement, {"now": now, **days})
        size, ids = cursor.fetchone() or (0, [])
        return size, list(ids)


def explain(question: Question, now: datetime) -> None:
    select, params = matching(rules.parse(question.rule), as_of=now).values("id").query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        whole_base.prepare(seconds=60)
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {select}", params)
        for (line,) in cursor.fetchall():
            print("      ", line)


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
