"""Requests are counted by kind and status, over all processes, and no count is lost with its process."""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config import request_counts
from config.request_counts import KINDS, STATUSES, counting, note, read


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.SEGUE_HOME = tmp_path
    request_counts._own.clear()
    yield
    request_counts._own.clear()


def counts() -> dict[tuple[str, str], int]:
    return {(one.kind, one.status): one.number for one in read()}


@pytest.mark.parametrize(
    ("path", "status", "kind", "classed"),
    [
        ("/v1/batch", "200 OK", "intake", "2xx"),
        ("/v1/batch", "429 Too Many Requests", "intake", "429"),
        ("/t/o/abc", "200 OK", "tracking", "2xx"),
        ("/admin/x/", "302 Found", "back_office", "3xx"),
        ("/account/login/", "200 OK", "back_office", "2xx"),
        ("/api/v1/contacts", "404 Not Found", "api", "4xx"),
        ("/p/token", "200 OK", "public", "2xx"),
        ("/healthz", "503 Service Unavailable", "health", "5xx"),
        ("/wp-login.php", "404 Not Found", "other", "4xx"),
        ("", "nonsense", "other", "5xx"),
    ],
)
def test_an_answer_is_counted_by_kind_and_status(path: str, status: str, kind: str, classed: str) -> None:
    note(path, status, 0.01)
    assert counts() == {(kind, classed): 1}


def test_there_are_no_more_series_than_kinds_and_statuses() -> None:
    for number in range(300):
        note(f"/{number}/x", f"{number} said", 0.1)
    assert len(read()) <= len(KINDS) * len(STATUSES) == 50


def test_times_fall_into_buckets_that_hold_what_is_below() -> None:
    for seconds in (0.0005, 0.01, 0.0101, 99.0):
        note("/v1/batch", "200 OK", seconds)
    [one] = read()
    by_bound = dict(zip(request_counts.BOUNDS, one.buckets, strict=True))
    assert (by_bound[0.001], by_bound[0.01], by_bound[0.025], by_bound[10.0]) == (1, 2, 3, 3)
    assert (one.number, round(one.seconds, 4)) == (4, 99.0206)


def test_what_raises_is_an_error_and_is_raised() -> None:
    def bad(_environ: Any, _start: Any) -> Iterable[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        counting(bad)({"PATH_INFO": "/admin/"}, lambda *_said: None)
    assert counts() == {("back_office", "5xx"): 1}


def test_an_answer_comes_through_unchanged_and_is_timed_until_it_begins() -> None:
    told: list[Any] = []
    ticks = iter([5.0, 5.2])

    def plain(_environ: Any, start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("A", "b")])
        return [b"body"]

    application = counting(plain, lambda: next(ticks))
    assert application({"PATH_INFO": "/t/x"}, lambda *said: told.append(said)) == [b"body"]
    assert told == [("200 OK", [("A", "b")])]
    [one] = read()
    assert (one.kind, round(one.seconds, 3)) == ("tracking", 0.2)


def _count_and_die(times: int) -> None:
    for _time in range(times):
        note("/v1/batch", "200 OK", 0.001)
    os._exit(1)


def test_processes_count_beside_each_other_and_leave_their_counts_to_the_next() -> None:
    note("/v1/batch", "200 OK", 0.001)
    for _round in range(3):
        started = [
            multiprocessing.get_context("fork").Process(target=_count_and_die, args=(50,)) for _ in "ab"
        ]
        for one in started:
            one.start()
        for one in started:
            one.join()
    assert counts() == {("intake", "2xx"): 1 + 3 * 2 * 50}
    # The first, and two more that were handed on.
    assert len(list(request_counts._folder().glob("*.counts"))) <= 3


def test_threads_lose_no_count() -> None:
    def many() -> None:
        for _time in range(2_000):
            note("/t/x", "200 OK", 0.0)

    threads = [threading.Thread(target=many) for _thread in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert counts() == {("tracking", "2xx"): 8_000}


def test_where_no_file_can_be_written_requests_are_answered_all_the_same(
    settings: Any, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings.SEGUE_HOME = blocked
    note("/t/x", "200 OK", 0.0)
    assert read() == []


@pytest.mark.django_db
def test_a_monitor_reads_counter_and_histogram(client: Client) -> None:
    note("/v1/batch", "200 OK", 0.003)
    note("/v1/batch", "503 Down", 20.0)
    said = client.get("/metrics").content.decode()
    assert 'segue_http_requests_total{view="intake",status="2xx"} 1' in said
    assert "# TYPE segue_http_request_seconds histogram" in said
    assert 'segue_http_request_seconds_bucket{view="intake",status="2xx",le="0.005"} 1' in said
    assert 'segue_http_request_seconds_bucket{view="intake",status="2xx",le="0.0025"} 0' in said
    assert 'segue_http_request_seconds_bucket{view="intake",status="5xx",le="10"} 0' in said
    assert 'segue_http_request_seconds_bucket{view="intake",status="5xx",le="+Inf"} 1' in said
    assert 'segue_http_request_seconds_sum{view="intake",status="5xx"} 20' in said
    form = re.compile(r'(# (HELP|TYPE) \S+ .+|[a-z_0-9]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+)')
    assert [line for line in said.splitlines() if not form.fullmatch(line)] == []
