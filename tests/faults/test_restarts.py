"""Workers restarted politely and a broker that dies, over and over, in the middle of a mailing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.faults.matrix import FULL
from tests.faults.stage import Stage
from tests.faults.test_whole_loop import Client, call, settle

PEOPLE = 600
_SETUP = Path(__file__).with_name("scenario.py").read_text(encoding="utf-8")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.environ.get("SEGUE_FAULTS") != "full", reason=f"only in the full matrix: {', '.join(FULL)}"
    ),
]


def test_polite_restarts_and_a_dying_broker_lose_nothing_and_leave_nothing_unclear(seed: int) -> None:
    dice = random.Random(seed)
    with Stage() as stage:
        setup = _SETUP.replace("MAIL_PORT", str(stage.mail_port)).replace("PEOPLE", str(PEOPLE))
        client = Client(stage.url, stage.python(setup).strip().splitlines()[-1])
        for turn, start in enumerate(range(0, PEOPLE, 50)):
            client.send([call(n) for n in range(start, start + 50)])
            if turn % 3 == 2:
                stage.kill("valkey-server")
            else:
                _restart_worker(stage)
            time.sleep(dice.uniform(0.2, 1.2))
        findings = settle(stage, PEOPLE)
    mails = Counter(line.split()[0] for line in stage.mail_log.read_text().splitlines())
    story = f"seed {seed}, {findings['states']}"
    assert mails == {f"person{n}@example.com": 1 for n in range(PEOPLE)}, story
    assert findings["uncertain"] == [], story
    assert findings["unfinished"] == findings["without_wakeup"] == 0, story
    shutil.rmtree(stage.home)


def _restart_worker(stage: Stage) -> None:
    """SIGTERM, as a deployment does; the supervisor starts the next one."""
    workers = stage.processes("celery --quiet --app config worker")
    above = [worker for worker in workers if not _below(worker, workers)]
    for worker in above:
        try:
            worker.send_signal(signal.SIGTERM)
        except psutil.Error:
            continue


def _below(worker: psutil.Process, workers: list[psutil.Process]) -> bool:
    try:
        return worker.ppid() in {other.pid for other in workers}
    except psutil.Error:
        return True
