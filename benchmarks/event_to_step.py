"""From an event that was accepted to its message in the provider's hands, at 1,000 events a second.

The worker of `make run` with its pulses, on durable servers; one event in twenty starts the journey that
sends, the others feed three more live journeys. Beside it the hand-written way at the same rate: one Celery
task an event that stores it and, where it counts, hands the message over at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
from celery import current_app
from django.db import connection

from benchmarks import harness
from benchmarks.engine_by_hand import app, handle_event
from benchmarks.populate import populate
from channels import starter
from channels.models import Message, ProviderAccount, SandboxMessage
from config.celery import PULSES
from config.processes import spawn, stop
from contacts import event_log, pulse, slots
from contacts.intake_event import IntakeEvent, pack
from contacts.models import InboxItem, Purpose
from journeys.models import Journey, JourneyVersion

TICK = 0.05
SIGNED_UP = 20
"One event in so many is the one that counts."
REST = {"type": "wait", "for": "10 days"}
SEND = {"type": "send", "channels": ["email"], "content": {"email": "welcome-email"}, "purpose": "service"}
MEASURED = {
    "trigger": {"event": "Signed Up"},
    "entry": {"mode": "always", "key": "number"},
    "start": "hello",
    "steps": {"hello": {**SEND, "next": "rest"}, "rest": REST},
}


def _other(event: str) -> dict[str, object]:
    rule = {"event": "Order Completed", "within": "60 days"}
    asked = {"type": "branch", "branches": [{"name": "yes", "if": rule, "next": "rest"}], "else": "rest"}
    return {
        "trigger": {"event": event},
        "entry": {"mode": "window", "window": "10 days"},
        "goal": {"event": "Order Completed"},
        "start": "asked",
        "steps": {"asked": asked, "rest": REST},
    }


OTHERS = {name: _other(name) for name in ("Product Viewed", "Product Added", "Page Viewed")}
NAMES = [*OTHERS, "Order Completed"]


def stage(contacts: int, now: datetime) -> ProviderAccount:
    """People with a past, what is needed to send, and the four journeys, live."""
    source = populate(contacts, 5 * contacts, now)
    starter.load(now)
    Purpose.objects.update_or_create(slug="service", defaults={"name": "Service", "transactional": True})
    account, _new = ProviderAccount.objects.get_or_create(
        channel="email", defaults={"name": "sandbox", "kind": "sandbox"}
    )
    for name, graph in {"Signed Up": MEASURED, **OTHERS}.items():
        journey = Journey.objects.create(
            name=name, slug=name.lower().replace(" ", "-"), status=Journey.Status.LIVE, draft=graph
        )
        version = JourneyVersion.objects.create(journey=journey, number=1, graph=graph, published_at=now)
        Journey.objects.filter(pk=journey.pk).update(live_version_id=version.pk)
    for reader in ("triggers", "segments", "rollup"):
        event_log.start_at_end(reader)
    assert source.pk
    return account


def name_of(number: int) -> str:
    return "Signed Up" if number % SIGNED_UP == 0 else NAMES[number % len(NAMES)]


def ours(contacts: int, rate: int, seconds: float) -> list[float]:
    """Seconds of each message from its event's commit to the provider, in order."""
    accepted: dict[int, datetime] = {}

    def take(numbers: Sequence[int]) -> None:
        now = datetime.now(UTC)
        InboxItem.objects.bulk_create(_item(number, 1 + number * 7919 % contacts, now) for number in numbers)
        done = datetime.now(UTC)
        accepted.update((number, done) for number in numbers if number % SIGNED_UP == 0)
        pulse.wake("ingest")

    worker = _worker("config", os.cpu_count() or 2)
    try:
        _feed(take, rate, seconds, ticking=True)
        _until(lambda: SandboxMessage.objects.count() >= len(accepted), 60)
    finally:
        stop(worker, signal.SIGTERM, patience=10)
    handed = dict(SandboxMessage.objects.values_list("message_id", "received_at"))
    waits = []
    for message_id, variables, state in Message.objects.values_list("id", "variables", "state"):
        number = int(variables["event"]["number"])
        if message_id in handed:
            waits.append((handed[message_id] - accepted[number]).total_seconds())
        else:
            print(f"message {number} did not leave: state {state}")
    print(f"{len(accepted):,} events that count, {len(waits):,} messages")
    return sorted(waits)


