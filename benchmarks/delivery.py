"""Personalised mails to a local SMTP server, beside the loop that everybody writes first.

The same people get the same starter template with four products. The plain loop renders with Liquid, builds
a Django EmailMultiAlternatives and sends over one kept connection; it has no database, no tracking and no
memory. Ours takes due messages from the outbox, asks the policy again, writes, tracks and records each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time as time_module
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import connection
from liquid import Environment

from benchmarks import harness, ill_domain
from benchmarks.stages import Stages
from channels import (
    deciding,
    delivery_claim,
    delivery_parcels,
    delivery_record,
    links,
    rendering_markup,
    rendering_people,
    starter,
)
from channels.delivery import Crew
from channels.models import Message, ProviderAccount, TemplateVersion
from channels.providers import smtp
from contacts import consent, slots
from contacts.consent import NewConsent
from contacts.models import Contact, Purpose

_PRODUCTS = [
    {"name": name, "price": price, "url": f"https://shop.example/{place}"}
    for place, (name, price) in enumerate(
        [("Pears", 2.4), ("Bread", 3.1), ("Cheese", 7.9), ("Oil & more", 12), ("Salt", 1), ("Crème", 4.25),
         ("Tea", 6.5), ("Honey", 9), ("Rice", 2.15), ("Figs", 5.75), ("Soap", 3), ("Nuts <mixed>", 8.4)]
    )
]  # fmt: skip
_LEFT = ("Coffee <dark>", "Coffee <light>", "Cups", "A grinder", "A kettle")


def now() -> datetime:
    """Today at noon, when no quiet hours hold anything back."""
    return datetime.combine(datetime.now(UTC).date(), time(12), UTC)


def about(person: int) -> dict[str, Any]:
    """What one person left in the cart, and the four products that go with it: 60 kinds of them."""
    twice = [*_PRODUCTS, *_PRODUCTS]
    place = person % len(_PRODUCTS)
    event = {"name": _LEFT[person % len(_LEFT)], "price": 8.5 + person % len(_LEFT)}
    return {"event": event, "products": twice[place : place + 4]}


@contextmanager
def sink() -> Iterator[tuple[subprocess.Popen[str], int]]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.smtp_sink"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout
        yield server, int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


def taken(server: subprocess.Popen[str]) -> tuple[int, int]:
    """How many mails the sink took since it was asked last, and microseconds of processor time for them."""
    assert server.stdin
    assert server.stdout
    server.stdin.write("\n")
    server.stdin.flush()
    mails, spent = server.stdout.readline().split()
    return int(mails), int(spent)


def stage(count: int, port: int) -> None:
    """People who agreed, an SMTP account, and a message to each that may leave now."""
    starter.load(now())
    ProviderAccount.objects.filter(channel="email").delete()
    ProviderAccount.objects.create(
        name="sink", channel="email", kind="smtp",
        settings={"host": "127.0.0.1", "port": port, "security": "none", "from_email": "hello@shop.example",
                  "from_name": "Corner Shop", "postal_address": "1 Market Street"},
    )  # fmt: skip
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    moment = now()
    people = Contact.objects.bulk_create(
        Contact(slot=0, email=f"person{i}@example.com", first_name=f"Zoé {i}", language="en", known=True,
                timezone="UTC", first_seen_at=moment, last_seen_at=moment, updated_at=moment)
        for i in range(count)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_contact SET slot = id %% %s", [slots.SLOTS])
    consent.record([NewConsent(person.id, "email", "offers", True, "bench") for person in people], moment)
    Message.objects.bulk_create(
        Message(created_at=moment, due_at=moment, slot=slots.of(person.id), contact=person, key=uuid.uuid4(),
                purpose="offers", channel="email", address=person.email, state=Message.State.QUEUED,
                content={"email": "cart-reminder-email"},
                variables=about(place))
        for place, person in enumerate(people)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def plain(count: int, port: int) -> None:
    """The loop that everybody writes first."""
    version = TemplateVersion.objects.get(template__slug="cart-reminder-email", language="en")
    marks = rendering_markup.MARK
    text = marks.sub(lambda match: match[2], rendering_markup.to_text(version.compiled))
    html_engine, text_engine = Environment(autoescape=True), Environment()
    for engine in (html_engine, text_engine):
        engine.add_filter("money", lambda value, code: f"${value:.2f}")
    subject, page, words = (
        text_engine.from_string(version.subject),
        html_engine.from_string(version.compiled),
        text_engine.from_string(text),
    )
    backend = get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port, timeout=30
    )
    backend.open()
    for i in range(count):
        context: dict[str, Any] = {
            "contact": {"first_name": f"Zoé {i}", "email": f"person{i}@example.com"},
            **about(i),
            "organisation": {"name": "Corner Shop", "address": "1 Market Street"},
            "message": {
                "unsubscribe_url": f"https://shop.example/u/{i}",
                "preferences_url": "https://x.example/",
            },
        }
        mail = EmailMultiAlternatives(
            subject.render(**context), words.render(**context), "Corner Shop <hello@shop.example>",
            [f"person{i}@example.com"],
            headers={"List-Unsubscribe": f"<https://shop.example/u/{i}>",
                     "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        )  # fmt: skip
        mail.attach_alternative(page.render(**context), "text/html")
        backend.send_messages([mail])
    backend.close()


def work() -> None:
    """One worker process, as Celery would run it: it says when it is up, and begins when it is told to.

    At the end it says, as JSON, what each stage cost it.
    """
    stages = _watched()
    crew = Crew()
    connection.ensure_connection()
    print("up", flush=True)
    sys.stdin.readline()
    began = time_module.process_time()
    while crew.deliver(now):
        continue
    crew.close()
    stages.spent["all"] += time_module.process_time() - began  # type: ignore[assignment]
    print(json.dumps(stages.spent), flush=True)


def _watched() -> Stages:
    stages = Stages()
    stages.watch(delivery_claim, "claim", "claim")
    stages.watch(deciding, "recheck", "recheck")
    stages.watch(delivery_parcels, "pack", "render")
    stages.watch(rendering_people, "people", "people")
    stages.watch(links, "ids", "link rows")
    stages.watch(delivery_record, "transmitting", "mark")
    stages.watch(delivery_record, "results", "record")
    stages.watch(smtp.Smtp, "send", "transmit")
    return stages


def _tell(spent: Counter[str], ours: harness.Spent, sink: int, mails: int) -> None:
    # Not that of starting the workers, which is no part of a mail.
    ours.python = spent.pop("all")
    parts = [f"{name} {1e6 * seconds / mails:.0f}" for name, seconds in spent.most_common()]
    rest = ours.python - sum(spent.values())
    print(f"µs of Python's CPU a mail: {', '.join(parts)}, rest {1e6 * rest / mails:.0f}")
    print(f"µs of the sink's CPU a mail: {sink / mails:.0f}")


def _begin(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin
    worker.stdin.write("\n")
    worker.stdin.flush()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=settings.SEGUE_TASK_WORKERS)
    parser.add_argument("--part", choices=["all", "speed", "ill_domain"], default="all")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work()
        return
    with harness.database(), sink() as (server, port):
        if chosen.part == "ill_domain":
            stage(500, port)
            Message.objects.all().delete()
        else:
            measure(chosen, server, port)
        if chosen.part != "speed":
            ill_domain.measure(now())


def measure(chosen: argparse.Namespace, server: subprocess.Popen[str], port: int) -> None:
    stage(chosen.mails, port)
    taken(server)
    few = max(500, min(5_000, chosen.mails // 5))
    with harness.stopwatch() as loop:
        plain(few, port)
    arrived, spent_there = taken(server)
    if arrived != few:
        raise SystemExit("the plain loop lost mails")
    print(f"plain loop: {loop.describe(few, 'mail')}; the sink's {spent_there / few:.0f} µs")
    command = [sys.executable, "-m", "benchmarks.delivery", "--worker"]
    workers = [
        subprocess.Popen(command, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(chosen.workers)
    ]
    # Workers live for days: starting them is no part of a mail's cost.
    for worker in workers:
        assert worker.stdout
        worker.stdout.readline()
    with harness.stopwatch() as ours, harness.Load() as load:
        for worker in workers:
            _begin(worker)
        codes = [worker.wait() for worker in workers]
    spent: Counter[str] = Counter()
    for worker in workers:
        assert worker.stdout
        spent.update(json.loads(worker.stdout.readline()))
    arrived, spent_there = taken(server)
    accepted = Message.objects.filter(state=Message.State.ACCEPTED).count()
    print(f"at the sink {arrived:,}, recorded as accepted {accepted:,} of {chosen.mails:,}")
    if any(codes) or not arrived == accepted == chosen.mails:
        raise SystemExit("mails are missing")
    _tell(spent, ours, spent_there, chosen.mails)
    print(f"{chosen.workers} workers: {ours.describe(chosen.mails, 'mail')}")
    print(load)
    harness.report("delivery", ours=chosen.mails / ours.wall, baseline=few / loop.wall)


if __name__ == "__main__":
    main()
