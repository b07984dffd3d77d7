from __future__ import annotations

import pytest
from django.test import Client
from django.test.utils import override_settings

from tests.config.backoffice import make_person, signed_in

pytestmark = pytest.mark.django_db


def directives(answer_header: str) -> dict[str, list[str]]:
    return {
        name: values for name, *values in (part.split() for part in answer_header.split(";") if part.strip())
    }


@pytest.fixture
def public() -> dict[str, str]:
    return dict(Client().get("/account/login/").headers)


@pytest.fixture
def back_office() -> dict[str, str]:
    return dict(signed_in(make_person("ada", superuser=True)).get("/admin/").headers)


def test_public_pages_run_no_inline_script_and_evaluate_nothing(public: dict[str, str]) -> None:
    policy = directives(public["Content-Security-Policy"])

    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["default-src"] == ["'none'"]
    assert "unsafe" not in public["Content-Security-Policy"]


def test_the_back_office_runs_only_our_own_scripts(back_office: dict[str, str]) -> None:
    policy = directives(back_office["Content-Security-Policy"])

    assert "'unsafe-inline'" not in policy["script-src"]
    assert set(policy["script-src"]) <= {"'self'", "'unsafe-eval'"} | {
        value for value in policy["script-src"] if value.startswith("'nonce-")
    }


@pytest.mark.parametrize("page", ["public", "back_office"])
def test_no_page_may_be_framed_sniffed_or_told_to_others(page: str, request: pytest.FixtureRequest) -> None:
    headers = request.getfixturevalue(page)

    assert directives(headers["Content-Security-Policy"])["frame-ancestors"] == ["'none'"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_sign_in_and_errors_are_never_cached() -> None:
    assert "no-store" in Client().get("/account/login/").headers["Cache-Control"]


def test_a_form_without_its_token_changes_nothing() -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post("/account/login/", {"login": "a", "password": "b"}).status_code == 403


@override_settings(DEBUG=False)
def test_a_wrong_address_shows_a_page_of_ours() -> None:
    answer = Client().get("/no/such/page")

    assert answer.status_code == 404
    assert b"There is nothing at this address" in answer.content
