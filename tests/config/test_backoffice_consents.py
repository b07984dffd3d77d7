"""The back office of consents: overview, a person's history, wordings, purposes, texts."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from contacts import clock, consent
from contacts.consent import NewConsent, wordings
from contacts.models import Contact, Purpose, Suppression, TrackingRule, Wording
from tests.config.backoffice import make_person, signed_in
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
LEDGER = "/admin/contacts/consententry/"


@pytest.fixture
def officer() -> Client:
    return signed_in(make_person("olga", role="Privacy officer"))


@pytest.fixture
def alice() -> Contact:
    now = clock.now()
    Purpose.objects.create(slug="news", name="Newsletter")
    contact = make_contact(email="alice@example.com", now=now)
    proof = {"ip": "192.0.2.7", "form": "footer"}
    lines = [
        NewConsent(contact.id, "email", "news", True, "sign-up form", wording="box-1", proof=proof),
        NewConsent(contact.id, "sms", "*", False, "by phone"),
    ]
    consent.record(lines, now - timedelta(days=2))
    soon = now + timedelta(days=3)
    consent.record([NewConsent(contact.id, "push", "news", True, "browser", expires_at=soon)], now)
    return contact


def test_the_overview_counts_answers_and_names_what_ends_soon(officer: Client, alice: Contact) -> None:
    page = officer.get(LEDGER + "overview/").content.decode()
    assert "Newsletter" in page
    assert "alice@example.com" in page
    assert "It was not checked yet" in page


def test_a_check_says_that_the_ledger_is_whole_or_names_the_first_broken_line(
    officer: Client, alice: Contact
) -> None:
    assert "As it was written" in officer.post(LEDGER + "check/", follow=True).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE contacts_consententry SET action = 'in' WHERE seq = 2 RETURNING id")
        (line,) = cursor.fetchone() or (0,)
        cursor.execute("SET session_replication_role = origin")
    page = officer.post(LEDGER + "check/", follow=True).content.decode()
    assert f"Line {line} (chain {alice.id}, place 2): its content is not what was written" in page


def test_a_persons_history_shows_proof_and_what_held_at_an_instant(officer: Client, alice: Contact) -> None:
    path = f"{LEDGER}person/{alice.id}/"
    page = officer.get(path).content.decode()
    assert "192.0.2.7" in page
    assert "box-1" in page
    before = (clock.now() - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert "Nothing was on record." in officer.get(path, {"at": before}).content.decode()
    assert officer.get(path, {"at": "nonsense"}).status_code == 200


def test_lines_of_erased_people_stay_in_the_list(officer: Client, alice: Contact) -> None:
    consent.shred([alice.id])
    assert officer.get(LEDGER).content.decode().count("an erased person") == 3


def test_a_wording_in_use_is_read_only_and_has_a_new_version(officer: Client, alice: Contact) -> None:
    wording = Wording.objects.create(slug="box", number=1, text="Yes please", effective_at=clock.now())
    path = f"/admin/contacts/wording/{wording.pk}/"
    officer.post(path + "change/", {"text": "Yes to everything", "effective_at_0": "2026-01-01"})
    assert Wording.objects.get(pk=wording.pk).text == "Yes please"
    assert officer.post(path + "delete/", {"post": "yes"}).status_code == 403
    form = officer.get(reverse("admin:contacts_wording_new_version", args=[wording.pk]), follow=True)
    assert "Yes please" in form.content.decode()
    assert Wording.objects.count() == 1
    values = {
        "slug": "box",
        "number": "2",
        "text": "Yes",
        "effective_at_0": "2026-01-01",
        "effective_at_1": "00:00",
    }
    officer.post("/admin/contacts/wording/add/", values)
    assert Wording.objects.get(number=2).text == "Yes"
    assert wordings.next_number("box") == 3


def test_a_purpose_says_where_it_is_confirmed_and_how_long_it_lasts(officer: Client) -> None:
    officer.post(
        "/admin/contacts/purpose/add/",
        {"name": "Tips", "slug": "tips", "confirmed_channels": ["email"], "lasts_days": "365"},
    )
    purpose = Purpose.objects.get(slug="tips")
    assert (purpose.confirmed_channels, purpose.lasts_days) == (["email"], 365)


def test_a_text_from_somebody_is_obeyed(officer: Client) -> None:
    path = "/admin/channels/sandboxmessage/incoming-text/"
    assert "no telephone number" in officer.post(path, {"number": "12", "text": "STOP"}).content.decode()
    page = officer.post(path, {"number": "+33 6 12 34 56 78", "text": "arrêt"}, follow=True).content.decode()
    assert "gets no more text messages" in page
    assert Suppression.objects.get().address == "+33612345678"


@pytest.mark.parametrize(
    "path",
    [LEDGER + "overview/", "/admin/contacts/wording/", "/admin/contacts/trackingrule/", LEDGER + "1/change/"],
)
def test_pages_open_for_those_who_may_and_for_nobody_else(officer: Client, path: str) -> None:
    TrackingRule.objects.create(country="FR", effective_on=clock.now().date())
    assert officer.get(path, follow=True).status_code == 200
    stranger = signed_in(make_person("sam"))
    assert stranger.get(path).status_code in {302, 403}
