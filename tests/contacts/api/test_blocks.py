"""What every endpoint is made of: keys, scopes, bodies, errors, pages, idempotency keys, rates."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings

from config import roles
from contacts import api_answers, api_keys, clock
from contacts.models import ApiKey, KeptAnswer, Source
from tests.config.backoffice import make_person, signed_in
from tests.contacts.api.caller import Caller, make_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.contacts.api.endpoints")]


def thing(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"name": f"Thing {number}", "slug": f"thing-{number}", **more}


def test_without_a_key_nothing_is_answered() -> None:
    answer = Client().get("/api/v1/things")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("text", ["", "seg_wrong", "x" * 10_000, "naïve", "seg\t"])
def test_an_unknown_key_is_refused(text: str) -> None:
    assert Caller(key=text or "seg_").get("things").status_code == 401


def test_a_key_is_kept_as_a_digest_only_and_its_use_is_noted() -> None:
    caller = Caller("sources:read")
    assert caller.get("things").status_code == 200
    row = ApiKey.objects.get()
    assert caller.key not in str(ApiKey.objects.values().get())
    assert caller.key.startswith(row.prefix)
    assert row.last_used_at


def test_a_revoked_or_ended_key_is_refused_with_the_next_request() -> None:
    caller = Caller("sources:read")
    api_keys.revoke(ApiKey.objects.get().pk, clock.now())
    assert caller.get("things").status_code == 401
    ended = make_key("sources:read", expires_at=clock.now() - timedelta(seconds=1))
    assert Caller(key=ended).get("things").status_code == 401


def test_a_key_may_do_what_its_scopes_say_and_nothing_else() -> None:
    caller = Caller("sources:read")
    assert caller.get("things").status_code == 200
    refused = caller.post("things", thing())
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert "sources:write" in refused.json()["message"]


def test_a_person_may_do_by_the_api_what_their_role_may() -> None:
    integrator = signed_in(make_person("ines", role=roles.INTEGRATOR))
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    assert integrator.get("/api/v1/things").status_code == 200
    assert analyst.get("/api/v1/things").status_code == 403


def test_a_session_needs_the_token_against_forgery() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_person("ines", role=roles.INTEGRATOR))
    answer = client.post("/api/v1/things", thing(), content_type="application/json")
    assert (answer.status_code, Source.objects.count()) == (403, 0)


def test_somebody_who_is_no_staff_is_a_stranger() -> None:
    client = signed_in(make_person("guest", staff=False))
    assert client.get("/api/v1/things").status_code == 401


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"name": "x", "slug": "y", "id": 3}, "unknown_field", "id"),
        ({"name": "x"}, "required", "slug"),
        ({"name": "x" * 21, "slug": "y"}, "max_length", "name"),
        ({"name": {"a": 1}, "slug": "y"}, "invalid", "name"),
        ([], "invalid", None),
        ("text", "invalid", None),
        (b"{", "malformed_json", None),
        (b"\xff", "malformed_json", None),
        (b'{"name": NaN}', "malformed_json", None),
        (b'{"name": 1e100000}', "number_out_of_range", None),
        (b'{"name": ' + b"9" * 5000 + b"}", "number_out_of_range", None),
        (b'{"name": "a", "name": "b"}', "repeated_key", "name"),
        (b'{"name": "a\\u0000b"}', "forbidden_character", "name"),
        (b'{"a\\u0000": 1}', "forbidden_character", None),
        (b'{"x": {"name": ["\\ud800"]}}', "forbidden_character", "x.name.0"),
        (b"[" * 100, "malformed_json", None),
        (b"[" * 100 + b"]" * 100, "too_deep", ".".join("0" * 36)),
        (b"[" * 100_000, "too_deep", None),
        (b'{"' + b"k" * 300 + b'": 1}', "key_too_long", None),
    ],
)
def test_a_bad_body_is_answered_with_400_that_names_the_field(
    body: Any, code: str, field: str | None
) -> None:
    answer = Caller().post("things", body)
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["field"]) == (code, field)


def test_several_errors_are_listed() -> None:
    answer = Caller().post("things", {"name": "", "slug": "no slug!"}).json()
    assert [one["field"] for one in answer["errors"]] == ["name", "slug"]
    assert answer["message"].startswith("name: ")


def test_a_body_that_is_too_large_is_413_and_another_type_415() -> None:
    caller = Caller()
    assert caller.post("things", b" " * 3_000_000).json()["code"] == "body_too_large"
    answer = Client(headers={"Authorization": f"Bearer {caller.key}"}).post("/api/v1/things", {"a": 1})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"limit": "501"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"active": "maybe"}, "active"),
        ({"name": ["a", "b"]}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"cursor": "bogus"}, "cursor"),
        ({"cursor": "é" * 5000}, "cursor"),
    ],
)
def test_a_bad_parameter_is_answered_with_400_that_names_it(query: dict[str, Any], field: str) -> None:
    answer = Caller().get("things", **query)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_pages_give_every_row_once_in_order_though_rows_come_meanwhile() -> None:
    caller = Caller()
    made = [
        Source.objects.create(name=f"s{number}", slug=f"s{number}", kind=["web", "app", "store"][number % 3])
        for number in range(11)
    ]
    seen: list[str] = []
    cursor = None
    while cursor or not seen:
        page = caller.get("things", limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += page["items"]
        cursor = page["next"]
        Source.objects.create(name=f"new {len(seen)}", slug=f"new-{len(seen)}", kind="app")
    wanted = sorted(made, key=lambda one: (one.kind, -one.pk))
    assert [slug for slug in seen if not slug.startswith("new")] == [one.slug for one in wanted]


def test_a_cursor_tells_nothing_and_serves_only_its_own_filters() -> None:
    caller = Caller()
    for number in range(3):
        Source.objects.create(name=f"s{number}", slug=f"s{number}")
    cursor = caller.get("things", limit=1).json()["next"]
    assert caller.get("things", limit=2, cursor=cursor).status_code == 200
    other = caller.get("things", limit=2, cursor=cursor, active="true")
    assert (other.status_code, other.json()["code"]) == (400, "invalid_cursor")


def test_the_same_idempotency_key_has_its_effects_once_and_the_same_answer() -> None:
    caller = Caller()
    first = caller.post("things", thing(), Idempotency_Key="k1")
    again = caller.post("things", thing(), Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Source.objects.count() == 1


def test_the_same_idempotency_key_with_another_body_is_422() -> None:
    caller = Caller()
    caller.post("things", thing(1), Idempotency_Key="k1")
    answer = caller.post("things", thing(2), Idempotency_Key="k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert caller.post("things", thing(2), Idempotency_Key="k2").status_code == 201


def test_idempotency_keys_of_two_callers_do_not_meet() -> None:
    Caller().post("things", thing(1), Idempotency_Key="k1")
    assert Caller().post("things", thing(2), Idempotency_Key="k1").status_code == 201


@pytest.mark.parametrize("key", ["x" * 201, "naïve\x01"])
def test_an_odd_idempotency_key_is_refused(key: str) -> None:
    assert Caller().post("things", thing(), Idempotency_Key=key).json()["code"] == "invalid_idempotency_key"


def test_what_fails_leaves_nothing_and_may_come_again() -> None:
    caller = Caller()
    failed = caller.post("things", thing(then="fail"), Idempotency_Key="k1")
    away = caller.post("things", thing(then="away"), Idempotency_Key="k2")
    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
    assert (away.status_code, away["Retry-After"]) == (503, "5")
    assert (Source.objects.count(), KeptAnswer.objects.count()) == (0, 0)
    assert caller.post("things", thing(), Idempotency_Key="k1").status_code == 201


def test_answers_are_forgotten_after_a_day() -> None:
    caller = Caller()
    caller.post("things", thing(), Idempotency_Key="k1")
    assert api_answers.sweep(clock.now()) == 0
    assert api_answers.sweep(clock.now() + timedelta(hours=25)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_second_request_while_the_first_is_answered_gets_409() -> None:
    caller = Caller()
    mark = api_answers.mark(str(ApiKey.objects.get().pk), "k1")
    held, let_go = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            api_answers.hold(mark)
            held.set()
            let_go.wait(10)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(10)
    answer = caller.post("things", thing(), Idempotency_Key="k1")
    let_go.set()
    thread.join()
    assert (answer.status_code, answer["Retry-After"]) == (409, "1")
    assert caller.post("things", thing(), Idempotency_Key="k1").status_code == 201


def test_too_many_requests_are_told_when_to_come_again(settings: Settings) -> None:
    settings.SEGUE_API_RATE = 2 * settings.SEGUE_WEB_WORKERS
    caller = Caller()
    answers = [caller.get("things") for _ in range(5)]
    assert [one.status_code for one in answers[:2]] == [200, 200]
    assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "1")


def test_what_a_program_does_is_written_down_under_its_makers_name() -> None:
    Caller().post("things", thing())
    entry = LogEntry.objects.get()
    assert entry.user == User.objects.get(username="maker")
    assert "a program" in entry.get_change_message()


def test_methods_that_are_not_there_and_caches_are_minded() -> None:
    caller = Caller()
    answer = caller.delete("things")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert caller.get("things")["Cache-Control"] == "no-store"
