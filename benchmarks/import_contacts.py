"""Import a file of contacts with validation and de-duplication, beside raw COPY and one merge statement.

The baseline copies the raw lines into an unlogged table and fills contacts and identifiers, with their
indexes, by one statement: no line is checked, no number is normalised, nobody is merged, no event tells
anyone. Ours does all that, through the code that the product runs, and keeps every rejected line. A part of
the people exist before, a part of the lines repeat somebody, a part is wrong.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from benchmarks import harness
from contacts import partitions, slots
from contacts.exchange import importing
from contacts.models import Contact, Event, Identifier, Import

MOST_MEGABYTES = 300
_HEADER = "customer_id,email,phone,first_name,last_name,country,city,plan,orders,signed_up\n"
_CREATE = """
CREATE UNLOGGED TABLE staging (customer_id text, email text, phone text, first_name text, last_name text,
    country text, city text, plan text, orders text, signed_up text)
"""
_MERGE = f"""
WITH people AS (
    SELECT DISTINCT ON (customer_id) * FROM staging ORDER BY customer_id
), known AS (
    SELECT p.*, i.contact_id FROM people p
    LEFT JOIN contacts_identifier i ON i.kind = 'user' AND i.value = p.customer_id
), numbered AS (
    SELECT k.*, coalesce(contact_id, nextval('contacts_contact_id_seq')) AS id FROM known k
), made AS (
    INSERT INTO contacts_contact (id, slot, public_id, email, phone, first_name, last_name, language,
        timezone, country, attributes, inferred, known, first_seen_at, last_seen_at, updated_at)
    SELECT id, id % {slots.SLOTS}, gen_random_uuid(), lower(email), phone, first_name, last_name, '', '',
        country, jsonb_build_object('city', city, 'plan', plan, 'orders', orders,
        'signed_up', signed_up), '{{}}', true, now(), now(), now()
    FROM numbered
    ON CONFLICT (id) DO UPDATE SET email = excluded.email, phone = excluded.phone,
        first_name = excluded.first_name, last_name = excluded.last_name, country = excluded.country,
        attributes = contacts_contact.attributes || excluded.attributes, updated_at = excluded.updated_at
    RETURNING id
)
INSERT INTO contacts_identifier (kind, value, contact_id, slot, created_at)
SELECT kind, CASE kind WHEN 'user' THEN customer_id WHEN 'email' THEN lower(email) ELSE phone END, id,
    id % {slots.SLOTS}, now()
FROM numbered CROSS JOIN unnest(ARRAY['user', 'email', 'phone']) AS kind
WHERE contact_id IS NULL
ON CONFLICT DO NOTHING
"""


def lines(count: int) -> Iterator[str]:
    """1 in 50 repeats an earlier person, 1 in 200 is wrong; phones as people write them."""
    for number in range(count):
        person = number // 2 if number % 50 == 49 else number
        email = f"Person{person}@Example.com"
        rest = f"{person:07}"
        phone = f"06 1{rest[6]} {rest[4:6]} {rest[2:4]} {rest[:2]}"
        if number % 200 == 199:
            email = f"person{person}(at)example.com"
        day = f"{number % 28 + 1:02}/{number % 12 + 1:02}/2025"
        yield (
            f"c{person},{email},{phone},First{person % 500},Last{person % 3000},FR,City {person % 200},"
            f"plan{person % 3},{person % 20},{day}\n"
        )


def write(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        file.writelines(lines(count))


def baseline(path: Path) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CREATE)
        with path.open("rb") as file, cursor.copy("COPY staging FROM STDIN (FORMAT CSV, HEADER)") as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
        cursor.execute(_MERGE)
        cursor.execute("DROP TABLE staging")


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE contacts_contact, contacts_identifier, contacts_event, contacts_importedcontact,"
            " contacts_rejectedline CASCADE"
        )
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def some_exist(path: Path, share: int) -> None:
    """Every ``share``-th person is known before."""
    with path.open("rb") as file, connection.cursor() as cursor:
        cursor.execute(_CREATE)
        with cursor.copy("COPY staging FROM STDIN (FORMAT CSV, HEADER)") as copy:
            copy.write(file.readline())
            for number, line in enumerate(file):
                if number % share == 0:
                    copy.write(line)
        cursor.execute(_MERGE)
        cursor.execute("DROP TABLE staging")
        cursor.execute("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--existing", type=int, default=5, help="one in so many is known before")
    parser.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work()
        return
    with harness.database():
        measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    partitions.ensure_all(now)
    path = Path(settings.SEGUE_EXCHANGE)
    path.mkdir(parents=True, exist_ok=True)
    path /= f"bench-{os.getpid()}.csv"
    try:
        write(path, chosen.lines)
        print(f"{chosen.lines:,} lines, {path.stat().st_size / 2**20:.0f} MB")
        some_exist(path, chosen.existing)
        with harness.stopwatch() as raw, harness.Load() as load:
            baseline(path)
        print(f"raw COPY and one merge: {raw.describe(chosen.lines, 'line')}; {load}")
        empty()
        some_exist(path, chosen.existing)
        with path.open("rb") as file:
            job = importing.begin("contacts", path.name, iter(lambda: file.read(1 << 20), b""), None, now)
    finally:
        path.unlink(missing_ok=True)
    importing.read(job)
    job.mapping = job.mapping | {"region": "FR"}
    job.state = Import.State.RUNNING
    job.save()
    with harness.stopwatch() as spent, harness.Load() as load:
        worker = subprocess.run(
            [sys.executable, "-m", "benchmarks.import_contacts", "--worker", "1"], env=os.environ, check=False
        )
    if worker.returncode:
        raise SystemExit("the worker failed")
    job.refresh_from_db()
    print(
        f"lines {job.lines:,} = created {job.created:,} + updated {job.updated:,}"
        f" + unchanged {job.unchanged:,} + rejected {job.rejected:,}; merged {job.merged}; state {job.state}"
    )
    print(
        f"{Contact.objects.count():,} contacts, {Identifier.objects.count():,} identifiers,"
        f" {Event.objects.count():,} events"
    )
    print(f"import: {spent.describe(chosen.lines, 'line')}; {load}")
    harness.report("import_contacts", ours=spent.wall, baseline=raw.wall, kind="time")


def work() -> None:
    """The importing process: until nothing is left; prints the most memory it ever held."""
    while Import.objects.filter(state__in=Import.WORK).exists():
        importing.work(lambda: datetime.now(UTC), seconds=20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the importing process: {peak:.0f} MB (at most {MOST_MEGABYTES})", flush=True)
    if peak > MOST_MEGABYTES:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
