"""One contact with 100,000 entries: milliseconds of the first page of the timeline, in words, and of others.

Baseline: the query that one would write first, a union of all tables sorted by time, in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from benchmarks import harness
from benchmarks.populate import SECONDS_BACK, populate
from config import timeline, timeline_names, timeline_words
from config.contact_page import zone_of
from config.timeline import Asked
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact

WANTED = 100.0
"Milliseconds that the first page may take."

# Of a hundred entries: 90 events (a tenth of them ours), 3 messages, 3 decisions, 3 steps, 1 consent entry.
_EVENTS = f"""
INSERT INTO contacts_event (contact_id, lane, slot, source_id, kind, name, occurred_at, received_at,
    message_id, properties)
SELECT %(who)s, %(who)s %% 64, %(who)s %% 64, %(source)s, CASE WHEN i %% 10 = 0 THEN 7 ELSE 1 END,
    CASE WHEN i %% 10 = 0 THEN (ARRAY['Message Sent', 'Message Opened', 'Segment Entered', 'Segment Left',
            'Journey Entered'])[1 + i / 10 %% 5]
        ELSE (ARRAY['Product Viewed', 'Page Viewed', 'Product Added', 'Order Completed', 'Cart Viewed',
            'Checkout Started', 'Products Searched', 'Product List Viewed'])[1 + i %% 8] END,
    at, at, 'm' || i, jsonb_build_object('name', 'Thing ' || i %% 997, 'price', i %% 100, 'channel', 'email')
FROM (SELECT i, %(now)s - make_interval(secs => i * 7919 %% {SECONDS_BACK}) AS at
    FROM generate_series(1::bigint, %(count)s * 90 / 100) AS i) AS made
"""
_MESSAGES = f"""
INSERT INTO channels_message (created_at, slot, contact_id, key, origin_kind, origin_slug, origin_step,
    purpose, transactional, wanted, content, variables, priority, value, on_hold, state, channel, address,
    fence, attempts, provider_message_id, reason)
SELECT %(now)s - make_interval(secs => i * 15485863 %% {SECONDS_BACK}), %(who)s %% 64, %(who)s,
    gen_random_uuid(), 'journey', 'welcome', 'day_1', 'offers', false, '["email"]', '{{"email": "spring"}}',
    '{{}}', 50, 0, 'wait', 6, 'email', 'a@example.com', 0, 1, '', 'allowed'
FROM generate_series(1::bigint, %(count)s * 3 / 100) AS i
"""
_DECISIONS = """
INSERT INTO channels_decision (decided_at, slot, contact_id, message_id, message_created_at, outcome, channel,
    reason, trace)
SELECT created_at, slot, contact_id, id, created_at, 1, 'email', 'allowed', '[]' FROM channels_message
"""
_STEPS = """
INSERT INTO journeys_stepentry (at, slot, contact_id, run_id, journey_id, version_id, step, visit, outcome)
SELECT created_at, slot, contact_id, 1, 1, 1, 'day_1', id, 'intended' FROM channels_message
"""
_NAIVE = """
SELECT * FROM (
    SELECT occurred_at AS at, 0 AS rank, id, to_jsonb(e) AS row
        FROM contacts_event e WHERE contact_id = %(who)s
    UNION ALL SELECT created_at, 1, id, to_jsonb(m) FROM channels_message m WHERE contact_id = %(who)s
    UNION ALL SELECT decided_at, 2, id, to_jsonb(d) FROM channels_decision d WHERE contact_id = %(who)s
    UNION ALL SELECT occurred_at, 3, id, to_jsonb(c) FROM contacts_consententry c WHERE contact_id = %(who)s
    UNION ALL SELECT at, 4, id, to_jsonb(s) FROM journeys_stepentry s WHERE contact_id = %(who)s
    UNION ALL SELECT merged_at, 5, id, to_jsonb(g) FROM contacts_merge g WHERE winner_id = %(who)s
) AS entries ORDER BY at DESC, rank DESC, id DESC LIMIT 31
"""


def fill(who: int, source: int, entries: int, now: datetime) -> None:
    """Give one contact a long life."""
    values: dict[str, int | datetime] = {"who": who, "source": source, "count": entries, "now": now}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_EVENTS, _MESSAGES, _DECISIONS, _STEPS):
            cursor.execute(statement, values)
    consent.record(
        [
            NewConsent(
                who,
                "email",
                "offers",
                number % 2 == 0,
                "form",
                occurred_at=now - timedelta(seconds=number * 104_729 % SECONDS_BACK),
            )
            for number in range(1, entries // 100 + 1)
        ],
        now,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def median(act: Callable[[], Any], rounds: int) -> float:
    """Milliseconds; the first round warms up and does not count."""
    spent = []
    for _round in range(rounds + 1):
        began = time.perf_counter()
        act()
        spent.append(1000 * (time.perf_counter() - began))
    return statistics.median(spent[1:])


def drawn(contact: Contact, asked: Asked, **place: Any) -> timeline.Page:
    """A page read and put into words, as the contact's page does."""
    page = timeline.read(contact, asked, may_see=lambda _permission: True, **place)
    timeline_words.entries(page.rows, timeline_names.load(page.rows), zone_of(contact))
    return page


def naive(who: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_NAIVE, {"who": who})
        cursor.fetchall()


def measure(chosen: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    source = populate(chosen.contacts, chosen.events, now)
    contact = Contact.objects.order_by("id")[0]
    fill(contact.pk, source.pk, chosen.entries, now)
    middle = timeline.Mark(now - timedelta(seconds=SECONDS_BACK // 2), 0, 1)
    rounds = chosen.rounds
    with harness.Load() as load:
        baseline = median(lambda: naive(contact.pk), rounds)
        first = median(lambda: drawn(contact, Asked()), rounds)
        others = {
            "older, from the middle": lambda: drawn(contact, Asked(), below=middle),
            "newer, from the middle": lambda: drawn(contact, Asked(), above=middle),
            "one kind": lambda: drawn(contact, Asked(kind="journeys")),
            "one name": lambda: drawn(contact, Asked(name="Order Completed")),
            "one channel": lambda: drawn(contact, Asked(channel="email")),
            "a week a month ago": lambda: drawn(
                contact, Asked(since=now - timedelta(days=37), until=now - timedelta(days=30))
            ),
            "words that occur": lambda: drawn(contact, Asked(words="Thing 33")),
            "words that do not": lambda: drawn(contact, Asked(words="nowhere")),
            "the whole page over HTTP": _whole_page(contact),
        }
        found = {name: median(act, rounds) for name, act in others.items()}
    print(f"{chosen.entries:,} entries of one contact; medians of {rounds}, milliseconds")
    for name, spent in {"first page, in words": first, **found, "naive union": baseline}.items():
        print(f"  {name:28} {spent:8.1f}")
    print(load)
    print(f"the first page {'keeps' if first < WANTED else 'MISSES'} its {WANTED:.0f} ms")
    harness.report("timeline", ours=first, baseline=baseline, kind="time")


def _whole_page(contact: Contact) -> Callable[[], Any]:
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser("bench", "bench@example.com"))
    return lambda: client.get(f"/admin/contacts/contact/{contact.pk}/change/").content


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=100_000, help="of the one contact")
    parser.add_argument("--contacts", type=int, default=20_000, help="others")
    parser.add_argument("--events", type=int, default=300_000, help="of the others")
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    with harness.database():
        measure(chosen)


if __name__ == "__main__":
    main()
