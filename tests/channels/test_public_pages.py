"""Unsubscribing and the preference centre, as browsers, mail programs and scanners meet them."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.utils import translation

from channels import deciding
from channels.models import Message
from contacts import clock, consent, permission, preferences, wishes
from contacts.consent import NewConsent
from contacts.models import ConsentEntry, Contact, Event, Merge, Purpose
from contacts.preferences import Grant, Use
from tests.factories import NOON, make_contact, make_provider, make_queued

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _speaks_english_afterwards() -> Iterator[None]:
    """A request leaves its language to the thread, and with it to the next test."""
    yield
    translation.deactivate()


@pytest.fixture
def alice(db: None) -> Contact:
    Purpose.objects.update_or_create(slug="offers", defaults={"name": "Offers", "name_fr": "Bons plans"})
    Purpose.objects.update_or_create(slug="news", defaults={"name": "News", "name_fr": "Nouvelles"})
    contact = make_contact(email="alice@example.com", phone="", now=clock.now())
    consent.record([NewConsent(contact.id, "email", "*", True, "test")], clock.now())
    return contact


def paths(contact: Contact, message: UUID | None = None) -> tuple[str, str]:
    """Where the links in a message about offers lead: unsubscribing, preferences."""
    links = preferences.links(contact.public_id, "email", "offers", clock.now(), message=message)
    return urlsplit(links.unsubscribe_url).path, urlsplit(links.preferences_url).path


def may(contact: Contact, purpose: str = "offers", channel: str = "email") -> bool | None:
    return permission.of(consent.states([contact.id]).get(contact.id, {}), channel, purpose)


# ── Unsubscribing ───────────────────────────────────────────────────────────────────────────────────

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize("encoding", ["multipart", "urlencoded"])
def test_one_click_unsubscribes_at_once_in_both_encodings(
    client: Client, alice: Contact, encoding: str
) -> None:
    path, _preferences = paths(alice)
    if encoding == "multipart":
        response = client.post(path, ONE_CLICK)
    else:
        kind = "application/x-www-form-urlencoded"
        response = client.post(path, "List-Unsubscribe=One-Click", content_type=kind)
    assert response.status_code == 200
    assert may(alice) is False
    assert may(alice, "news") is True
    assert ConsentEntry.objects.latest("id").origin == "one click"


def test_one_click_sets_no_cookie_and_needs_none(alice: Contact) -> None:
    path, _preferences = paths(alice)
    response = Client(enforce_csrf_checks=True).post(path, ONE_CLICK)
    assert (response.status_code, dict(response.cookies)) == (200, {})
    assert not response.has_header("Location")


def test_one_click_twice_is_one_withdrawal(client: Client, alice: Contact) -> None:
    path, _preferences = paths(alice)
    answers = [client.post(path, ONE_CLICK).status_code for _one in range(3)]
    assert answers == [200] * 3
    assert ConsentEntry.objects.filter(action="out").count() == 1


def test_the_message_that_was_left_by_is_credited_once(client: Client, alice: Contact) -> None:
    message = make_queued(alice, origin_slug="welcome", origin_step="mail")
    path, preferences_path = paths(alice, message.key)
    for _again in range(2):
        client.post(path, ONE_CLICK)
    event = Event.objects.get(name="Message Unsubscribed")
    assert event.properties["message"] == message.id
    assert (event.properties["journey"], event.properties["channel"]) == ("welcome", "email")
    client.post(preferences_path, {"leave": "1"})
    assert Event.objects.filter(name="Message Unsubscribed").count() == 2


def test_a_link_whose_message_is_gone_still_unsubscribes(client: Client, alice: Contact) -> None:
    client.post(paths(alice, uuid4())[0], ONE_CLICK)
    assert may(alice) is False
    assert not Event.objects.filter(name="Message Unsubscribed").exists()


PREFETCH = [
    {},
    {"HTTP_PURPOSE": "prefetch"},
    {"HTTP_SEC_PURPOSE": "prefetch;prerender"},
    {"HTTP_X_MOZ": "prefetch"},
    {"HTTP_USER_AGENT": "Mozilla/5.0 (compatible; LinkScanner/1.0)"},
]


@pytest.mark.parametrize("headers", PREFETCH)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_at_a_link_changes_nothing(
    client: Client, alice: Contact, method: str, headers: dict[str, str]
) -> None:
    before = ConsentEntry.objects.count(), Event.objects.count()
    for path in paths(alice):
        for _again in range(3):
            response = getattr(client, method)(path, **headers)
            assert response.status_code == (405 if method == "options" else 200)
            assert not response.cookies
    assert (ConsentEntry.objects.count(), Event.objects.count()) == before
    assert may(alice) is True


@pytest.mark.django_db(transaction=True)
def test_scanners_at_once_change_nothing_and_clicks_at_once_are_one_withdrawal(alice: Contact) -> None:
    path, _preferences = paths(alice)
    answers: list[HttpResponse] = []

    def hit(method: str) -> None:
        answers.append(getattr(Client(), method)(path, ONE_CLICK))
        connection.close()

    for method, expected in (("get", 0), ("post", 1)):
        threads = [threading.Thread(target=hit, args=(method,)) for _one in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ConsentEntry.objects.filter(action="out").count() == expected
    assert {answer.status_code for answer in answers} == {200}


def test_the_page_that_asks_has_one_button(client: Client, alice: Contact) -> None:
    page = client.get(paths(alice)[0]).content.decode()
    assert page.count('<form method="post">') == 1
    assert "Yes, unsubscribe me" in page


def test_the_link_of_a_merged_contact_withdraws_for_the_one_who_stayed(
    client: Client, alice: Contact
) -> None:
    gone = make_contact()
    path, _preferences = paths(gone)
    Merge.objects.create(
        slot=alice.slot,
        winner_id=alice.id,
        loser_id=gone.id,
        loser_public_id=gone.public_id,
        reason="test",
        merged_at=NOON,
    )
    gone.delete()
    assert client.post(path, ONE_CLICK).status_code == 200
    assert may(alice) is False


def test_a_link_that_is_not_ours_is_not_found(client: Client, alice: Contact) -> None:
    path, _preferences = paths(alice)
    assert client.post(path[:-2] + "xx", ONE_CLICK).status_code == 404
    assert client.get("/u/nonsense").status_code == 404
    assert may(alice) is True


def test_a_link_that_ended_says_so(client: Client, alice: Contact) -> None:
    grant = Grant(alice.public_id, "email", "offers")
    token = preferences.token(grant, Use.PREFERENCES, clock.now() - timedelta(days=365))
    response = client.get(f"/p/{token}")
    assert response.status_code == 410
    assert "too old" in response.content.decode()


# ── The preference centre ───────────────────────────────────────────────────────────────────────────


def test_boxes_show_what_is_allowed(client: Client, alice: Contact) -> None:
    consent.record([NewConsent(alice.id, "email", "news", False, "test")], clock.now())
    page = client.get(paths(alice)[1]).content.decode()
    assert re.search(r'value="email:offers"\s+checked', page)
    assert re.search(r'value="email:news"\s*>', page)
    assert "sms:offers" not in page


def test_saving_records_only_what_changed(client: Client, alice: Contact) -> None:
    before = ConsentEntry.objects.count()
    client.post(paths(alice)[1], {"wanted": ["email:news"], "language": "en"})
    assert (may(alice), may(alice, "news")) == (False, True)
    entry = ConsentEntry.objects.latest("id")
    assert ConsentEntry.objects.count() == before + 1
    assert (entry.purpose, entry.origin, entry.wording) == ("offers", "preference page", "preferences-1")


def test_saving_the_same_twice_changes_nothing_more(client: Client, alice: Contact) -> None:
    for _again in range(2):
        client.post(paths(alice)[1], {"wanted": ["email:news"]})
    assert ConsentEntry.objects.filter(action="out").count() == 1


def test_a_box_that_is_not_on_the_page_is_ignored(client: Client, alice: Contact) -> None:
    client.post(paths(alice)[1], {"wanted": ["email:offers", "email:news", "fax:offers", "sms:nothing"]})
    assert not ConsentEntry.objects.filter(channel__in=["fax", "sms"]).exists()


def test_leaving_closes_every_channel(client: Client, alice: Contact) -> None:
    response = client.post(paths(alice)[1], {"leave": "1"})
    assert "unsubscribed from everything" in response.content.decode()
    assert [may(alice, "offers", one) for one in consent.CHANNELS] == [False] * len(consent.CHANNELS)


def test_the_language_chosen_is_remembered(client: Client, alice: Contact) -> None:
    client.post(paths(alice)[1], {"wanted": ["email:offers", "email:news"], "language": "fr"})
    alice.refresh_from_db()
    assert alice.language == "fr"
    assert "Ce que vous recevez" in client.get(paths(alice)[1]).content.decode()


def test_a_break_is_taken_and_ended(client: Client, alice: Contact) -> None:
    path = paths(alice)[1]
    Contact.objects.filter(pk=alice.pk).update(attributes={"city": "Lyon"})
    wanted = ["email:offers", "email:news"]
    assert "Paused until" in client.post(path, {"wanted": wanted, "pause": "30"}).content.decode()
    alice.refresh_from_db()
    until = wishes.pause_from(alice.attributes[wishes.PAUSE])
    assert until is not None
    assert timedelta(days=29) < until - clock.now() <= timedelta(days=30)
    client.post(path, {"wanted": wanted, "pause": ""})
    assert "Paused until" in client.get(path).content.decode()
    assert "Paused until" not in client.post(path, {"wanted": wanted, "pause": "0"}).content.decode()
    alice.refresh_from_db()
    assert alice.attributes == {"city": "Lyon"}
    assert not ConsentEntry.objects.filter(action="out").exists()


def test_a_break_that_is_not_offered_is_ignored(client: Client, alice: Contact) -> None:
    client.post(paths(alice)[1], {"wanted": ["email:offers", "email:news"], "pause": "99999"})
    alice.refresh_from_db()
    assert alice.attributes == {}


def test_no_address_is_shown_in_full(client: Client, alice: Contact) -> None:
    page = client.get(paths(alice)[1]).content.decode()
    assert "alice@example.com" not in page
    assert "a…\u2060e@example.com" in page


# ── Every public page ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("which", [0, 1])
def test_public_pages_run_nothing_and_are_kept_by_nobody(client: Client, alice: Contact, which: int) -> None:
    response = client.get(paths(alice)[which])
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["Cache-Control"] == "no-store"
    assert "noindex" in response["X-Robots-Tag"]
    page = response.content.decode()
    assert not re.search(r"<script|<style| style=| on\w+=|http://|https://", page)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_public_pages_speak_the_language_asked_for(client: Client, alice: Contact, language: str) -> None:
    words = {"en": "Offers", "fr": "Bons plans"}
    for path in paths(alice):
        response = client.get(path, {"lang": language})
        assert response["Content-Language"] == language
        assert f'<html lang="{language}"' in response.content.decode()
        assert words[language] in response.content.decode()


def test_the_browsers_language_is_used_when_nothing_else_is_known(client: Client, alice: Contact) -> None:
    response = client.get(paths(alice)[0], HTTP_ACCEPT_LANGUAGE="fr-FR,fr;q=0.9")
    assert "Oui, me désabonner" in response.content.decode()


def test_every_text_of_the_public_pages_is_in_french() -> None:
    with (ROOT / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file, locale="fr")
    wanted: set[str] = set()
    for template in [
        *(ROOT / "templates/channels").glob("*.html"),
        *(ROOT / "templates/contacts").rglob("own_*.html"),
    ]:
        text = template.read_text(encoding="utf-8")
        if "channels/public.html" not in text and template.name != "public.html":
            continue
        wanted |= set(re.findall(r'{% translate "([^"]+)"', text))
        blocks = re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", text, re.DOTALL)
        wanted |= {re.sub(r"{{ (\w+) }}", r"%(\1)s", block) for block in blocks}
    assert len(wanted) > 20
    assert [text for text in sorted(wanted) if not (catalogue.get(text) and catalogue[text].string)] == []


def test_the_compiled_catalogue_is_up_to_date() -> None:
    folder = ROOT / "locale/fr/LC_MESSAGES"
    with (folder / "django.po").open("rb") as text, (folder / "django.mo").open("rb") as compiled:
        source, built = read_po(text, locale="fr"), read_mo(compiled)
    assert {one.id: one.string for one in source if one.id} == {one.id: one.string for one in built if one.id}


# ── Own maximum, quiet hours, measuring ─────────────────────────────────────────────────────────────

WANTED = ["email:offers", "email:news"]


def test_an_own_maximum_and_quiet_hours_are_kept_and_shown(client: Client, alice: Contact) -> None:
    path = paths(alice)[1]
    sent = {"wanted": WANTED, "weekly": "2", "quiet_from": "21:30", "quiet_to": "08:00"}
    page = client.post(path, sent).content.decode()
    alice.refresh_from_db()
    assert alice.attributes == {"own_weekly_maximum": 2, "own_quiet_hours": "21:30-08:00"}
    assert 'value="21:30"' in page
    assert re.search(r'<option value="2" selected>', page)
    client.post(path, {"wanted": WANTED, "weekly": "", "quiet_from": "", "quiet_to": ""})
    alice.refresh_from_db()
    assert alice.attributes == {}


@pytest.mark.parametrize(
    "sent",
    [
        {"weekly": "999"},
        {"weekly": "-1"},
        {"weekly": "x\x00"},
        {"weekly": "", "quiet_from": "25:00", "quiet_to": "1"},
        {"weekly": "", "quiet_from": "08:00", "quiet_to": ""},
    ],
)
def test_what_the_page_does_not_offer_is_ignored(
    client: Client, alice: Contact, sent: dict[str, str]
) -> None:
    assert client.post(paths(alice)[1], {"wanted": WANTED, **sent}).status_code == 200
    alice.refresh_from_db()
    assert alice.attributes == {}


def test_measuring_is_asked_apart_and_an_empty_box_is_no_answer(client: Client, alice: Contact) -> None:
    path = paths(alice)[1]
    client.post(path, {"wanted": WANTED, "measuring": "1"})
    assert may(alice, permission.TRACKING) is True  # by "*", as far as messages go
    assert preferences.measured(alice, clock.now()) is None
    client.post(path, {"wanted": WANTED, "measuring": "1", "measured": "1"})
    assert preferences.measured(alice, clock.now()) is True
    client.post(path, {"wanted": WANTED, "measuring": "1"})
    assert preferences.measured(alice, clock.now()) is False


def test_an_answer_about_measuring_offers_no_channel_without_an_address(
    client: Client, alice: Contact
) -> None:
    _unsubscribe, path = paths(alice)
    client.post(path, {"measuring": "1", "measured": "1", "wanted": ["email:offers", "email:news"]})
    assert preferences.measured(alice, clock.now())
    assert [one.channel for one in preferences.rows(alice, clock.now())[0].choices] == ["email"]


def test_leaving_ends_measuring_too_and_coming_back_is_as_easy(client: Client, alice: Contact) -> None:
    path = paths(alice)[1]
    client.post(path, {"wanted": WANTED, "measuring": "1", "measured": "1"})
    client.post(path, {"leave": "1"})
    assert preferences.measured(alice, clock.now()) is False
    client.post(path, {"wanted": WANTED})
    assert (may(alice), may(alice, "news")) == (True, True)


def test_answers_keep_where_they_came_from_but_not_the_link(client: Client, alice: Contact) -> None:
    path = paths(alice)[1]
    client.post(path, {"wanted": []}, HTTP_USER_AGENT="Browser/1", REMOTE_ADDR="192.0.2.9")
    proof = ConsentEntry.objects.latest("id").proof
    assert proof == {"agent": "Browser/1", "ip": "192.0.2.9", "page": "p"}


def test_the_organisation_is_named_where_one_is_set(client: Client, alice: Contact, tmp_path: Path) -> None:
    mark = tmp_path / "mark.svg"
    mark.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with override_settings(SEGUE_ORGANISATION="Maison Bleue"):
        assert "Maison Bleue" in client.get(paths(alice)[1]).content.decode()
        assert client.get("/brand/logo").status_code == 404
    with override_settings(SEGUE_ORGANISATION="Maison Bleue", SEGUE_LOGO=mark):
        assert '<img src="/brand/logo" alt="Maison Bleue"' in client.get(paths(alice)[1]).content.decode()
        assert "sandbox" in client.get("/brand/logo")["Content-Security-Policy"]


def test_what_is_held_is_judged_anew_as_soon_as_the_person_withdraws(client: Client, alice: Contact) -> None:
    now = clock.now()
    tomorrow = now + timedelta(days=1)
    make_provider("email")
    held = make_queued(
        alice, now=now, state=Message.State.HELD, due_at=tomorrow, reason="quiet_hours", wanted=["email"]
    )
    other = make_queued(
        make_contact(email="bob@example.com", now=now), now=now, state=Message.State.HELD, due_at=tomorrow
    )
    client.post(paths(alice)[0], ONE_CLICK)
    deciding.decide_batch(clock.now())
    held.refresh_from_db()
    other.refresh_from_db()
    assert (held.state, held.reason) == (Message.State.DROPPED, "no_consent")
    assert (other.state, other.due_at) == (Message.State.HELD, tomorrow)
