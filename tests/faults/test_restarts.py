"""Restarts, crashes and silences over and over in the middle of a mailing; for the full matrix."""

from __future__ import annotations

import os
import random
import signal
import time

import psutil
import psycopg
import pytest

from tests.faults.conftest import Tally
from tests.faults.matrix import FULL, WHOLE
from tests.faults.stage import Stage
from tests.faults.story import Client, call, check, settle, setup
from tests.waiting import eventually

_WORKER = "celery --quiet --app config worker"
_BROKER = "valkey-server"

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not WHOLE, reason=f"only in the full matrix: {', '.join(FULL)}"),
]


def test_polite_restarts_lose_nothing_and_leave_nothing_unclear(seed: int, tally: Tally) -> None:
    """SIGTERM, as a deployment does, ten times; the supervisor starts the next one."""
    people, restarts, dice = 2_000, 0, random.Random(seed)
    with Stage() as stage:
        client = Client(stage.url, setup(stage, people))
        for start in range(0, people, 200):
            client.send([call(n) for n in range(start, start + 200)])
            time.sleep(dice.uniform(0.2, 1.2))
            restarts += _restart_worker(stage)
        findings, seconds = settle(stage, people)
    story = f"seed {seed}, {findings.states}, {seconds:.0f} s"
    tally(**check(stage, client, findings, people, story), seconds=seconds)
    assert restarts >= 8, story
    assert findings.uncertain == set(), story
    stage.forget()


def test_a_broker_that_dies_ten_times_and_falls_silent_loses_nothing(seed: int, tally: Tally) -> None:
    """Killed ten times, then stopped for a minute: events are taken all the while, all is sent soon after."""
    people, kills, dice = 1_500, 0, random.Random(seed)
    with Stage() as stage:
        client = Client(stage.url, setup(stage, people))
        for start in range(0, 1_000, 100):
            client.send([call(n) for n in range(start, start + 100)])
            time.sleep(dice.uniform(0.2, 1.2))
            assert eventually(lambda: stage.kill(_BROKER)), "the broker did not come back"
            kills += 1
        assert eventually(lambda: stage.processes(_BROKER))
        silent = stage.freeze(_BROKER)
        assert silent
        until = time.monotonic() + 60
        for start in range(1_000, people, 50):
            assert client.once([call(n) for n in range(start, start + 50)]), "not taken without a broker"
        time.sleep(max(0.0, until - time.monotonic()))
        stage.wake(silent)
        findings, seconds = settle(stage, people)
    story = f"seed {seed}, {findings.states}, {seconds:.0f} s"
    tally(**check(stage, client, findings, people, story), kills=kills, seconds=seconds)
    assert seconds <= 60, story
    stage.forget()


def test_a_database_that_crashes_ten_times_is_served_again_within_five_seconds(
    seed: int, tally: Tally
) -> None:
    """No 200 for what is not there, and the first answer soon after it is back, each time."""
    people, dice, waits = 1_000, random.Random(seed), list[float]()
    with Stage() as stage:
        client = Client(stage.url, setup(stage, people))
        for start in range(0, people, 100):
            for first in range(start, start + 100, 25):
                client.send([call(n) for n in range(first, first + 25)])
            time.sleep(dice.uniform(0.2, 1.2))
            waits.append(_crash(stage, client))
        findings, seconds = settle(stage, people)
    story = f"seed {seed}, {findings.states}, {[round(wait, 1) for wait in waits]}, {seconds:.0f} s"
    tally(**check(stage, client, findings, people, story), kills=len(waits), seconds=max(waits))
    assert max(waits) <= 5, story
    stage.forget()


def _restart_worker(stage: Stage) -> bool:
    """Waits for a worker to be there, as a deployment would."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        workers = stage.processes(_WORKER)
        above = [worker for worker in workers if not _below(worker, workers)]
        if len(workers) > len(above) > 0:
            for worker in above:
                worker.send_signal(signal.SIGTERM)
            psutil.wait_procs(above, timeout=30)
            return True
        time.sleep(0.1)
    return False


def _below(worker: psutil.Process, workers: list[psutil.Process]) -> bool:
    try:
        return worker.ppid() in {other.pid for other in workers}
    except psutil.Error:
        return True


def _crash(stage: Stage, client: Client) -> float:
    """Stop the database at once; seconds from when it can be reached again until an event is taken."""
    for process in stage.processes("/postgres -D"):
        os.kill(process.pid, signal.SIGQUIT)
    end = time.monotonic() + 60
    while not _reached(stage):
        assert time.monotonic() < end, "the database did not come back"
        time.sleep(0.05)
    back = time.monotonic()
    while not client.once([call(0)]):
        assert time.monotonic() < end, "nothing is taken"
        time.sleep(0.05)
    return time.monotonic() - back


def _reached(stage: Stage) -> bool:
    try:
        psycopg.connect(stage.database_url(), connect_timeout=2).close()
    except (psycopg.OperationalError, OSError):
        return False
    return True
