"""The back office's pages about the policy: the charter, the ledger, consents and suppressions."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels import charter, deciding, outbox
from channels.models import CharterVersion, Decision
from contacts import clock, consent
from contacts.consent import NewConsent
from contacts.models import ConsentEntry, Purpose, Suppression
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact, make_intent, make_provider
from tests.statements import statements

pytestmark = pytest.mark.django_db
CHARTERS = "/admin/channels/charterversion/"


@pytest.fixture
def boss() -> Client:
    return signed_in(make_person("boss", superuser=True))


def form(**parts: Any) -> dict[str, str]:
    return {name: json.dumps(parts.get(name, value)) for name, value in charter.DEFAULT.items()} | {
        "note": "gentler",
        "effective_at_0": "",
        "effective_at_1": "",
    }


def test_the_list_says_what_rules_before_anything_was_published(boss: Client) -> None:
    page = boss.get(CHARTERS).content.decode()
    assert "In force: the default rules" in page
    assert "At most 4 messages in 7 days." in page


def test_a_draft_begins_with_the_rules_in_force(boss: Client) -> None:
    page = boss.get(CHARTERS + "add/").content.decode()
    assert "four a week" in page


def test_a_charter_is_drafted_shown_in_words_and_published_after_a_question(boss: Client) -> None:
    response = boss.post(CHARTERS + "add/", form(caps=[{"limit": 1, "rolling": "3 days"}]))
    assert response.status_code == 302
    version = CharterVersion.objects.get()
    assert (version.number, version.published_at, version.note) == (1, None, "gentler")
    page = boss.get(f"{CHARTERS}{version.pk}/change/").content.decode()
    assert "At most 1 message in 3 days." in page
    ask = reverse("admin:channels_charterversion_publish_ask", args=[version.pk])
    question = boss.get(ask).content.decode()
    assert "At most 1 message in 3 days." in question
    assert "At most 4 messages in 7 days." in question
    assert charter.in_force(clock.now()) is None
    boss.post(ask)
    assert charter.current(clock.now()).caps[0].limit == 1


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("caps", [{"limit": -1, "rolling": "1 day"}], "caps.0.limit: must be a whole number"),
        ("quiet_hours", [{"from": "8pm", "to": "08:00"}], "quiet_hours.0.from: must be a time"),
        ("channels", {"order": ["fax"]}, "is not a channel"),
    ],
)
def test_a_mistake_is_shown_at_its_part(boss: Client, part: str, value: Any, words: str) -> None:
    page = boss.post(CHARTERS + "add/", form(**{part: value})).content.decode()
    assert words in page
    assert not CharterVersion.objects.exists()


def test_a_draft_can_be_changed_and_a_published_charter_cannot(boss: Client) -> None:
    version = charter.draft(charter.DEFAULT)
    boss.post(f"{CHARTERS}{version.pk}/change/", form(spacing={"apart": "1 hour"}))
    version.refresh_from_db()
    assert version.rules["spacing"] == {"apart": "1 hour"}
    charter.publish(version, clock.now())
    assert boss.post(f"{CHARTERS}{version.pk}/change/", form()).status_code == 403
    assert boss.post(f"{CHARTERS}{version.pk}/delete/", {"post": "yes"}).status_code == 403
    page = boss.get(f"{CHARTERS}{version.pk}/change/")
    assert page.status_code == 200
    assert "At least 1 hour between two messages." in page.content.decode()


def test_a_draft_is_made_of_a_published_charter(boss: Client) -> None:
    version = charter.publish(charter.draft({"spacing": {"apart": "2 hours"}}), clock.now())
    boss.get(reverse("admin:channels_charterversion_copy", args=[version.pk]))
    assert CharterVersion.objects.get(number=2).rules == version.rules


def test_only_an_approver_may_publish() -> None:
    version = charter.draft({})
    ask = reverse("admin:channels_charterversion_publish_ask", args=[version.pk])
    marketer = signed_in(make_person("mona", role="Marketer"))
    assert marketer.post(ask).status_code == 403
    approver = signed_in(make_person("ada", role="Approver"))
    assert approver.post(ask).status_code == 302
    version.refresh_from_db()
    assert version.published_at is not None


def test_a_publication_asked_for_twice_happens_once(boss: Client) -> None:
    version = charter.publish(charter.draft({}), NOON)
    boss.post(reverse("admin:channels_charterversion_publish_ask", args=[version.pk]))
    version.refresh_from_db()
    assert version.published_at == NOON


def decided() -> Decision:
    make_provider("email")
    contact = make_contact(email="alice@example.com", timezone="Europe/Paris")
    consent.record([NewConsent(contact.id, "email", "*", True, "test")], NOON)
    outbox.intend([make_intent(contact), make_intent(contact)], NOON)
    deciding.decide_batch(NOON)
    return Decision.objects.get(outcome=Decision.Outcome.HOLD)


def test_the_ledger_is_read_in_words(boss: Client) -> None:
    decided()
    page = boss.get("/admin/channels/decision/").content.decode()
    assert "there was a message on the same day already" in page
    assert "everything allows it" in page


def test_a_decision_shows_every_question(boss: Client) -> None:
    decision = decided()
    page = boss.get(f"/admin/channels/decision/{decision.pk}/change/").content.decode()
    for words in ("Suppression", "Consent", "One a day", "not now", "the default rules", "Paris time"):
        assert words in page


@pytest.mark.parametrize(("query", "found"), [("alice@", True), ("bob@", False)])
def test_the_ledger_is_searched_by_contact(boss: Client, query: str, found: bool) -> None:
    decided()
    page = boss.get("/admin/channels/decision/", {"q": query}).content.decode()
    assert ("everything allows it" in page) is found


def test_the_ledger_is_searched_by_message_and_filtered_by_reason(boss: Client) -> None:
    decision = decided()
    found = boss.get("/admin/channels/decision/", {"q": f"#{decision.message_id}"}).content.decode()
    assert "same day already" in found
    assert "everything allows it" not in found
    filtered = boss.get("/admin/channels/decision/", {"reason": "allowed"}).content.decode()
    assert "same day already" not in filtered


def test_nobody_writes_in_the_ledgers(boss: Client) -> None:
    decision = decided()
    entry = ConsentEntry.objects.get()
    for path in (f"/admin/channels/decision/{decision.pk}/", f"/admin/contacts/consententry/{entry.pk}/"):
        assert boss.post(path + "change/", {}).status_code == 403
        assert boss.post(path + "delete/", {"post": "yes"}).status_code == 403


def test_the_consent_ledger_is_read_and_searched(boss: Client) -> None:
    decided()
    page = boss.get("/admin/contacts/consententry/", {"q": "alice@example.com"}).content.decode()
    assert "everything" in page
    assert "given" in page


def test_an_address_is_suppressed_by_hand_and_lifted_after_a_question(boss: Client) -> None:
    path = "/admin/contacts/suppression/"
    boss.post(path + "add/", {"channel": "email", "address": "Bob@Example.com", "note": "asked by phone"})
    row = Suppression.objects.get()
    assert (row.address, row.reason, row.note) == ("bob@example.com", "manual", "asked by phone")
    assert "bob@example.com" in boss.get(path, {"q": "BOB"}).content.decode()
    question = boss.get(f"{path}{row.pk}/delete/").content.decode()
    assert "bob@example.com" in question
    assert Suppression.objects.exists()
    boss.post(f"{path}{row.pk}/delete/", {"post": "yes"})
    assert not Suppression.objects.exists()


def test_suppressing_an_address_twice_is_told(boss: Client) -> None:
    consent.suppress([("email", "bob@example.com")], "complaint", NOON)
    page = boss.post(
        "/admin/contacts/suppression/add/", {"channel": "email", "address": "BOB@example.com", "note": ""}
    )
    assert "suppressed already" in page.content.decode()


def test_a_purpose_that_somebody_spoke_about_stays(boss: Client) -> None:
    purpose, _made = Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    consent.record([NewConsent(make_contact().id, "email", "offers", True, "test")], NOON)
    assert boss.post(f"/admin/contacts/purpose/{purpose.pk}/delete/", {"post": "yes"}).status_code == 403
    page = boss.get(f"/admin/contacts/purpose/{purpose.pk}/change/").content.decode()
    assert 'name="slug"' not in page


def test_a_page_of_the_ledger_takes_the_same_statements_for_two_and_for_forty(boss: Client) -> None:
    decision = decided()
    totals = []
    for size in (2, 40):
        while Decision.objects.count() < size:
            contact = make_contact()
            Decision.objects.create(
                decided_at=NOON,
                slot=contact.slot,
                contact=contact,
                message_id=decision.message_id,
                message_created_at=NOON,
                outcome=Decision.Outcome.DROP,
                reason="not_asked",
            )
        with statements() as count:
            boss.get("/admin/channels/decision/")
        totals.append(count.total)
    assert totals[0] == totals[1]


def test_decisions_about_a_contact_who_is_gone_stay(boss: Client) -> None:
    decision = decided()
    decision.contact.delete()
    assert "gone" in boss.get("/admin/channels/decision/").content.decode()
