"""One event a request over 64 connections, against a plain Django view that inserts one row and commits.

Both run under granian on the same durable PostgreSQL in the same run, the plain view at the best of several
thread settings. Ours checks the event, finds the source by its key and counts the quota.
"""

from base64 import b64encode

from benchmarks.harness import Load, report, started, web
from benchmarks.one_source import KEY, VARIABLES, empty_inbox, inbox_size, make_source
from benchmarks.senders import send

SECONDS = 4.0
CONNECTIONS = 64
PLAIN = [(1, 4), (1, 8), (2, 4), (2, 8), (2, 32)]
EVENT = (
    '{"messageId":"b6f1c7b2e-1111-4222-',
    (
        '","userId":"user-12345","event":"Product Added","properties":{"product_id":"507f1f77","sku":"G-32",'
        '"category":"Games","name":"Monopoly: 3rd Edition","brand":"Hasbro","price":18.99,"quantity":1},'
        '"context":{"library":{"name":"analytics-python","version":"2.3.3"}},'
        '"timestamp":"2026-03-10T12:00:00.123+00:00","integrations":{}}'
    ),
)


OURS, PLAIN_VIEW = "config.wsgi:application", "benchmarks.plain_view:application"
SETTINGS = {OURS: "config.settings", PLAIN_VIEW: "benchmarks.plain_settings"}


def measure(application: str, workers: int, threads: int) -> dict[str, float]:
    headers = {
        "Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode(),
        "Content-Type": "application/json",
    }
    order = {"path": "/v1/track", "connections": CONNECTIONS, "headers": headers, "pieces": EVENT}
    variables = VARIABLES | {"DJANGO_SETTINGS_MODULE": SETTINGS[application]}
    empty_inbox()
    with web(application, workers=workers, threads=threads, variables=variables) as port:
        warm = send(port=port, seconds=1.0, **order)
        found = send(port=port, seconds=SECONDS, **order)
    assert inbox_size() == warm["requests"] + found["requests"], "an answered event is missing"
    rate = found["requests"] / found["seconds"]
    print(
        f"  {application.partition(':')[0]:<22} {workers} x {threads:<3} {rate:7.0f}/s"
        f"  p50 {found['p50'] * 1e3:5.1f} ms  p99 {found['p99'] * 1e3:5.1f} ms"
    )
    return {"rate": rate, "p99": found["p99"]}


def main() -> None:
    with started(), Load() as used:
        make_source()
        first = measure(OURS, 2, 32)
        plain = [measure(PLAIN_VIEW, *setting) for setting in PLAIN]
        ours = max(first, measure(OURS, 2, 32), key=lambda found: found["rate"])
    baseline = max(found["rate"] for found in plain)
    print(f"  {used}")
    print(f"  p99 of ours: {ours['p99'] * 1e3:.1f} ms")
    report("intake_single", ours["rate"], baseline)


if __name__ == "__main__":
    main()
