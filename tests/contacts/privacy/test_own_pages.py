"""What people do for themselves with the link of a message, in English and French."""

import pytest
from django.test import Client

from contacts import clock, preferences
from contacts.models import Contact, Prediction, PrivacyRequest
from contacts.preferences import Grant, Use
from contacts.privacy import copying
from tests.contacts.privacy import cast
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def link(contact: Contact, use: Use = Use.PREFERENCES) -> str:
    return f"/d/{preferences.token(Grant(contact.public_id, 'email', 'offers'), use, clock.now())}"


def test_a_copy_is_asked_for_made_and_fetched(client: Client) -> None:
    contact = cast.make_somebody()
    assert b"Make my copy" in client.get(link(contact)).content
    assert not PrivacyRequest.objects.exists()
    assert b"is being made" in client.post(link(contact), {"copy": "1"}).content
    copying.pulse(clock.now())
    assert b"Your copy is ready" in client.get(link(contact)).content
    answer = client.get(f"{link(contact)}/copy")
    assert b"".join(answer.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    assert answer["Cache-Control"] == "no-store"


def test_nobody_fetches_another_persons_copy(client: Client) -> None:
    contact = cast.make_somebody()
    client.post(link(contact), {"copy": "1"})
    copying.pulse(clock.now())
    assert client.get(f"{link(make_contact())}/copy").status_code == 404


@pytest.mark.parametrize("use", [Use.UNSUBSCRIBE, Use.CONFIRM])
def test_a_link_of_another_purpose_opens_nothing(client: Client, use: Use) -> None:
    contact = make_contact()
    for page in ("", "/copy", "/erasure"):
        assert client.get(link(contact, use) + page).status_code == 404
        assert client.get(link(contact)[:-1] + "x" + page).status_code == 404


def test_an_erasure_wants_the_address_and_can_be_taken_back(client: Client) -> None:
    contact = cast.make_somebody()
    page = f"{link(contact)}/erasure"
    assert b"not the address" in client.post(page, {"typed": "else@example.com"}).content
    assert not PrivacyRequest.objects.exists()
    assert b"We have your request" in client.post(page, {"typed": cast.EMAIL}).content
    assert PrivacyRequest.objects.get().state == "asked"
    client.post(page, {"back": "1"})
    assert PrivacyRequest.objects.get().state == "cancelled"


def test_an_objection_takes_effect_at_once_and_can_be_taken_back(client: Client) -> None:
    contact = cast.make_somebody()
    client.post(link(contact), {"object": "1"})
    assert not Prediction.objects.exists()
    assert PrivacyRequest.objects.get().state == "done"
    assert b"Nothing is inferred" in client.get(link(contact)).content
    client.post(link(contact), {"allow": "1"})
    assert b"I object" in client.get(link(contact)).content


def test_the_pages_speak_french(client: Client) -> None:
    contact = make_contact(language="fr")
    text = (
        client.get(link(contact)).content.decode() + client.get(f"{link(contact)}/erasure").content.decode()
    )
    for words in ("Vos données", "Une copie de tout", "Je m’oppose au profilage", "Saisissez votre adresse"):
        assert words in text
    for english in ("Your data", "Make my copy", "erased", "object to"):
        assert english not in text


def test_the_preference_centre_leads_here(client: Client) -> None:
    contact = make_contact()
    token = link(contact).removeprefix("/d/")
    assert f"/d/{token}".encode() in client.get(f"/p/{token}").content