def _item(number: int, contact: int, now: datetime) -> InboxItem:
    user = f"u{contact}"
    event = IntakeEvent(
        type="track",
        name=name_of(number),
        message_id=uuid.uuid4().hex,
        occurred_at=now,
        user_id=user,
        properties=msgspec.Raw(msgspec.json.encode({"number": number, "price": 20})),
        context=msgspec.Raw(b"{}"),
    )
    return InboxItem(lane=slots.lane(user), source_id=1, received_at=now, payload=pack(event))


def by_hand(contacts: int, rate: int, seconds: float, account: ProviderAccount) -> list[float]:
    sent: dict[int, datetime] = {}

    def take(numbers: Sequence[int]) -> None:
        for number in numbers:
            sent[number] = datetime.now(UTC)
            handle_event.delay(1 + number * 7919 % contacts, name_of(number), number, account.pk)

    app.conf.update(broker_url=os.environ["BROKER_URL"])
    SandboxMessage.objects.all().delete()
    worker = _worker("benchmarks.engine_by_hand", os.cpu_count() or 2)
    counted = int(rate * seconds) // SIGNED_UP
    try:
        _feed(take, rate, seconds, ticking=False)
        _until(lambda: SandboxMessage.objects.count() >= counted, 60)
    finally:
        stop(worker, signal.SIGTERM, patience=10)
    rows = SandboxMessage.objects.values_list("headers", "received_at")
    waits = [(at - sent[headers["number"]]).total_seconds() for headers, at in rows]
    # Those that did not come at all waited for as long as we did, at least.
    return sorted(waits) + [60.0] * (counted - len(waits))


def _worker(target: str, concurrency: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "celery", "--quiet", "-A", target, "worker", "--pool", "prefork"]
    command += ["--concurrency", str(max(concurrency, 4)), "--loglevel", "ERROR"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    found = spawn(command, on_parent_death=signal.SIGKILL, environment=os.environ | {"SEGUE_SUPERVISED": "1"})
    time.sleep(6)  # it loads Django in each of its processes
    return found


def _feed(take: Callable[[Sequence[int]], None], rate: int, seconds: float, *, ticking: bool) -> None:
    """``rate`` events a second, evenly; with ``ticking`` what beat does besides."""
    began, number, beat = time.monotonic(), 0, 0
    while (passed := time.monotonic() - began) < seconds:
        until = int(passed * rate)
        if until > number:
            take(range(number + 1, until + 1))
            number = until
        if ticking and int(passed) > beat:
            beat = int(passed)
            tick()
        time.sleep(TICK)
    print(f"{number / seconds:,.0f} events/s for {seconds:.0f} s", flush=True)


def tick() -> None:
    for each in PULSES:
        if each.every == 1:
            current_app.send_task(each.task, ignore_result=True, expires=30)


def _until(done: Callable[[], bool], patience: float) -> None:
    give_up = time.monotonic() + patience
    while not done() and time.monotonic() < give_up:
        tick()
        time.sleep(0.5)


def p95(waits: Sequence[float]) -> float:
    return waits[int(len(waits) * 0.95)] if waits else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args()
    with harness.started():
        current_app.conf.update(broker_url=os.environ["BROKER_URL"])
        account = stage(chosen.contacts, datetime.now(UTC))
        with harness.Load() as load:
            waits = ours(chosen.contacts, chosen.rate, chosen.seconds)
        print(load)
        if not waits:
            raise SystemExit("no message arrived")
        print(f"median {waits[len(waits) // 2]:.2f} s, p95 {p95(waits):.2f} s, longest {waits[-1]:.2f} s")
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE contacts_inboxitem")
        slow = by_hand(chosen.contacts, chosen.rate, min(chosen.seconds, 10.0), account)
        harness.report("event_to_step", ours=p95(waits), baseline=p95(slow), kind="time")


if __name__ == "__main__":
    main()
