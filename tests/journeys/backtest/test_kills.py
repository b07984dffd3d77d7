from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.backtest import playing
from journeys.models import BacktestRun
from tests.factories import NOON, log_event
from tests.journeys.backtest.test_running import NOW, START, ask, drafted, subscriber
from tests.journeys.test_faults import work_elsewhere

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORK = "from journeys.backtest import playing; playing.work(lambda: now, seconds=30)"


def test_a_worker_killed_before_it_kept_what_it_played_costs_that_part_alone() -> None:
    for _person in range(3):
        log_event(subscriber(), "Cart", START + timedelta(days=1))
    run = ask(drafted())
    assert work_elsewhere(NOON, "backtest.played:2", WORK) == 137
    assert run.parts.filter(result__isnull=False).count() == 1
    while playing.work(lambda: NOW, seconds=20):
        pass
    run.refresh_from_db()
    assert run.state == BacktestRun.State.DONE
    assert (run.result or {})["entries"] == 3
