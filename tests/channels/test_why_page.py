"""“Why did I get this?”: the page that the recipient of a message opens by its own link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from babel.messages.pofile import read_po
from django.test import Client, override_settings
from django.utils import translation

from channels import charter, deciding, delivery, outbox, starter
from channels.models import Decision, Message, SandboxMessage
from contacts import clock, consent, preferences
from contacts.consent import NewConsent
from contacts.models import ConsentEntry, Contact, Purpose
from contacts.preferences import Grant, Use
from tests.factories import NOON, make_contact, make_intent, make_provider

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _speaks_english_afterwards() -> Iterator[None]:
    yield
    translation.deactivate()


@pytest.fixture
def alice() -> Contact:
    """Somebody who agreed to offers by email on 4 March, and was sent one under a cap."""
    make_provider("email")
    Purpose.objects.update_or_create(
        slug="offers",
        defaults={"name": "Offers", "name_fr": "Bons plans", "description": "Discounts, now and then"},
    )
    alice = make_contact(email="alice@example.com", timezone="Europe/Paris")
    since = NOON.replace(day=4, month=3)
    consent.record([NewConsent(alice.id, "email", "offers", True, "sign-up", occurred_at=since)], since)
    charter.publish(charter.draft({"caps": [{"limit": 4, "rolling": "7 days"}]}), since)
    send(alice)
    return alice


def send(contact: Contact, **values: object) -> Message:
    before = set(Message.objects.values_list("pk", flat=True))
    wish = {"purpose": "offers", "origin_slug": "cart-rescue", **values}
    outbox.intend([make_intent(contact, **wish)], clock.now() - DAY)
    deciding.decide_batch(clock.now() - DAY)
    return Message.objects.exclude(pk__in=before).get()


def path(contact: Contact, message: UUID | None, purpose: str = "offers") -> str:
    links = preferences.links(contact.public_id, "email", purpose, clock.now(), message=message)
    return urlsplit(links.why_url).path


def page(client: Client, address: str) -> str:
    return re.sub(r"\s+", " ", client.get(address).content.decode())


@override_settings(SEGUE_ORGANISATION="Mango Market")
def test_it_says_who_sends_what_for_on_which_consent_and_what_was_looked_at(
    client: Client, alice: Contact
) -> None:
    told = page(client, path(alice, Message.objects.get().key))
    for words in (
        "It was sent by Mango Market.",
        "our series “Cart rescue”",
        "<strong>Offers</strong>: Discounts, now and then",
        "You agreed to this on 4 March",
        "You had received 0 of at most 4 messages within 7 days.",
        "Nobody has asked us to stop writing to this address.",
    ):
        assert words in told


def test_it_leads_to_preferences_and_unsubscribing(client: Client, alice: Contact) -> None:
    told = page(client, path(alice, Message.objects.get().key))
    for way in ("/p/", "/u/"):
        link = re.search(rf'href="({way}[^"?]+)', told)
        assert link
        assert client.get(link[1]).status_code == 200


def test_it_speaks_french(client: Client, alice: Contact) -> None:
    Contact.objects.filter(pk=alice.pk).update(language="fr")
    told = page(client, path(alice, Message.objects.get().key))
    assert "Pourquoi ai-je reçu ce message" in told
    assert "Vous avez donné votre accord le 4 mars" in told
    assert "Vous aviez reçu 0 message(s) sur 4 au plus en 7 jours." in told
    assert "<strong>Bons plans</strong>" in told


def test_what_was_withdrawn_since_is_said(client: Client, alice: Contact) -> None:
    consent.withdraw(alice.pk, clock.now(), origin="test")
    told = page(client, path(alice, Message.objects.get().key))
    assert "You agreed to this on 4 March" in told
    assert "You have withdrawn this since then" in told


def test_a_service_message_needs_no_consent(client: Client, alice: Contact) -> None:
    Purpose.objects.update_or_create(slug="orders", defaults={"name": "Orders", "transactional": True})
    message = send(alice, purpose="orders")
    told = page(client, path(alice, message.key, "orders"))
    assert "no consent is asked for them" in told
    assert "Unsubscribe from such messages" not in told


def test_somebody_elses_message_tells_nothing_of_it(client: Client, alice: Contact) -> None:
    bob = make_contact(email="bob@example.com")
    told = page(client, path(bob, Message.objects.get().key))
    assert "We no longer keep this message" in told
    assert "Cart rescue" not in told
    assert "We no longer keep this message" in page(client, path(alice, uuid4()))


def test_links_are_bound_to_their_use_and_end(client: Client, alice: Contact) -> None:
    grant = Grant(alice.public_id, "email", "offers", Message.objects.get().key)
    other = preferences.token(grant, Use.UNSUBSCRIBE, clock.now())
    assert client.get(f"/w/{other}").status_code == 404
    assert client.get("/w/nonsense").status_code == 404
    old = preferences.token(grant, Use.WHY, clock.now() - 401 * DAY)
    assert client.get(f"/w/{old}").status_code == 410


@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_nothing_changes_and_nobody_keeps_the_page(client: Client, alice: Contact, method: str) -> None:
    before = (ConsentEntry.objects.count(), Decision.objects.count())
    answer = getattr(client, method)(path(alice, Message.objects.get().key))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    assert (ConsentEntry.objects.count(), Decision.objects.count()) == before


def test_a_starter_email_carries_its_own_link(client: Client, alice: Contact) -> None:
    starter.load(NOON)
    message = send(alice, content={"email": "welcome-email"})
    delivery.deliver_batch(lambda: clock.now(), limit=10)
    told = SandboxMessage.objects.filter(message_id=message.pk).get()
    link = re.search(r"/w/[\w-]+", told.html)
    assert link
    assert "Cart rescue" in page(client, link[0])


def test_every_sentence_of_the_rules_is_in_french() -> None:
    with (ROOT / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file, locale="fr")
    text = (ROOT / "channels/why_words.py").read_text(encoding="utf-8")
    wanted = re.findall(r'_\("([^"]+)"\)', text)
    assert len(wanted) > 15
    assert [one for one in wanted if not (catalogue.get(one) and catalogue[one].string)] == []
