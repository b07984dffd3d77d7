import time

import pytest
from celery import Celery
from django.conf import settings

from contacts.pulse import Waker, drain


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Broker:
    def __init__(self) -> None:
        self.got: list[str] = []
        self.down = False

    def send(self, name: str) -> None:
        if self.down:
            raise ConnectionError
        self.got.append(name)


def test_hints_of_one_name_are_sent_sparingly() -> None:
    clock, broker = Clock(), Broker()
    waker = Waker(broker.send, clock)
    for _ in range(10):
        waker.wake("ingest")
    waker.wake("engine")
    clock.now += 0.06
    waker.wake("ingest")
    assert broker.got == ["ingest", "engine", "ingest"]


def test_a_broker_that_is_down_is_left_alone_for_a_while() -> None:
    clock, broker = Clock(), Broker()
    waker = Waker(broker.send, clock)
    broker.down = True
    waker.wake("ingest")
    broker.down = False
    clock.now += 0.5
    waker.wake("engine")
    assert broker.got == []
    clock.now += 0.6
    waker.wake("engine")
    assert broker.got == ["engine"]


def test_a_hint_to_a_broker_that_is_not_there_costs_little_time() -> None:
    app = Celery("tried", broker="redis://127.0.0.1:1/0", set_as_current=False)
    app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS

    def send(name: str) -> None:
        app.send_task(name, retry=False, ignore_result=True)

    waker = Waker(send)
    began = time.monotonic()
    waker.wake("ingest")
    assert time.monotonic() - began < 1


def test_draining_ends_when_nothing_is_left() -> None:
    batches = [5, 3, 0, 7]
    assert drain(lambda: batches.pop(0), seconds=5) == 8


@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_draining_ends_when_its_time_is_up(seconds: float) -> None:
    def step() -> int:
        time.sleep(0.01)
        return 1

    assert 1 <= drain(step, seconds=seconds) <= 4


def test_draining_gives_its_place_away_when_only_a_little_comes() -> None:
    batches = [9, 5, 2, 7]
    assert drain(lambda: batches.pop(0), seconds=5, full=4) == 16
