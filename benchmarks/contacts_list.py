"""The list of contacts over a million: milliseconds of each search and filter, with the size of the answer.

Baseline: the plain admin of Django asked the same: ``icontains`` over the same columns, sorted, a page, and
``count(*)``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from benchmarks import harness
from benchmarks.populate import populate
from contacts import listing
from contacts.listing import Asked
from contacts.models import Contact, Purpose, Segment

WANTED = 300.0
"Milliseconds that a search or filter may take."

_MORE = """
TRUNCATE contacts_consentstate;
UPDATE contacts_contact SET phone = '+336' || lpad((id %% 100000000)::text, 8, '0') WHERE id %% 10 = 0;
INSERT INTO contacts_consentstate (slot, contact_id, channel, purpose, allowed, entry_id, since)
SELECT slot, id, 'email', 'offers', id %% 5 <> 0, id, last_seen_at FROM contacts_contact;
INSERT INTO contacts_consentstate (slot, contact_id, channel, purpose, allowed, entry_id, since)
SELECT slot, id, 'sms', 'offers', true, id, last_seen_at FROM contacts_contact WHERE id %% 20000 = 0;
INSERT INTO contacts_segmentmembership (segment_id, contact_id, slot, entered_at)
SELECT %(big)s, id, slot, last_seen_at FROM contacts_contact WHERE id %% 3 = 0;
INSERT INTO contacts_segmentmembership (segment_id, contact_id, slot, entered_at)
SELECT %(small)s, id, slot, last_seen_at FROM contacts_contact WHERE id %% 9973 = 0;
"""


def fill() -> None:
    """Phones, consents and segments, of many and of few."""
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    big = Segment.objects.create(name="Big", slug="big", kind="static")
    small = Segment.objects.create(name="Small", slug="small", kind="static")
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _MORE.strip().split(";"):
            if statement.strip():
                cursor.execute(statement, {"big": big.pk, "small": small.pk})
    for segment in (big, small):
        Segment.objects.filter(pk=segment.pk).update(size=segment.memberships.count())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def questions(contacts: int, now: datetime) -> dict[str, Asked]:
    middle = contacts // 2
    return {
        "everybody": Asked(),
        "whole email": Asked(words=f"person{middle}@example.com"),
        "start of an email": Asked(words=f"person{middle}"),
        "user id": Asked(words=f"u{middle}"),
        "phone, as written at home": Asked(words="06 00 01 00 00"),
        "a name": Asked(words="last1234"),
        "first and last name": Asked(words="first42 last42"),
        "part of a name": Asked(words="st2999"),
        "a part that nobody has": Asked(words="nowhere"),
        "country": Asked(country="FR"),
        "a country that nobody has": Asked(country="XX"),
        "language": Asked(language="de"),
        "anonymous": Asked(known=False),
        "seen on one day": Asked(since=now - timedelta(hours=20), until=now - timedelta(hours=4)),
        "a third in a segment": Asked(segment="big"),
        "one in ten thousand in a segment": Asked(segment="small"),
        "reachable by email": Asked(reach="email"),
        "reachable by SMS": Asked(reach="sms"),
        "most allowed it": Asked(consent="email:offers:in"),
        "few allowed it": Asked(consent="sms:offers:in"),
        "nobody refused it": Asked(consent="sms:offers:out"),
        "all together": Asked(
            words="last12", country="FR", segment="big", consent="email:offers:in", known=True
        ),
    }


def ours(asked: Asked, now: datetime) -> int:
    """The first page, with about how many there are, as the list shows them."""
    rows = listing.matching(asked, now)
    count, _exact = listing.size(asked, rows, listing.read(rows))
    return count


def plain(asked: Asked) -> None:
    """What an admin without any thought for size does."""
    rows: QuerySet[Contact] = Contact.objects.all()
    for word in asked.words.split():
        columns = ("email", "phone", "first_name", "last_name", "identifiers__value")
        either = Q()
        for column in columns:
            either |= Q(**{f"{column}__icontains": word})
        rows = rows.filter(either).distinct()
    given: dict[str, Any] = {"country": asked.country, "known": asked.known}
    rows = rows.filter(**{name: value for name, value in given.items() if value not in (None, "")})
    if asked.segment:
        rows = rows.filter(memberships__segment__slug=asked.segment)
    rows.count()
    list(rows.order_by("-last_seen_at", "-id")[:50])


def median(act: Callable[[], Any], rounds: int) -> float:
    """Milliseconds; the first round warms up and does not count."""
    spent = []
    for _round in range(rounds + 1):
        began = time.perf_counter()
        act()
        spent.append(1000 * (time.perf_counter() - began))
    return statistics.median(spent[1:])


def measure(chosen: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    populate(chosen.contacts, 1, now)
    fill()
    with harness.Load() as load:
        spent = {}
        for name, asked in questions(chosen.contacts, now).items():
            found = ours(asked, now)
            spent[name] = median(lambda asked=asked: ours(asked, now), chosen.rounds)  # type: ignore[misc]
            print(f"  {name:34} {spent[name]:8.1f} ms   about {found:,}", flush=True)
        deep = listing.Mark(now - timedelta(hours=12), 1)
        spent["a page in the middle"] = median(
            lambda: listing.read(listing.matching(Asked(), now), below=deep), chosen.rounds
        )
        baseline = {
            name: median(lambda asked=asked: plain(asked), 1)  # type: ignore[misc]
            for name, asked in questions(chosen.contacts, now).items()
            if name in {"everybody", "a name", "country", "a third in a segment"}
        }
    print(f"plain admin: {', '.join(f'{name} {ms:.0f} ms' for name, ms in baseline.items())}")
    print(load)
    slowest = max(spent, key=lambda name: spent[name])
    kept = spent[slowest] < WANTED
    print(f"{chosen.contacts:,} contacts: slowest is “{slowest}”, {spent[slowest]:.0f} ms;", end=" ")
    print(f"{'all keep' if kept else 'not all keep'} {WANTED:.0f} ms")
    harness.report(
        "contacts_list",
        ours=statistics.mean(spent[name] for name in baseline),
        baseline=statistics.mean(baseline.values()),
        kind="time",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with harness.database():
        measure(chosen)


if __name__ == "__main__":
    main()
