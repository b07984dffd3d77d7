"""The story that is told while parts of a stage die: who sends it, and what must be true in the end."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.findings import Findings, find
from tests.faults.stage import Stage

_SETUP = Path(__file__).with_name("scenario.py").read_text(encoding="utf-8")
# Ends as soon as nothing is left to do; a busy machine may take its time.
_SETTLE_SECONDS = 240


class Client:
    """Sends batches until each is answered 200, as an SDK does, and keeps a journal of what was."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.authorization = "Basic " + b64encode(f"{key}:".encode()).decode()
        self.acknowledged: set[str] = set()
        self.retries = 0

    def send(self, calls: list[dict[str, Any]], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not self.once(calls):
            assert time.monotonic() < end, f"a batch was not taken within {seconds} s"
            self.retries += 1
            time.sleep(0.1)

    def once(self, calls: list[dict[str, Any]]) -> bool:
        """Whether the server answered 200."""
        body = json.dumps({"batch": calls}).encode()
        request = urllib.request.Request(f"{self.url}/v1/batch", body, {"Authorization": self.authorization})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                if answer.status != 200:
                    return False
        except (OSError, urllib.error.URLError):
            return False
        self.acknowledged.update(call["messageId"] for call in calls)
        return True


def call(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Story Told",
        "userId": f"person{number}",
        "messageId": f"story-{number}",
        "properties": {"cart_id": f"cart-{number}"},
    }


def setup(stage: Stage, people: int) -> str:
    """People, a journey that mails whoever tells a story, the witness as mail server; a write key."""
    code = _SETUP.replace("MAIL_PORT", str(stage.mail_port)).replace("PEOPLE", str(people))
    return stage.python(code).strip().splitlines()[-1]


def settle(stage: Stage, people: int, seconds: float = _SETTLE_SECONDS) -> tuple[Findings, float]:
    """Wait until nothing is left to do; what the database holds then, and how many seconds it took."""
    began = time.monotonic()
    findings = None
    while True:
        with suppress(psycopg.OperationalError, OSError):
            findings = find(stage.home)
        took = time.monotonic() - began
        over = findings is not None and findings.events >= people and not findings.unfinished
        if over or took > seconds:
            assert findings is not None, "the database did not come back"
            return findings, took
        time.sleep(0.5)


def check(stage: Stage, client: Client, findings: Findings, people: int, story: str) -> dict[str, int]:
    """Compare journal, witness and database; gives what a tally counts."""
    mails = Counter(line.split()[0] for line in stage.mail_log.read_text().splitlines())
    missing = {f"person{n}@example.com" for n in range(people)} - set(mails) - findings.uncertain
    unmarked = set(mails) - findings.accepted - findings.uncertain
    assert client.acknowledged == {f"story-{n}" for n in range(people)}, story
    assert (findings.events, findings.twice) == (people, 0), story
    assert findings.without_wakeup == findings.unfinished == 0, f"{story}, waiting: {findings.waiting}"
    assert max(mails.values()) == 1, story
    assert not missing, story
    assert findings.accepted <= set(mails), story
    assert not unmarked, story
    return {
        "things": 2 * people, "lost": len(missing), "twice": sum(mails.values()) - len(mails),
        "uncertain": len(findings.uncertain), "unmarked": len(unmarked),
    }  # fmt: skip
