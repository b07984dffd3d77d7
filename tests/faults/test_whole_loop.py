"""Everything is killed at random while people come in and get their mail. Truth is kept outside.

The client's journal says which events were answered 200; the witness says which mails it took, on disk
before its reply. What the database says is compared with those two, never with itself.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter

import psutil
import pytest

from tests.faults.conftest import Tally
from tests.faults.matrix import WHOLE
from tests.faults.stage import LEASE, Stage
from tests.faults.story import Client, call, check, settle, setup

#: In full as many as the field's own figures ask.
PEOPLE, KILLS = (5_000, 200) if WHOLE else (400, 12)
_BATCH = 50
_WORKER = "celery --quiet --app config worker"
#: Messages that one process hands over at the same time, at the most.
_IN_HAND = 64

pytestmark = [pytest.mark.timeout(1500 if WHOLE else 400), pytest.mark.slow]


class Chaos:
    """Kills web, worker and beat processes until told to stop; freezes some beyond their lease."""

    def __init__(self, stage: Stage, dice: random.Random) -> None:
        self.log: list[str] = []
        #: How many may have died by now: what dies faster than it comes back proves nothing.
        self.allowed = 0.0
        self._stage, self._dice = stage, dice
        self._done = threading.Event()
        self._frozen: list[tuple[float, psutil.Process]] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Chaos:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._wake(float("inf"))

    def _run(self) -> None:
        while not self._done.wait(self._dice.uniform(0.4, 1.6)):
            self._wake(time.monotonic())
            if len(self.log) >= self.allowed:
                continue
            part = self._dice.choice(("granian", _WORKER, _WORKER, _WORKER, "beat"))
            # Seldom the first, which takes the others with it and then waits longer and longer to be started.
            number = self._dice.choice((0, 1, 2, 3, 4, 5, 6, 7))
            if part == _WORKER and len(self._frozen) < 2 and self._dice.random() < 0.2:
                process = self._stage.freeze(part, number)
                if process:
                    self._frozen.append((time.monotonic() + LEASE + 2, process))
                    self.log.append("frozen")
            elif self._stage.kill(part, number):
                self.log.append(part)

    def _wake(self, now: float) -> None:
        for until, process in list(self._frozen):
            if until <= now:
                self._frozen.remove((until, process))
                self._stage.wake(process)


def test_nothing_is_lost_or_sent_twice_while_everything_is_killed(seed: int, tally: Tally) -> None:
    dice = random.Random(seed)
    with Stage() as stage:
        client = Client(stage.url, setup(stage, PEOPLE))
        killed = _tell(stage, client, dice)
        findings, seconds = settle(stage, PEOPLE)
        broken = stage.broken_promises()
    story = f"seed {seed}, {Counter(killed)}, {client.retries} retries, {findings.states}, {seconds:.0f} s"
    print(story)
    tally(**check(stage, client, findings, PEOPLE, story), kills=len(killed), seconds=seconds)
    # At most what was in hand of whoever died or froze.
    deaths = len(killed) - killed.count("granian") - killed.count("beat")
    assert len(findings.uncertain) <= _IN_HAND * deaths, story
    assert broken == {}, story
    if WHOLE:
        assert seconds <= 60, story
    stage.forget()  # what a failed check leaves is there to be read


def _tell(stage: Stage, client: Client, dice: random.Random) -> list[str]:
    """Send the story while parts die; once the database stops hard, once the broker forgets, once all go."""
    blows = {0.25: _flush_broker, 0.45: _crash_database, 0.7: _kill_all}
    with Chaos(stage, dice) as chaos:
        for start in range(0, PEOPLE, _BATCH):
            for share in [share for share in blows if start / PEOPLE >= share]:
                chaos.log.append(blows.pop(share)(stage))
            chaos.allowed = KILLS * (start + _BATCH) / PEOPLE
            client.send([call(n) for n in range(start, start + _BATCH)])
            while len(chaos.log) < chaos.allowed:
                time.sleep(0.05)
    return chaos.log


def _flush_broker(stage: Stage) -> str:
    stage.broker().flushall()
    return "broker flushed"


def _crash_database(stage: Stage) -> str:
    # SIGQUIT is PostgreSQL's immediate stop: no farewell, recovery at the next start.
    for process in stage.processes("/postgres -D"):
        os.kill(process.pid, 3)
    return "database crashed"


def _kill_all(stage: Stage) -> str:
    stage.kill_supervisor()
    return "supervisor killed"
