"""Mails as email services get them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from anymail.utils import parse_single_address
from django.core import mail as outbox

from channels.providers import PROVIDERS
from channels.providers.anymail import SERVICES, Anymail
from channels.providers.base import NotReadyError, Outcome, Parcel
from channels.rendering_mail import Mail
from tests.contracts.http_peer import Peer, http_peer
from tests.factories import NOON


@pytest.mark.parametrize("name", ["Corner Shop", "Shop, Inc.", 'The "Best" <Shop>', "Café ; Bar"])
def test_any_name_of_a_sender_stays_one_sender(name: str) -> None:
    letter = Mail("ann@example.com", "hello@shop.example", name, "Hi", "Hi", "", "<1@shop.example>", NOON)
    provider = PROVIDERS["anymail"](1, {"service": "test"})
    parcel = Parcel(1, NOON, uuid4(), "email", letter.recipient, letter)

    answers = provider.send([parcel], lambda going: list(going), NOON)

    assert answers[1].outcome is Outcome.ACCEPTED, answers[1]
    assert parse_single_address(outbox.outbox[-1].from_email).display_name == name


@contextmanager
def _answering(mode: str) -> Iterator[Peer]:
    with http_peer() as peer:
        peer.choose = lambda _asked: mode
        yield peer


def _checked(service: str, peer: Peer) -> str:
    options = {"api_url": peer.url(""), "sender_domain": "shop.example", "api_key": "k", "project_id": "p"}
    fit = {"mailgun": ("api_url", "sender_domain"), "mailjet": ("api_url", "api_key"),
           "scaleway": ("api_url", "project_id")}.get(service, ("api_url",))  # fmt: skip
    told = json.dumps({name: options[name] for name in fit})
    return PROVIDERS["anymail"](1, {"service": service, "options": told, "api_key": "s3cret"}).check()


@pytest.mark.parametrize("service", [one for one in SERVICES if one not in ("amazon_ses", "test")])
def test_a_service_is_asked_to_send_nothing_and_so_shows_whether_it_takes_the_key(service: str) -> None:
    with _answering("key_empty") as peer:
        assert _checked(service, peer).endswith("takes the key.")
    (asked,) = peer.asked
    assert b"example" not in asked.body
    proof = repr(sorted(asked.headers.items())) + asked.body.decode()
    assert "s3cret" in proof or "Basic " in proof


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("key_wrong", "auth", "Postmark does not take the key"),
        ("key_named", "auth", "Invalid API key"),
        ("key_in_200", "auth", "does not take the key"),
        ("key_lost", "settings", "Domain not found"),
        ("key_trouble", "service", "trouble of its own"),
        ("busy", "429", "too often"),
    ],
)
def test_what_is_wrong_with_a_service_is_said_in_plain_words(mode: str, code: str, words: str) -> None:
    with _answering(mode) as peer, pytest.raises(NotReadyError, match=words) as told:
        _checked("postmark", peer)
    assert told.value.code == code


def test_a_refused_call_without_a_mail_is_no_wrong_key_and_a_closed_port_is_said() -> None:
    with _answering("key_unnamed") as peer:
        assert "takes the key" in _checked("mandrill", peer)
    with pytest.raises(NotReadyError, match="does not answer"):
        _checked("mandrill", peer)


def test_amazon_is_not_asked_since_its_key_may_only_send() -> None:
    assert "a test shows" in Anymail(1, {"service": "test"}).check()
