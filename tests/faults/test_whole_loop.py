"""Everything is killed at random while people come in and get their mail. Truth is kept outside.

The client's journal says which events were answered 200; the witness says which mails it took, on disk
before its reply. What the database says is compared with those two, never with itself.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.stage import Stage

PEOPLE = 2_000
_BATCH = 50
# Ends as soon as nothing is left to do; a busy machine may take its time.
_SETTLE_SECONDS = 180
_SETUP = Path(__file__).with_name("scenario.py").read_text(encoding="utf-8")
#: Run inside the stage: every promise is looked after over every row, by the auditor's own looks.
_BROKEN = """
import json
from contacts import clock
from tests.promises import broken
print(json.dumps(broken(clock.now())))
"""
_COUNT = Path(__file__).with_name("findings.py").read_text(encoding="utf-8")


class Client:
    """Sends batches until each is answered 200, as an SDK does, and keeps a journal of what was."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.authorization = "Basic " + b64encode(f"{key}:".encode()).decode()
        self.acknowledged: set[str] = set()
        self.retries = 0

    def send(self, calls: list[dict[str, Any]], seconds: float = 120) -> None:
        body = json.dumps({"batch": calls}).encode()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            request = urllib.request.Request(
                f"{self.url}/v1/batch", body, {"Authorization": self.authorization}
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    if answer.status == 200:
                        self.acknowledged.update(call["messageId"] for call in calls)
                        return
            except (OSError, urllib.error.URLError):
                self.retries += 1
                time.sleep(0.1)
        raise AssertionError(f"a batch was not taken within {seconds} s")


def chaos(stage: Stage, dice: random.Random, done: threading.Event, log: list[str]) -> None:
    """Kill web and worker processes until told to stop."""
    while not done.wait(dice.uniform(0.8, 2.5)):
        part = dice.choice(("granian", "celery --quiet --app config worker", "beat"))
        if stage.kill(part, dice.randrange(8)):
            log.append(part)


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_sent_twice_while_everything_is_killed(seed: int) -> None:
    dice = random.Random(seed)
    with Stage() as stage:
        key = stage.python(_SETUP.replace("MAIL_PORT", str(stage.mail_port)).replace("PEOPLE", str(PEOPLE)))
        client = Client(stage.url, key.strip().splitlines()[-1])
        killed = _tell(stage, client, dice)
        findings = settle(stage, PEOPLE)
        broken = json.loads(stage.python(_BROKEN).strip().splitlines()[-1])
    expected = {f"story-{n}" for n in range(PEOPLE)}
    mails = Counter(line.split()[0] for line in stage.mail_log.read_text().splitlines())
    story = f"seed {seed}, killed {Counter(killed)}, {client.retries} retries, {findings['states']}"
    assert client.acknowledged == expected
    assert findings["events"] == PEOPLE, story
    assert findings["twice"] == 0, story
    assert findings["without_wakeup"] == 0, story
    assert findings["unfinished"] == 0, story
    assert max(mails.values()) == 1, story
    unclear = set(findings["uncertain"])
    missing = {f"person{n}@example.com" for n in range(PEOPLE)} - set(mails) - unclear
    assert not missing, story
    assert set(findings["accepted"]) <= set(mails), story
    assert set(mails) <= set(findings["accepted"]) | unclear, story
    assert broken == {}, story
    shutil.rmtree(stage.home)  # what a failed check leaves is there to be read


def _tell(stage: Stage, client: Client, dice: random.Random) -> list[str]:
    """Send the story while parts die; once the database stops hard, once the broker forgets, once all go."""
    done, killed = threading.Event(), list[str]()
    killer = threading.Thread(target=chaos, args=(stage, dice, done, killed))
    killer.start()
    blows = {0.25: _flush_broker, 0.45: _crash_database, 0.7: _kill_all}
    try:
        for start in range(0, PEOPLE, _BATCH):
            for share in [share for share in blows if start / PEOPLE >= share]:
                killed.append(blows.pop(share)(stage, done, killer))
            client.send([call(n) for n in range(start, start + _BATCH)])
            time.sleep(dice.uniform(0.1, 0.9))
    finally:
        done.set()
        killer.join()
    return killed


def call(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Story Told",
        "userId": f"person{number}",
        "messageId": f"story-{number}",
        "properties": {"cart_id": f"cart-{number}"},
    }


def _flush_broker(stage: Stage, done: threading.Event, killer: threading.Thread) -> str:
    stage.python(
        "import json, pathlib, redis\n"
        f"url = json.loads(pathlib.Path({str(stage.home / 'servers.json')!r}).read_text())['broker_url']\n"
        "redis.Redis.from_url(url).flushall()"
    )
    return "broker flushed"


def _crash_database(stage: Stage, done: threading.Event, killer: threading.Thread) -> str:
    # SIGQUIT is PostgreSQL's immediate stop: no farewell, recovery at the next start.
    for process in stage.processes("/postgres -D"):
        os.kill(process.pid, 3)
    return "database crashed"


def _kill_all(stage: Stage, done: threading.Event, killer: threading.Thread) -> str:
    stage.kill_supervisor()
    return "supervisor killed"


def settle(stage: Stage, people: int) -> dict[str, Any]:
    """Wait until nothing is left to do, and say what the database holds."""
    end = time.monotonic() + _SETTLE_SECONDS
    while True:
        findings: dict[str, Any] = json.loads(stage.python(_COUNT).strip().splitlines()[-1])
        if (findings["events"] >= people and not findings["unfinished"]) or time.monotonic() > end:
            return findings
        time.sleep(2)
