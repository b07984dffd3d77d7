"""What somebody waits for while building a segment: milliseconds of each answer through the page's own door.

Baseline of the count: the same question as one bare statement, without a door, words, sample or people.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from benchmarks import harness
from benchmarks.populate import populate

WANTED = 1500.0
"Milliseconds that the slowest count may take."

RULES: tuple[dict[str, Any], ...] = (
    {"attribute": "country", "op": "is", "value": "FR"},
    {"attribute": "city", "op": "in", "value": ["City 1", "City 2"]},
    {"event": "Order Completed", "within": "30 days"},
    {
        "all": [
            {"event": "Order Completed", "count": {"gte": 2}, "within": "60 days"},
            {"event": "Order Completed", "count": {"lte": 0}, "within": "14 days"},
            {"message": "opened", "count": {"lte": 0}, "within": "60 days"},
        ]
    },
    {"event": "Order Completed", "sum": {"property": "total", "gte": 900}, "within": "60 days"},
)
_BARE = """
SELECT count(*) FROM (
    SELECT contact_id FROM contacts_event
    WHERE name = 'Order Completed' AND occurred_at > now() - interval '60 days' AND occurred_at <= now()
    GROUP BY contact_id HAVING count(*) >= 2
) bought WHERE NOT EXISTS (
    SELECT 1 FROM contacts_event e WHERE e.contact_id = bought.contact_id AND e.name = 'Order Completed'
    AND e.occurred_at > now() - interval '14 days' AND e.occurred_at <= now()
) AND NOT EXISTS (
    SELECT 1 FROM contacts_event e WHERE e.contact_id = bought.contact_id AND e.name = 'Message Opened'
    AND e.kind = 7 AND e.occurred_at > now() - interval '60 days' AND e.occurred_at <= now()
)"""


def median(act: Callable[[], Any], times: int = 5) -> float:
    """Milliseconds, the first go left out."""
    act()
    taken = []
    for _go in range(times):
        began = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def ask(client: Client, name: str, **query: str) -> None:
    answer = client.get(reverse(f"admin:contacts_segment_{name}"), query)
    assert answer.status_code == 200, answer.status_code


def count(client: Client, rule: dict[str, Any]) -> None:
    body = json.dumps({"rule": rule, "asker": "bench"})
    answer = client.post(reverse("admin:contacts_segment_count"), body, content_type="application/json")
    assert answer.status_code == 200, answer.status_code


def bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '64MB'")
        cursor.execute(_BARE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    chosen = parser.parse_args()
    with harness.database():
        populate(chosen.contacts, chosen.events, datetime.now(UTC))
        client = Client(headers={"host": "localhost"})
        client.force_login(User.objects.create_superuser("bench", "", "bench"))
        print(f"{chosen.contacts:,} contacts, {chosen.events:,} events; median milliseconds")

        def vocabulary() -> None:
            cache.clear()
            ask(client, "vocabulary")

        for name, act in (
            ("vocabulary, read anew", vocabulary),
            ("properties", lambda: ask(client, "properties", event="Order Completed")),
            ("values of an attribute", lambda: ask(client, "values", attribute="city", q="12")),
            (
                "values of a property",
                lambda: ask(client, "values", event="Order Completed", property="category", q="3"),
            ),
        ):
            print(f"  {name:<28}{median(act):>9.1f}")
        counts = []
        for rule in RULES:
            counts.append(median(lambda rule=rule: count(client, rule)))  # type: ignore[misc]
            print(f"  count {json.dumps(rule)[:60]:<62}{counts[-1]:>9.1f}")
        print(f"  slowest count {max(counts):.0f} ms, wanted at most {WANTED:.0f}")
        harness.report("segment_builder", counts[3], median(bare), kind="time")


if __name__ == "__main__":
    main()
