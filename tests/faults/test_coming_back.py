"""A gateway that asks for a pause gets it, and its speed again right after; for the full matrix."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from channels import delivery
from channels.models import Message
from tests.contracts.http_peer import Asked, http_peer
from tests.factories import make_contact, make_provider, make_queued, make_template
from tests.faults.conftest import Tally
from tests.faults.matrix import FULL, WHOLE

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(not WHOLE, reason=f"only in the full matrix: {', '.join(FULL)}"),
]
#: A second, of the account; so that the machine is not what is measured.
RATE = 40
BEFORE, PAUSE, BACK = 5.0, 3.0, 10.0
#: What was under way when the first was told to wait may still arrive.
UNDERWAY = 0.5
#: Seconds over which a speed is taken.
SPAN = 3.0


class Gateway:
    """Takes everything, then asks once for a pause and refuses what comes in it, then takes all again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.began = self.asked_at = 0.0
        self.taken: list[float] = []
        self.early = 0

    def choose(self, _asked: Asked) -> str:
        now = time.monotonic()
        with self.lock:
            self.began = self.began or now
            if not self.asked_at and now > self.began + BEFORE:
                self.asked_at = now
            if self.asked_at and now < self.asked_at + PAUSE:
                self.early += now > self.asked_at + UNDERWAY
                return "busy_soon"
            self.taken.append(now)
            return "ok"

    def speed(self, start: float) -> float:
        return sum(start <= at < start + SPAN for at in self.taken) / SPAN


def test_a_gateway_that_named_a_time_has_its_speed_back_within_ten_seconds(
    settings: Settings, tally: Tally
) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    gateway = Gateway()
    with http_peer() as peer:
        peer.choose = gateway.choose
        make_template("text", channel="sms", body="Hi")
        make_provider(
            "sms", name="sms", kind="http_sms", settings={"url": peer.url("ok")}, rate_per_second=RATE
        )
        people = int(RATE * (BEFORE + BACK + 2 * SPAN))
        for _one in range(people):
            make_queued(
                make_contact(), channel="sms", address="+33612345678", content={"sms": "text"},
                now=datetime.now(UTC), transactional=True,
            )  # fmt: skip
        _deliver_all()
    back = gateway.asked_at + PAUSE
    before = gateway.speed(gateway.asked_at - SPAN)
    instants = [back + tenth / 10 for tenth in range(200)]
    soon = next((at - back for at in instants if gateway.speed(at) >= 0.95 * before), 99.0)
    print(f"{before:.1f} a second before; 95 % of it {soon:.1f} s after the time that was named")
    tally(things=people, lost=people - len(gateway.taken), seconds=soon)
    assert gateway.early == 0
    assert soon <= BACK
    assert len(gateway.taken) == people


def _deliver_all() -> None:
    crew = delivery.Crew(connections=4)
    end = time.monotonic() + 120
    try:
        while Message.objects.exclude(state=Message.State.ACCEPTED).exists():
            assert time.monotonic() < end
            if not crew.deliver(lambda: datetime.now(UTC), share=False):
                time.sleep(0.05)
    finally:
        crew.close()
