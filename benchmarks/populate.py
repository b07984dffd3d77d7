"""Fill the database with contacts and their past: ``python -m benchmarks.populate --contacts 100000``.

Contact i has the user id ``u<i>``, the anonymous id ``a<i>`` and an email; ids begin at 1 in a fresh
database. Events are spread over the last 90 days, in the order of time, as a log has them; who does what
comes from a hash, so that everybody does a little of everything. Deterministic for the same numbers.
"""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from contacts import partitions, slots
from contacts.models import Source

SECONDS_BACK = 90 * 86_400

_CONTACTS = f"""
WITH new AS (SELECT nextval('contacts_contact_id_seq') AS i FROM generate_series(1, %(contacts)s))
INSERT INTO contacts_contact (id, slot, public_id, email, phone, first_name, last_name, language, timezone,
    country, attributes, inferred, known, first_seen_at, last_seen_at, updated_at)
SELECT i, i %% %(slots)s, gen_random_uuid(), 'person' || i || '@example.com', '',
    'First' || i %% 500, 'Last' || i %% 3000, (ARRAY['en', 'fr', 'de'])[1 + i %% 3], 'Europe/Paris',
    (ARRAY['GB', 'FR', 'DE'])[1 + i %% 3],
    jsonb_build_object('city', 'City ' || i %% 200, 'plan', (ARRAY['free', 'plus', 'gold'])[1 + i %% 3],
        'orders', i %% 20, 'birthday', to_char(date '1950-01-01' + (i * 7919 %% 20000)::int, 'YYYY-MM-DD')),
    '{{}}', true, %(now)s - make_interval(secs => {SECONDS_BACK}),
    %(now)s - make_interval(secs => i %% 86400), %(now)s
FROM new
"""

_IDENTIFIERS = """
INSERT INTO contacts_identifier (kind, value, contact_id, slot, created_at)
SELECT kind, CASE kind WHEN 'user' THEN 'u' || id WHEN 'anonymous' THEN 'a' || id ELSE email END, id,
    slot, %(now)s
FROM contacts_contact CROSS JOIN unnest(ARRAY['user', 'anonymous', 'email']) AS kind
"""

# What stands, without its ledger: four of five said something about offers by email, two about SMS.
_CONSENTS = """
INSERT INTO contacts_consentstate (contact_id, slot, channel, purpose, allowed, entry_id, since)
SELECT id, slot, channel, 'offers', id %% 7 > 0, 0, %(now)s
FROM contacts_contact CROSS JOIN (VALUES ('email', 4), ('sms', 2)) AS asked(channel, share)
WHERE id %% 5 < share
"""

_EVENTS = f"""
INSERT INTO contacts_event (contact_id, lane, slot, source_id, kind, name, occurred_at, received_at,
    message_id, properties)
SELECT person, person %% %(slots)s, person %% %(slots)s, %(source)s, CASE WHEN what >= 13 THEN 7 ELSE 1 END,
    (ARRAY['Product Viewed', 'Product Viewed', 'Product Viewed', 'Product Viewed', 'Product Viewed',
        'Page Viewed', 'Page Viewed', 'Page Viewed', 'Product Added', 'Product Added', 'Checkout Started',
        'Order Completed', 'Order Completed', 'Message Sent', 'Message Sent', 'Message Opened'])[1 + what],
    at, at, 'p' || i,
    jsonb_build_object('product_id', 'sku' || i * 7919 %% 5000, 'price', (i * 104729 %% 20000)::numeric / 100,
        'total', (i * 15485863 %% 50000)::numeric / 100, 'category', 'category ' || i %% 40,
        'channel', 'email')
FROM (
    SELECT i, hashint8(i) & 15 AS what,
        1 + (hashint8extended(i, 1) & 1152921504606846975) %% %(contacts)s AS person,
        %(now)s - make_interval(secs => ({SECONDS_BACK}::float8 * (%(events)s - i)) / %(events)s) AS at
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i
) AS made
"""
_SHARES = 2
"Events are made by so many connections at once."


def populate(contacts: int, events: int, now: datetime) -> Source:
    """Fill an empty database; returns the source that the events came from."""
    source, _new = Source.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    for table in partitions.tables():
        partitions.ensure(table, (now - timedelta(seconds=SECONDS_BACK)).date(), now.date())
    values: dict[str, int | datetime] = {
        "contacts": contacts,
        "events": events,
        "now": now,
        "source": source.pk,
        "slots": slots.SLOTS,
    }
    indexes = _indexes()
    _run(f"DROP INDEX {', '.join(indexes)}")
    with ThreadPoolExecutor(_SHARES + 1) as makers:
        bounds = [events * share // _SHARES for share in range(_SHARES + 1)]
        made = [
            makers.submit(_run, _EVENTS, **values, first=first + 1, last=last)
            for first, last in itertools.pairwise(bounds)
        ]
        made.append(makers.submit(_run, _CONTACTS, _IDENTIFIERS, _CONSENTS, **values))
        for each in made:
            each.result()
        # An index that is made of what is there costs a fraction of one that is kept meanwhile.
        for each in [makers.submit(_run, definition) for definition in indexes.values()]:
            each.result()
    _run("ANALYZE")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM contacts_contact, contacts_event, contacts_consentstate, contacts_identifier")
    return source


def _indexes() -> dict[str, str]:
    """Name and definition of the indexes of the whole log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, replace(indexdef, ' ON ONLY ', ' ON ') FROM pg_indexes"
            " WHERE tablename = 'contacts_event'"
        )
        return dict(cursor.fetchall())


def _run(*statements: str, **values: int | datetime) -> None:
    """Run statements in one transaction on a connection of this thread's own."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off; SET LOCAL maintenance_work_mem = '1GB'")
            for statement in statements:
                cursor.execute(statement, values or None)
    finally:
        if threading.current_thread() is not threading.main_thread():
            connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    chosen = parser.parse_args()
    began = time.perf_counter()
    populate(chosen.contacts, chosen.events, datetime.now(UTC))
    print(f"{chosen.contacts:,} contacts, {chosen.events:,} events in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
