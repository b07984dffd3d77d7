"""Figures for a monitor, in the text form that Prometheus reads.

Read by whoever shows the token of the settings. Without a token only a program on this machine may, and none
where a proxy stands in front: behind one, everybody seems to be on this machine.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from config import lags, request_counts
from contacts import clock
from contacts.auditing import looking
from contacts.auditing.registry import promises
from contacts.contention import STORE_FAULTS
from contacts.models import PromiseState

_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ATTEMPTS = 50_000
"The attempts of the last five minutes are counted among so many of the latest."
_DEEPEST = 1_000_000
"No queue is counted any further."


class Figure(NamedTuple):
    name: str
    kind: str
    words: str
    samples: list[tuple[dict[str, str], float]]
    #: Of a histogram: what a name ends in, with its samples.
    parts: tuple[tuple[str, list[tuple[dict[str, str], float]]], ...] = ()


def page(request: HttpRequest) -> HttpResponse:
    """GET /metrics. 404 to whoever may not read it; 503 while the database does not answer."""
    if not _may(request):
        return HttpResponse(status=404)
    now = clock.now()
    try:
        figures = list(_figures(now))
    except STORE_FAULTS:
        return HttpResponse("# the database does not answer\n", status=503, content_type=_TYPE)
    answer = HttpResponse(exposition(figures), content_type=_TYPE)
    answer["Cache-Control"] = "no-store"
    return answer


def exposition(figures: Iterable[Figure]) -> str:
    """The figures as text, a line each."""
    lines = []
    for figure in figures:
        lines += [f"# HELP {figure.name} {figure.words}", f"# TYPE {figure.name} {figure.kind}"]
        for ending, samples in (("", figure.samples), *figure.parts):
            for labels, value in samples:
                inner = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
                lines.append(f"{figure.name}{ending}{f'{{{inner}}}' if inner else ''} {value:.10g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _may(request: HttpRequest) -> bool:
    if wanted := settings.SEGUE_METRICS_TOKEN:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode(), wanted.encode())
    if settings.SECURE_PROXY_SSL_HEADER or "X-Forwarded-For" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _figures(now: datetime) -> Iterator[Figure]:
    found = lags.read(now)
    yield Figure(
        "segue_due_lag_seconds", "gauge", "How long the oldest due work of a pulse waits.",
        [({"pulse": lag.pulse}, lag.seconds(now)) for lag in found],
    )  # fmt: skip
    yield Figure(
        "segue_pulse_moving", "gauge", "1 where nothing is overdue or rows were taken lately.",
        [({"pulse": lag.pulse}, float(lag.moving(now))) for lag in found],
    )  # fmt: skip
    yield Figure(
        "segue_waiting", "gauge", "Rows that wait to be worked on.",
        [({"queue": queue}, float(count)) for queue, count in _rows(_WAITING)],
    )  # fmt: skip
    yield Figure(
        "segue_intake_events_total", "counter", "Events taken in, by source and what became of them.",
        [
            ({"source": slug, "outcome": outcome}, float(count))
            for slug, *counts in _rows(_INTAKE)
            for outcome, count in zip(("accepted", "duplicate", "rejected"), counts, strict=True)
        ],
    )  # fmt: skip
    yield Figure(
        "segue_attempts_5m", "gauge", "Messages handed over in five minutes, by provider and outcome.",
        [
            ({"provider": name, "outcome": outcome}, float(count))
            for name, outcome, count in _rows(_DELIVERY, now)
        ],
    )  # fmt: skip
    yield from _requests()
    yield from _promised(now)


def _requests() -> Iterator[Figure]:
    found = request_counts.read()
    labelled = [({"view": one.kind, "status": one.status}, one) for one in found]
    yield Figure(
        "segue_http_requests_total", "counter", "Requests answered, by kind of view and status.",
        [(labels, float(one.number)) for labels, one in labelled],
    )  # fmt: skip
    ends = [*(f"{bound:g}" for bound in request_counts.BOUNDS), "+Inf"]
    yield Figure(
        "segue_http_request_seconds", "histogram", "How long it took until an answer began.", [],
        (
            ("_bucket", [
                ({**labels, "le": end}, float(count))
                for labels, one in labelled
                for end, count in zip(ends, (*one.buckets, one.number), strict=True)
            ]),
            ("_sum", [(labels, one.seconds) for labels, one in labelled]),
            ("_count", [(labels, float(one.number)) for labels, one in labelled]),
        ),
    )  # fmt: skip


def _promised(now: datetime) -> Iterator[Figure]:
    account = looking.account(now)
    states = PromiseState.objects.filter(name__in=promises()).order_by("name")
    yield Figure("segue_violations", "gauge", "Violations of promises.", [({}, account.violations)])
    yield Figure("segue_uncertain", "gauge", "Messages without an answer.", [({}, account.uncertain)])
    yield Figure(
        "segue_promises_unknown", "gauge", "Promises that could not be looked after.", [({}, account.unknown)]
    )
    yield Figure(
        "segue_promise_violations", "gauge", "Violations of one promise.",
        [({"promise": one.name}, float(one.open)) for one in states],
    )  # fmt: skip
    yield Figure(
        "segue_auditor_age_seconds", "gauge", "How long ago the auditor last looked.",
        [({}, max((now - account.looked_at).total_seconds(), 0.0))] if account.looked_at else [],
    )  # fmt: skip


def _rows(sql: str, *parameters: datetime) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return list(cursor.fetchall())


_WAITING = f"""
SELECT 'inbox', count(*) FROM (SELECT FROM contacts_inboxitem LIMIT {_DEEPEST}) AS i
UNION ALL SELECT 'hits', count(*) FROM (SELECT FROM channels_hit LIMIT {_DEEPEST}) AS h
UNION ALL SELECT 'held', count(*) FROM (SELECT FROM channels_message WHERE state IN (1, 2)
                                       LIMIT {_DEEPEST}) AS d
UNION ALL SELECT 'queued', count(*) FROM (SELECT FROM channels_message WHERE state = 3 LIMIT {_DEEPEST}) AS q
UNION ALL SELECT 'transmitting', count(*) FROM (SELECT FROM channels_message WHERE state IN (4, 5)
                                               LIMIT {_DEEPEST}) AS t
UNION ALL SELECT 'runs_due', count(*) FROM (SELECT FROM journeys_run WHERE state = 1 AND due_at <= now()
                                           LIMIT {_DEEPEST}) AS r
"""  # noqa: S608

_INTAKE = """
SELECT s.slug, sum(c.accepted), sum(c.duplicate), sum(c.rejected)
FROM contacts_sourcecount c JOIN contacts_source s ON s.id = c.source_id GROUP BY s.slug ORDER BY s.slug
"""

_DELIVERY = f"""
SELECT coalesce(p.name, 'none'), a.outcome, count(*)
FROM (SELECT * FROM channels_attempt ORDER BY id DESC LIMIT {_ATTEMPTS}) AS a
LEFT JOIN channels_provideraccount p ON p.id = a.provider_id
WHERE a.started_at > %s - interval '5 minutes' GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608
