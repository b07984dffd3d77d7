"""The domain of links: what it begins with, what it answers, and what is said of it in plain words."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from channels import links, tracking_domain
from channels.links import signer
from channels.tracking_domain import Certificate, Outside
from config import wsgi
from tests.factories import NOON

HOST = "https://links.shop.example"


@pytest.fixture(autouse=True)
def _own_domain(settings: Settings) -> None:
    settings.SEGUE_BASE_URL, settings.SEGUE_TRACKING_URL = "https://segue.shop.example", HOST


def outside(**changes: Any) -> Outside:
    return Outside(
        **{
            "resolve": lambda host: ["203.0.113.7"],
            "certificate": lambda host, port: Certificate("Let's Encrypt", NOON + timedelta(days=60)),
            "fetch": lambda address, path: (200, signer().proof(path.rpartition("/")[2])),
            **changes,
        }
    )


def fail(error: Exception) -> Any:
    def raise_it(*_arguments: object) -> Any:
        raise error

    return raise_it


def test_links_and_pixels_begin_with_it_and_our_own_pages_are_not_tracked() -> None:
    track = links.tracker(1, NOON, {"https://shop.example/": 7})
    assert track("https://shop.example/").startswith(HOST + "/t/c/")
    assert f'src="{HOST}/t/o/' in links.pixel(1, NOON)
    assert f'href="{HOST}/t/h/' in links.pixel(1, NOON)
    assert links.ids([HOST + "/t/c/x", "https://segue.shop.example/p/x"]) == {}


def test_all_is_well() -> None:
    report = tracking_domain.look(NOON, outside())
    assert report.tone == "good"
    assert [one.tone for one in report.remarks] == ["good"] * 3
    assert report.remarks[1].words == "Valid, from Let's Encrypt, for 60 more days."


TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "no name": (
        {"resolve": fail(OSError("?"))},
        "add a CNAME record for links.shop.example that points to segue.",
    ),
    "ends soon": (
        {"certificate": lambda host, port: Certificate("X", NOON + timedelta(days=5))},
        "Look at the renewal of certificates",
    ),
    "another's": (
        {"certificate": fail(ssl.SSLCertVerificationError("bad"))},
        "The certificate must be for links.shop.example.",
    ),
    "nobody": ({"certificate": fail(ConnectionRefusedError())}, "listen for links.shop.example"),
    "another server": ({"fetch": lambda address, path: (200, "hello")}, "hand everything below /t/ on"),
    "silent": ({"fetch": fail(TimeoutError())}, "hand everything below /t/ on"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_is_wrong_is_said_with_what_to_do(trouble: str) -> None:
    changes, remedy = TROUBLES[trouble]
    report = tracking_domain.look(NOON, outside(**changes))
    assert report.tone in ("bad", "warn")
    assert remedy in report.remarks[-1].remedy or remedy in report.remarks[-2].remedy


def test_the_page_asks_only_when_told_to(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    asked: list[datetime] = []

    def look(now: datetime) -> tracking_domain.Report:
        asked.append(now)
        return real(NOON, outside())

    real = tracking_domain.look
    monkeypatch.setattr(tracking_domain, "look", look)
    client.force_login(User.objects.create_superuser("root", "", "x"))
    page = client.get("/admin/tracking-domain/").content.decode()
    assert "links.shop.example" in page
    assert not asked
    assert "All is well" in client.post("/admin/tracking-domain/").content.decode()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get("/admin/tracking-domain/").status_code == 403


def test_on_the_domain_of_links_nothing_else_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "_tracking_host", "links.shop.example")

    def status(path: str, host: str) -> str:
        seen: list[str] = []
        environ = {"PATH_INFO": path, "HTTP_HOST": host, "REQUEST_METHOD": "GET"}
        b"".join(wsgi.application(environ, lambda line, headers, *more: seen.append(line)))
        return seen[0][:3]

    assert status("/account/login/", "links.shop.example") == "404"
    assert status("/v1/track", "links.shop.example") == "404"
    assert status("/t/check/abc", "links.shop.example") == "200"


def test_an_address_of_this_machine_is_told_for_one() -> None:
    for host, local in (
        ("127.0.0.1", True),
        ("localhost", True),
        ("10.0.0.4", True),
        ("links.example", False),
    ):
        assert tracking_domain.is_local(host) is local
