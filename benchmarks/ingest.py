"""Inbox to profile, log and segments, over 100,000 contacts with a past: events a second on all cores.

Baselines: the best open peer's 374 events/s, and a plain Django loop, an event at a time, in the same run.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction

from benchmarks import harness
from benchmarks.populate import populate
from contacts import event_log, ingest, once, segments, slots
from contacts.intake_event import IntakeEvent, pack
from contacts.models import Contact, Event, Identifier, InboxItem, OnceKey, Segment, Source

BEST_PEER = 374
"Events/s of the best open platform measured on such a machine."
_CONTEXT = msgspec.Raw(
    b'{"library":{"name":"analytics.js","version":"4.1.0"},"ip":"203.0.113.7","locale":"fr-FR",'
    b'"page":{"path":"/shoes","url":"https://shop.example.com/shoes","title":"Shoes"},'
    b'"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0"}'
)
_NAMES = ["Product Viewed", "Product List Viewed", "Product Added", "Cart Viewed", "Order Completed"]


RULES: dict[str, dict[str, Any]] = {
    "gold": {"attribute": "plan", "op": "is", "value": "gold"},
    "french": {
        "all": [
            {"attribute": "country", "op": "is", "value": "FR"},
            {"attribute": "known", "op": "is", "value": True},
        ]
    },
    "buyers": {"event": "Order Completed", "count": {"gte": 1}, "within": "30 days"},
    "lookers": {"event": "Product Viewed", "count": {"gte": 3}, "within": "7 days"},
    "left-carts": {
        "all": [
            {"event": "Product Added", "count": {"gte": 1}, "within": "3 days"},
            {"event": "Order Completed", "count": {"lte": 0}, "within": "3 days"},
        ]
    },
}


def events(count: int, contacts: int, now: datetime) -> Iterator[IntakeEvent]:
    """A shop's stream: mostly views and carts of known people, some identify calls, some strangers."""
    dice = random.Random(42)
    for number in range(count):
        share, person = dice.random(), dice.randrange(1, contacts + 1)
        at = now - timedelta(seconds=dice.randrange(600))
        if share < 0.85:
            kind, name = "track", dice.choice(_NAMES)
            properties = {
                "product_id": f"sku{dice.randrange(5000)}",
                "price": 19.9,
                "quantity": 1,
                "brand": "Acme",
            }
        elif share < 0.95:
            kind, name, properties = "page", "Shoes", {"path": "/shoes", "referrer": "https://example.com/"}
        else:
            kind, name = "identify", ""
            properties = {
                "email": f"person{person}@example.com",
                "plan": "gold",
                "score": dice.randrange(100),
            }
        stranger = share > 0.83 and share < 0.85
        yield IntakeEvent(
            type=kind,
            name=name,
            message_id=f"bench-{number}-{dice.getrandbits(64):016x}",
            occurred_at=at,
            user_id=None if stranger else f"u{person}",
            anonymous_id=f"s{number}" if stranger else f"a{person}",
            properties=msgspec.Raw(msgspec.json.encode(properties)),
            context=_CONTEXT,
        )


def fill(source: Source, made: Iterator[IntakeEvent], now: datetime) -> None:
    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy(
            "COPY contacts_inboxitem (lane, source_id, received_at, rejection, payload)"
            " FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["int2", "int4", "timestamptz", "text", "bytea"])
        for event in made:
            lane = slots.lane(event.user_id or event.anonymous_id or "")
            copy.write_row((lane, source.pk, now, "", pack(event)))


def make_segments(now: datetime) -> None:
    """Segments such as a shop keeps, computed whole once."""
    for name, rule in RULES.items():
        segments.refresh(Segment.objects.create(name=name, slug=name, rule=rule), now)
    event_log.start_at_end(segments.READER)


def work() -> None:
    """One worker: the two pulses by turns, until neither finds anything."""
    while ingest.take_in(datetime.now(UTC)) + segments.follow(datetime.now(UTC)):
        pass


def plain(source: Source, made: Iterator[IntakeEvent], now: datetime) -> None:
    """What one would write first: an event at a time, with Django's own means, one transaction each."""
    for event in made:
        with transaction.atomic():
            key = once.key("event", source.pk, event.message_id)
            if not OnceKey.objects.get_or_create(key=key, defaults={"seen_on": now.date()})[1]:
                continue
            contact = _plain_contact(event, now)
            if event.type == "identify":
                contact.attributes |= event.properties_dict()
            contact.last_seen_at = max(contact.last_seen_at, event.occurred_at)
            contact.save()
            Event.objects.create(
                lane=contact.slot,
                slot=contact.slot,
                contact_id=contact.pk,
                source_id=source.pk,
                kind=1,
                name=event.name or "Identified",
                occurred_at=event.occurred_at,
                received_at=now,
                message_id=event.message_id,
                properties=event.properties_dict(),
                context=event.context_dict(),
            )


def _plain_contact(event: IntakeEvent, now: datetime) -> Contact:
    wanted = [("user", event.user_id), ("anonymous", event.anonymous_id)]
    given = [(kind, value) for kind, value in wanted if value]
    for kind, value in given:
        found = Identifier.objects.select_related("contact").filter(kind=kind, value=value).first()
        if found:
            return found.contact
    contact = Contact(slot=0, first_seen_at=now, last_seen_at=now, updated_at=now)
    contact.save()
    contact.slot = slots.of(contact.pk)
    for kind, value in given:
        Identifier.objects.create(kind=kind, value=value, contact=contact, slot=contact.slot, created_at=now)
    return contact


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--history", type=int, default=300_000, help="events that are in the log before")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work()
        return
    with harness.database():
        measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    source = populate(chosen.contacts, chosen.history, now)
    make_segments(now)
    few = 1_000
    with harness.stopwatch() as loop:
        plain(source, events(few, chosen.contacts, now), now)
    print(f"plain Django loop: {loop.describe(few, 'event')}")
    dice = random.Random(7)
    fill(source, (fresh(event, dice) for event in events(chosen.events, chosen.contacts, now)), now)
    command = [sys.executable, "-m", "benchmarks.ingest", "--worker"]
    with harness.stopwatch() as batches, harness.Load() as load:
        workers = [subprocess.Popen(command, env=os.environ) for _ in range(chosen.workers)]
        codes = [worker.wait() for worker in workers]
    if any(codes):
        raise SystemExit("a worker failed")
    logged = Event.objects.filter(message_id__startswith="again").count()
    unread = segments.follow(datetime.now(UTC))
    print(f"sent {chosen.events:,}; in the log {logged:,}; left {InboxItem.objects.count()}, unread {unread}")
    print(f"{chosen.workers} workers, batches of {ingest.BATCH}: {batches.describe(chosen.events, 'event')}")
    print(load)
    ours = chosen.events / batches.wall
    harness.report("ingest_plain_loop", ours=ours, baseline=few / loop.wall)
    harness.report("ingest", ours=ours, baseline=BEST_PEER)


def fresh(event: IntakeEvent, dice: random.Random) -> IntakeEvent:
    return msgspec.structs.replace(event, message_id=f"again-{dice.getrandbits(96):024x}")


if __name__ == "__main__":
    main()
