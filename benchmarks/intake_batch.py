"""100 events a request through to the inbox, against a raw binary COPY of the same rows into the same table.

Both commit durably to the same PostgreSQL in the same run. The COPY has one connection, one transaction for
each 10,000 rows, and nothing to check.
"""

import time
from datetime import UTC, datetime

import psycopg
from django.db import connection

from benchmarks.harness import Load, report, started, web
from benchmarks.one_source import KEY, VARIABLES, empty_inbox, inbox_size, make_source
from benchmarks.senders import send

SECONDS = 5.0
EVENTS = 100
ITEM = (
    '","type":"track","userId":"user-12345","event":"Product Added","properties":{"product_id":"507f1f77",'
    '"sku":"G-32","category":"Games","name":"Monopoly: 3rd Edition","brand":"Hasbro","price":18.99,'
    '"quantity":1},"context":{"library":{"name":"analytics-python","version":"2.3.3"}},'
    '"timestamp":"2026-03-10T12:00:00.123+00:00","integrations":{}}'
)
START = '{"messageId":"b6f1c7b2e-1111-4222-'
COPY = "COPY contacts_inboxitem (lane, source_id, received_at, rejection, payload) FROM STDIN (FORMAT BINARY)"


def ours() -> float:
    first = '{"writeKey":"' + KEY + '","sentAt":"2026-03-10T12:00:01Z","batch":[' + START
    pieces = [first, *[f"{ITEM},{START}"] * (EVENTS - 1), ITEM + "]}"]
    order = {"path": "/v1/batch", "connections": 16, "headers": {}, "pieces": pieces}
    empty_inbox()
    with web(variables=VARIABLES) as port:
        warm = send(port=port, seconds=1.0, **order)
        found = send(port=port, seconds=SECONDS, **order)
    assert inbox_size() == EVENTS * (warm["requests"] + found["requests"]), "an answered event is missing"
    rate = EVENTS * found["requests"] / found["seconds"]
    print(f"  requests of {EVENTS}: {rate:7.0f} events/s, p99 {found['p99'] * 1e3:.1f} ms")
    return float(rate)


def raw_copy() -> float:
    """The rows of what `ours` left in the inbox, copied for as long."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM contacts_inboxitem LIMIT 1")
        (payload,) = cursor.fetchone() or (b"",)
    empty_inbox()
    now, copied = datetime.now(UTC), 0
    started = time.perf_counter()
    with psycopg.connect(**connection.get_connection_params()) as own:
        while time.perf_counter() - started < SECONDS:
            with own.cursor() as writer, writer.copy(COPY) as copy:
                copy.set_types(["int2", "int4", "timestamptz", "text", "bytea"])
                for number in range(10_000):
                    copy.write_row((number % 64, 1, now, "", bytes(payload)))
            own.commit()
            copied += 10_000
    rate = copied / (time.perf_counter() - started)
    print(f"  raw binary COPY: {rate:7.0f} rows/s")
    return rate


def main() -> None:
    with started(), Load() as used:
        make_source()
        rounds = [(ours(), raw_copy()) for _ in range(3)]
    print(f"  {used}")
    rates = sorted(rounds, key=lambda pair: pair[0] / pair[1])[1]
    report("intake_batch", *rates)


if __name__ == "__main__":
    main()
