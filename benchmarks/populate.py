"""Fill the database with contacts and their past: ``python -m benchmarks.populate --contacts 100000``.

Contact i has the user id ``u<i>``, the anonymous id ``a<i>`` and an email; ids begin at 1 in a fresh
database. Events are spread over the last 90 days. Deterministic for the same numbers.
"""

from __future__ import annotations

import argparse
import time
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
        'orders', i %% 20),
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

# Multiplying by large primes scatters events over people and time, the same way each time.
_EVENTS = f"""
INSERT INTO contacts_event (contact_id, lane, slot, source_id, kind, name, occurred_at, received_at,
    message_id, properties)
SELECT person, person %% %(slots)s, person %% %(slots)s, %(source)s, 1,
    (ARRAY['Product Viewed', 'Product Viewed', 'Product Viewed', 'Product Added', 'Page Viewed',
        'Page Viewed', 'Checkout Started', 'Order Completed'])[1 + i %% 8],
    at, at, 'p' || i,
    jsonb_build_object('product_id', 'sku' || i * 7919 %% 5000, 'price', (i * 104729 %% 20000)::numeric / 100,
        'total', (i * 15485863 %% 50000)::numeric / 100, 'category', 'category ' || i %% 40)
FROM (
    SELECT i, 1 + i * 7368787 %% %(contacts)s AS person,
        %(now)s - make_interval(secs => i * 32452843 %% {SECONDS_BACK}) AS at
    FROM generate_series(1::bigint, %(events)s) AS i
) AS made
"""


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
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_CONTACTS, _IDENTIFIERS, _EVENTS):
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return source


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
