"""Intake as senders meet it: the real server over real sockets."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

import psycopg
import pytest
from django.db import connection

from contacts import clock, ingest
from contacts.intake_keys import issue
from contacts.models import Event, InboxItem, Source, SourceKey
from tests.contacts.sender import Inbox, track
from tests.contacts.test_intake_bad_input import BAD_EVENTS, WHOLE_BODIES
from tests.granian import WebServer, database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

GOOD = json.dumps(track()).encode()


@pytest.fixture
def key() -> str:
    source = Source.objects.create(name="Shop", slug="shop")
    return issue(source, SourceKey.Scope.WRITE)[1]


@pytest.fixture
def server(web_server: WebServer, key: str) -> WebServer:
    web_server.expects(key)
    return web_server


@pytest.fixture
def standing() -> list[int]:
    """Connections that others have to the database, and want to keep."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [pid for (pid,) in cursor.fetchall()]


@pytest.fixture
def own_server(key: str) -> Iterator[WebServer]:
    """One to hurt."""
    with WebServer() as running:
        yield running


def test_an_event_is_in_the_store_when_the_answer_comes(server: WebServer, key: str) -> None:
    response, body = server.post("/v1/track", GOOD, key)
    assert (response.status, body) == (200, b'{"success": true}')
    assert [event.name for event in Inbox().events()] == ["Product Added"]


def test_bad_input_is_a_4xx_over_the_wire_too_and_costs_no_memory(server: WebServer, key: str) -> None:
    server.post("/v1/track", GOOD, key)
    before = server.memory()
    for name, (event, _code) in BAD_EVENTS.items():
        if name not in ("B01 list", "unknown type"):
            assert server.post("/v1/track", event, key)[0].status in (400, 413), name
    for name, body in WHOLE_BODIES.items():
        assert server.post("/v1/batch", body, key)[0].status == 400, name
    bomb = gzip.compress(b" " * 200_000_000)
    assert server.post("/v1/batch", bomb, key, **{"Content-Encoding": "gzip"})[0].status == 413
    # Without an announced length; reading stops at the limit, so the sender may find the door shut.
    try:
        response, _body = server.post("/v1/batch", (b" " * 65536 for _ in range(1_000)), key)
        assert response.status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert server.post("/v1/track", GOOD, key)[0].status == 200
    assert server.memory() - before < 20_000_000


def test_a_connection_lives_on_after_a_refusal(server: WebServer, key: str) -> None:
    own = HTTPConnection("127.0.0.1", server.port, timeout=10)
    for body, status in ((b"{", 400), (json.dumps({**track(), "writeKey": key}).encode(), 200)):
        own.request("POST", "/v1/track", body)
        response = own.getresponse()
        response.read()
        assert response.status == status
    own.close()
    assert response.status == 200


def test_the_rate_setting_decides_when_429_comes(key: str) -> None:
    with WebServer(SEGUE_INTAKE_RATE="2") as strict:
        answers = [strict.post("/v1/track", GOOD, key)[0] for _ in range(4)]
    assert [answer.status for answer in answers][:2] == [200, 200]
    assert 429 in [answer.status for answer in answers]
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["Retry-After"]) >= 1


def test_a_revoked_key_is_refused_and_a_new_one_taken_without_a_restart(server: WebServer, key: str) -> None:
    assert server.post("/v1/track", GOOD, key)[0].status == 200
    threading.Event().wait(0.6)
    _row, fresh = issue(Source.objects.get(), SourceKey.Scope.WRITE)
    assert server.post("/v1/track", GOOD, fresh)[0].status == 200
    SourceKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    threading.Event().wait(3.2)
    assert server.post("/v1/track", GOOD, key)[0].status == 401


def test_while_the_store_is_away_senders_are_told_to_wait_and_then_it_works_again(
    standing: list[int], own_server: WebServer, key: str
) -> None:
    server = own_server
    assert server.post("/v1/track", GOOD, key)[0].status == 200
    name = connection.settings_dict["NAME"]
    connection.close()
    with psycopg.connect(database_url("postgres"), autocommit=True) as other:
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> ALL(%s::int[])", [name, standing],
            )  # fmt: skip
            for _ in range(5):
                response, body = server.post("/v1/track", GOOD, key)
                assert response.status == 503
                assert int(response.headers["Retry-After"]) > 0
                assert json.loads(body)["code"] == "store_unavailable"
        finally:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    threading.Event().wait(0.5)
    assert server.post("/v1/track", GOOD, key)[0].status == 200
    assert InboxItem.objects.count() == 2


def test_what_was_answered_before_a_kill_is_stored(own_server: WebServer, key: str) -> None:
    server = own_server
    answered: list[str] = []
    stop = threading.Event()

    def sender(number: int) -> None:
        for count in range(10_000):
            name = f"{number}-{count}"
            if stop.is_set():
                return
            try:
                response, _body = server.post("/v1/track", json.dumps(track(messageId=name)), key)
            except (OSError, HTTPException):
                continue
            if response.status == 200:
                answered.append(name)

    senders = [threading.Thread(target=sender, args=[number]) for number in range(6)]
    for thread in senders:
        thread.start()
    for _round in range(2):
        threading.Event().wait(1)
        server.kill()
        server.start()
    threading.Event().wait(0.5)
    stop.set()
    for thread in senders:
        thread.join()
    stored = {event.message_id for event in Inbox().events()}
    assert len(answered) > 20
    assert set(answered) <= stored


@pytest.mark.parametrize("place", ["intake.before_commit", "intake.after_commit"])
def test_a_death_around_the_commit_loses_nothing_and_doubles_nothing(key: str, place: str) -> None:
    names = [f"m-{number}" for number in range(6)]
    with WebServer(SEGUE_CRASHPOINT=f"{place}:3") as server:
        unanswered = []
        for name in names:
            try:
                response, _body = server.post("/v1/track", json.dumps(track(messageId=name)), key)
                assert response.status == 200
            except (OSError, HTTPException):
                unanswered.append(name)
        assert unanswered == names[2:]
        server.kill()
        del server.variables["SEGUE_CRASHPOINT"]
        server.start()
        for name in unanswered:
            assert server.post("/v1/track", json.dumps(track(messageId=name)), key)[0].status == 200
    ingest.drain(clock.now, seconds=30)
    found = Event.objects.filter(name="Product Added").order_by("id").values_list("message_id", flat=True)
    assert list(found) == names
