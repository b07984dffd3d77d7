"""Audiences that follow a segment, a consent and an event; and how Meta and Google are told."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from channels import audience_sync, audiences, sealing
from channels.models import Audience, AudienceMember
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact, Purpose, Segment, SegmentMembership
from contacts.privacy import erasing
from tests.contracts.http_peer import Peer, http_peer
from tests.factories import NOON, log_event, make_contact, make_provider

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def peer(settings: Settings) -> Any:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as running:
        running.choose = lambda asked: "token" if "token" in asked.path else "ok"
        yield running


def _audience(
    kind: str = "audience_csv", settings: Any = None, secrets: Any = None, **values: Any
) -> Audience:
    account = make_provider(
        "audience", kind=kind, settings=settings or {}, secrets=sealing.seal(secrets or {})
    )
    return Audience.objects.create(name="Cart", slug="cart", provider=account, **values)


def _states(audience: Audience) -> dict[int, tuple[str, str]]:
    rows = AudienceMember.objects.filter(audience=audience).values_list("contact_id", "state", "reason")
    return {contact: (state, reason) for contact, state, reason in rows}


def _enter(segment: Segment, contact: Contact) -> None:
    SegmentMembership.objects.create(segment=segment, contact=contact, slot=contact.slot, entered_at=NOON)


def _allow(contact: Contact, allowed: bool, purpose: str = "ads") -> None:
    consent.record([NewConsent(contact.pk, "email", purpose, allowed, "test")], NOON)


def test_people_of_the_segment_who_agreed_are_in_and_leave_with_either(peer: Peer) -> None:
    segment = Segment.objects.create(name="Cart", slug="cart", rule={})
    purpose = Purpose.objects.create(slug="ads", name="Ads")
    audience = _audience("audience_http", {"url": peer.url("ok")}, purpose=purpose, segment=segment)
    ann, bob, eve = make_contact(), make_contact(), make_contact()
    for one in (ann, bob, eve):
        _enter(segment, one)
    _allow(ann, True)
    _allow(bob, True)
    audience_sync.sync(NOON)
    assert _states(audience) == {ann.pk: ("in", "segment"), bob.pk: ("in", "segment")}

    _allow(ann, False, "*")
    SegmentMembership.objects.filter(contact=bob).delete()
    _allow(eve, True)
    audience_sync.sync(NOON + HOUR)
    assert _states(audience) == {
        ann.pk: ("out", "consent"), bob.pk: ("out", "segment"), eve.pk: ("in", "segment"),
    }  # fmt: skip


def test_what_was_bought_is_advertised_no_more(peer: Peer) -> None:
    segment = Segment.objects.create(name="Cart", slug="cart", rule={})
    audience = _audience(
        "audience_http", {"url": peer.url("ok")}, segment=segment, leave_on="Order Completed"
    )
    ann = make_contact()
    _enter(segment, ann)
    log_event(ann, "Order Completed", NOON - HOUR)
    audience_sync.sync(NOON)
    assert _states(audience) == {ann.pk: ("in", "segment")}
    log_event(ann, "Order Completed", NOON + HOUR)
    audience_sync.sync(NOON + 2 * HOUR)
    audience_sync.sync(NOON + 3 * HOUR)
    assert _states(audience) == {ann.pk: ("out", "event")}


def test_whom_a_journey_adds_without_consent_is_not_told(peer: Peer) -> None:
    purpose = Purpose.objects.create(slug="ads", name="Ads")
    audience = _audience("audience_http", {"url": peer.url("ok")}, purpose=purpose)
    ann = make_contact()
    audiences.add([ann.pk], "cart", "journey", NOON)
    audience_sync.sync(NOON)
    assert all(json.loads(asked.body)["add"] == [] for asked in peer.asked)
    assert _states(audience) == {ann.pk: ("out", "consent")}


def test_meta_is_told_in_its_own_form(peer: Peer) -> None:
    audience = _audience(
        "audience_meta", {"api_url": peer.url("v25.0")}, {"token": "m3ta"}, remote_id="238501"
    )
    ann = make_contact(email="ann@example.com", phone="+33612345678")
    audiences.add([ann.pk], "cart", "test", NOON)
    assert audience_sync.sync(NOON) == 1
    (asked,) = peer.asked
    assert (asked.method, asked.path) == ("POST", "/v25.0/238501/users")
    assert asked.headers["authorization"] == "Bearer m3ta"
    told = json.loads(asked.body)
    assert told["payload"] == {
        "schema": ["EMAIL", "PHONE"], "data": [[_sha("ann@example.com"), _sha("33612345678")]],
    }  # fmt: skip
    assert told["session"]["last_batch_flag"] is True

    erasing.erase_unasked([ann.pk], NOON + HOUR)
    audience_sync.sync(NOON + 2 * HOUR)
    removed = peer.asked[-1]
    assert (removed.method, json.loads(removed.body)["payload"]["data"]) == (
        "DELETE", [[_sha("ann@example.com"), _sha("33612345678")]],
    )  # fmt: skip
    assert audience.departures.count() == 0


@pytest.mark.parametrize("mode", ["meta_bad", "meta_busy", "reset", "away"])
def test_what_meta_does_not_take_is_told_again_and_shown(peer: Peer, mode: str) -> None:
    audience = _audience("audience_meta", {"api_url": peer.url("v25.0")}, {"token": "t"}, remote_id="2")
    peer.choose = lambda asked: mode
    audiences.add([make_contact().pk], "cart", "test", NOON)
    assert audience_sync.sync(NOON) == 0
    audience.refresh_from_db()
    assert audience.trouble
    peer.choose = lambda asked: "ok"
    assert audience_sync.sync(NOON + timedelta(minutes=10)) == 1
    audience.refresh_from_db()
    assert audience.trouble == ""


def test_google_is_told_in_its_own_form_with_a_token_of_its_own(peer: Peer) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    account = json.dumps({"client_email": "s@p.example", "private_key": pem, "token_uri": peer.url("token")})
    _audience(
        "audience_google", {"account_id": "123-456-7890", "api_url": peer.url("g")},
        {"service_account": account},
        remote_id="777",
    )  # fmt: skip
    ann = make_contact(email="ann@example.com", phone="+33612345678")
    audiences.add([ann.pk], "cart", "test", NOON)
    assert audience_sync.sync(NOON) == 1
    grant, told = peer.asked
    claims = jwt.decode(
        parse_qs(grant.body.decode())["assertion"][0], key.public_key(), algorithms=["RS256"],
        audience=peer.url("token"), options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert claims["scope"] == "https://www.googleapis.com/auth/datamanager"
    assert told.path == "/g/v1/audienceMembers:ingest"
    assert told.headers["authorization"] == "Bearer g00gle"
    body = json.loads(told.body)
    assert body["destinations"] == [{
        "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
        "productDestinationId": "777",
    }]  # fmt: skip
    assert body["audienceMembers"] == [{"userData": {"userIdentifiers": [
        {"emailAddress": _sha("ann@example.com")}, {"phoneNumber": _sha("+33612345678")}]}}]  # fmt: skip
    assert (body["encoding"], body["consent"]["adUserData"]) == ("HEX", "CONSENT_GRANTED")

    audiences.remove([ann.pk], "cart", "test", NOON + HOUR)
    audience_sync.sync(NOON + HOUR)
    assert peer.asked[-1].path == "/g/v1/audienceMembers:remove"


def test_the_page_shows_who_is_still_to_be_told(admin_client: Client) -> None:
    audience = _audience()
    ann = make_contact(email="ann@example.com")
    audiences.add([ann.pk], "cart", "journey", NOON)
    Audience.objects.filter(pk=audience.pk).update(trouble="190 the token has ended")
    page = admin_client.get(reverse("admin:channels_audience_state", args=[audience.pk])).content.decode()
    assert "ann@example.com" in page
    assert "the token has ended" in page
    assert admin_client.post(reverse("admin:channels_audience_state", args=[audience.pk])).status_code == 302


def test_an_audience_without_its_id_there_waits(peer: Peer) -> None:
    audience = _audience("audience_meta", {"api_url": peer.url("v25.0")}, {"token": "t"})
    audiences.add([make_contact().pk], "cart", "test", NOON)
    assert audience_sync.sync(NOON) == 0
    audience.refresh_from_db()
    assert "no id at the destination" in audience.trouble
    assert peer.asked == []
