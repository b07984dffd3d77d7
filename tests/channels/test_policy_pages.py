"""The back office's pages about the policy: the charter, the ledger, consents and suppressions."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels import charter, charter_editing, charter_rules, deciding, outbox
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


NEW = {"note": "gentler", "effective_at_0": "", "effective_at_1": ""}


def drafted(rules: dict[str, Any] | None = None) -> CharterVersion:
    return charter.draft(charter.DEFAULT if rules is None else rules)


def part(version: CharterVersion, name: str, rule: int | str = "") -> str:
    return f"{CHARTERS}{version.pk}/part/{name}/" + (f"{rule}/" if rule != "" else "")


CAP = {
    "name": "",
    "limit": "1",
    "window": "rolling",
    "rolling_0": "3",
    "rolling_1": "days",
    "zone": "",
    "tags": "",
}


SMART = {
    "channel": "asked",
    "time": "asked",
    "within_0": "24",
    "within_1": "hours",
    "explore": "5",
    "control": "10",
}


def test_the_list_says_what_rules_before_anything_was_published(boss: Client) -> None:
    page = boss.get(CHARTERS).content.decode()
    assert "In force: the default rules" in page
    assert "At most 4 messages in 7 days." in page


def test_a_draft_begins_with_the_rules_in_force(boss: Client) -> None:
    response = boss.post(CHARTERS + "add/", NEW)
    version = CharterVersion.objects.get()
    assert response.headers["Location"] == f"{CHARTERS}{version.pk}/change/"
    assert (version.number, version.rules, version.note) == (1, charter.DEFAULT, "gentler")
    page = boss.get(response.headers["Location"]).content.decode()
    assert "At most 4 messages in 7 days." in page
    assert part(version, "caps", 0) in page


def test_a_charter_is_drafted_shown_in_words_and_published_after_a_question(boss: Client) -> None:
    version = drafted()
    assert boss.post(part(version, "caps", 0), CAP).status_code == 302
    page = boss.get(f"{CHARTERS}{version.pk}/change/").content.decode()
    assert "At most 1 message in 3 days." in page
    ask = reverse("admin:channels_charterversion_publish_ask", args=[version.pk])
    question = boss.get(ask).content.decode()
    assert "At most 1 message in 3 days." in question
    assert "At most 4 messages in 7 days." in question
    assert "last 14 days" in question
    assert charter.in_force(clock.now()) is None
    boss.post(ask, {"act": "publish"})
    assert charter.current(clock.now()).caps[0].limit == 1


FORMS: dict[str, tuple[dict[str, Any], Any]] = {
    "caps/new": ({**CAP, "window": "week", "channels": ["sms"], "bands": ["low"], "tags": "promo, summer"},
                 {"limit": 1, "calendar": "week", "channels": ["sms"], "bands": ["low"],
                  "tags": ["promo", "summer"]}),
    "engagement": ({"source": "keenness", "bands": "cold, warm", "unknown": "cold"},
                   {"source": "keenness", "bands": ["cold", "warm"], "unknown": "cold"}),
    "spacing": ({"one_a_day": "on", "apart_0": "2", "apart_1": "hours"},
                {"one_a_day": True, "apart": "2 hours"}),
    "roles/new": ({"channel": "sms", "purposes": ["offers"]}, {"channel": "sms", "purposes": ["offers"]}),
    "smart": ({"channel": "always", "time": "never", "within_0": "6", "within_1": "hours", "explore": "0",
               "control": "20"},
              {"channel": "always", "time": "never", "within": "6 hours", "explore": 0, "control": 20}),
    "redundancy/new": ({"drop": "sms", "when": "email", "ahead_0": "1", "ahead_1": "days"},
                       {"drop": "sms", "when": "email", "ahead": "1 days"}),
    "combinations/new": ({"purposes": ["offers"], "apart_0": "3", "apart_1": "days", "with_tags": "survey"},
                         {"purposes": ["offers"], "apart": "3 days", "with": {"tags": ["survey"]}}),
    "priorities/new": ({"add": "-10", "purposes": ["offers"]}, {"add": -10, "purposes": ["offers"]}),
    "quiet_hours/new": ({"begins": "22:00", "ends": "07:30", "days": ["sunday"]},
                        {"from": "22:00", "to": "07:30", "days": ["sunday"]}),
    "laws/new": ({"pack": "fr|until 22:00"}, {"pack": "fr", "variant": "until 22:00"}),
    "blackouts/new": ({"name": "Sale", "first": "2026-12-24", "last": "2026-12-26", "countries": "fr, be"},
                      {"name": "Sale", "from": "2026-12-24", "to": "2026-12-26", "countries": ["FR", "BE"]}),
    "holidays/new": ({"countries": "", "channels": ["sms"]}, {"channels": ["sms"]}),
    "time": ({"unknown_zone": "default", "default_zone": "UTC", "patience_0": "2", "patience_1": "days"},
             {"unknown_zone": "default", "default_zone": "UTC", "patience": "2 days"}),
    "consent": ({"unasked": "allow"}, {"unasked": "allow"}),
    "tone": ({"forbidden": "act now\nfree", "capitals": "30", "required_sms": "STOP"},
             {"forbidden": ["act now", "free"], "capitals": 30,
              "required": [{"channel": "sms", "part": "STOP"}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_part_is_edited_in_a_form(boss: Client, name: str) -> None:
    """What the form gives is what the charter keeps, the form shows it again, and it can be taken out."""
    fields, kept = FORMS[name]
    version, where = drafted({}), name.partition("/")[0]
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    assert boss.get(f"{CHARTERS}{version.pk}/part/{name}/").status_code == 200
    response = boss.post(f"{CHARTERS}{version.pk}/part/{name}/", fields)
    assert response.status_code == 302, response.content.decode()
    version.refresh_from_db()
    own = charter_editing.part(version.rules, where)
    assert own == ([kept] if "/" in name else kept)
    charter_rules.parse(version.rules)
    if "/" in name:
        again = boss.get(part(version, where, 0))
        assert again.status_code == 200
        boss.post(part(version, where, 0), {"remove": ""})
        version.refresh_from_db()
        assert not charter_editing.part(version.rules, where)


def test_the_order_of_channels_keeps_their_roles(boss: Client) -> None:
    roles = [{"channel": "sms", "purposes": ["offers"]}]
    version = drafted({"channels": {"roles": roles}})
    fields = {"order_0": "sms", "order_1": "email", "order_2": "", "order_3": "", "order_by": "charter"}
    boss.post(part(version, "channels"), {**fields, "fallback": "held"})
    version.refresh_from_db()
    kept = {"order": ["sms", "email"], "order_by": "charter", "fallback": "held", "roles": roles}
    assert version.rules["channels"] == kept


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("caps/new", {**CAP, "limit": "-1"}, "greater than or equal to 0"),
        ("caps/new", {**CAP, "rolling_0": "900"}, "caps.0.rolling: must be more than nothing"),
        ("caps/new", {**CAP, "rolling_0": ""}, "Say in how much time."),
        ("caps/new", {**CAP, "zone": "Paris"}, "not a time zone"),
        ("quiet_hours/new", {"begins": "8pm", "ends": "08:00"}, "Enter a valid time."),
        ("channels", {"order_0": "email", "order_1": "email", "order_by": "message", "fallback": "held"},
         "names a channel twice"),
        ("blackouts/new", {"first": "2026-12-26", "last": "2026-12-24"}, "before the first"),
        ("combinations/new", {"purposes": ["offers"], "tags": "", "apart_0": "", "apart_1": "hours",
                              "with_tags": "sale"}, "Say how long after those messages."),
        ("smart", {**SMART, "explore": "80"}, "less than or equal to 50"),
        ("smart", {**SMART, "within_0": "9", "within_1": "days"}, "smart.within: must be more than nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_at_its_part(boss: Client, name: str, fields: dict[str, str], words: str) -> None:
    version = drafted({})
    page = boss.post(f"{CHARTERS}{version.pk}/part/{name}/", fields)
    assert page.status_code == 200
    assert words in page.content.decode()
    version.refresh_from_db()
    assert version.rules == {}


def test_a_draft_can_be_changed_and_a_published_charter_cannot(boss: Client) -> None:
    version = drafted()
    boss.post(part(version, "spacing"), {"apart_0": "1", "apart_1": "hours"})
    version.refresh_from_db()
    assert version.rules["spacing"] == {"apart": "1 hours"}
    charter.publish(version, clock.now())
    assert boss.post(f"{CHARTERS}{version.pk}/change/", NEW).status_code == 403
    assert boss.post(part(version, "spacing"), {}).status_code == 403
    assert boss.post(f"{CHARTERS}{version.pk}/delete/", {"post": "yes"}).status_code == 403
    page = boss.get(f"{CHARTERS}{version.pk}/change/")
    assert page.status_code == 200
    assert "At least 1 hour between two messages." in page.content.decode()


def test_a_duration_without_a_number_is_none_whatever_unit_the_browser_sends(boss: Client) -> None:
    version = drafted({})
    empty = {f"{name}_{i}": value for name in ("rolling", "wait") for i, value in ((0, ""), (1, "hours"))}
    boss.post(f"{CHARTERS}{version.pk}/part/caps/new/", {**CAP, "window": "week", **empty})
    boss.post(
        f"{CHARTERS}{version.pk}/part/redundancy/new/",
        {
            "drop": "push",
            "when": "email",
            "ahead_0": "1",
            "ahead_1": "days",
            "behind_0": "",
            "behind_1": "hours",
        },
    )
    version.refresh_from_db()
    assert version.rules == {
        "caps": [{"limit": 1, "calendar": "week"}],
        "redundancy": [{"drop": "push", "when": "email", "ahead": "1 days"}],
    }


def test_a_rule_that_somebody_else_took_out_meanwhile_is_not_changed_in_another_ones_place(
    boss: Client,
) -> None:
    caps = [{"limit": 1, "rolling": "1 day"}, {"limit": 9, "rolling": "7 days"}]
    version = drafted({"caps": caps})
    address = part(version, "caps/0")
    mark = re.search(r'name="mark" value="(\w+)"', boss.get(address).content.decode())
    assert mark
    boss.post(address, {"remove": "1"})
    said = boss.post(address, {**CAP, "limit": "3", "mark": mark[1]}, follow=True)
    assert "Somebody else changed this meanwhile" in said.content.decode()
    version.refresh_from_db()
    assert version.rules["caps"] == caps[1:]


@pytest.mark.parametrize(
    "rest", ["part/nonsense/", "part/caps/", "part/caps/99/", "part/spacing/0/", "part/caps/x/"]
)
def test_a_part_that_is_not_there_is_not_found(boss: Client, rest: str) -> None:
    assert boss.get(f"{CHARTERS}{drafted().pk}/{rest}").status_code == 404


def test_two_people_publish_where_the_installation_wants_it(settings: Any) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True
    version = drafted({"spacing": {"apart": "2 hours"}})
    ask = reverse("admin:channels_charterversion_publish_ask", args=[version.pk])
    mona, ada = (
        signed_in(make_person(name, role=role)) for name, role in (("mona", "Marketer"), ("ada", "Approver"))
    )
    mona.post(ask, {"act": "ask", "note": "please"})
    assert "please" in ada.get(ask).content.decode()
    assert mona.post(ask, {"act": "approve"}).status_code == 403
    ada.post(ask, {"act": "publish"})
    assert charter.in_force(clock.now()) is None  # nobody alone
    mona.post(part(version, "spacing"), {"apart_0": "3", "apart_1": "hours"})
    ada.post(ask, {"act": "approve"})
    assert charter.in_force(clock.now()) is None  # not what was asked for
    mona.post(ask, {"act": "ask"})
    ada.post(ask, {"act": "approve"})
    assert charter.current(clock.now()).apart == timedelta(hours=3)


def test_a_request_is_refused_or_taken_back(boss: Client) -> None:
    version = drafted({})
    ask = reverse("admin:channels_charterversion_publish_ask", args=[version.pk])
    mona = signed_in(make_person("mona", role="Marketer"))
    for who, state in ((boss, "refused"), (mona, "withdrawn")):
        mona.post(ask, {"act": "ask"})
        who.post(ask, {"act": "refuse"})
        assert version.publish_requests.latest("id").state == state
    assert charter.in_force(clock.now()) is None


def test_a_draft_with_a_mistake_cannot_be_published(boss: Client) -> None:
    version = drafted({"caps": [{"limit": -1, "rolling": "1 day"}]})
    ask = reverse("admin:channels_charterversion_publish_ask", args=[version.pk])
    page = boss.get(ask).content.decode()
    assert "caps.0.limit" in page
    assert "cannot be published before" in page
    boss.post(ask, {"act": "publish"})
    assert charter.in_force(clock.now()) is None


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
