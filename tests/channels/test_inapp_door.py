"""The door of in-app messages: opens to a browser's own secret or a signature, to nobody who guesses."""

from __future__ import annotations

import io
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest

from channels import inapp_door
from channels.inapp import visitors
from channels.models import InAppMessage, ProviderAccount
from contacts.intake_keys import issue
from contacts.models import Contact, Identifier, Source, SourceKey
from tests.factories import NOON, make_contact, make_provider, make_queued, make_source

pytestmark = pytest.mark.django_db
SOON = NOON + timedelta(minutes=10)


class Site:
    """A website with its keys, and somebody's browser on it."""

    def __init__(self) -> None:
        self.source: Source = make_source(kind="web")
        self.key = issue(self.source, SourceKey.Scope.WRITE)[1]
        self.server_key = issue(self.source, SourceKey.Scope.SERVER)[1]

    def ask(self, path: str = "messages", headers: dict[str, str] | None = None, **asked: Any) -> Any:
        body = json.dumps({"writeKey": self.key, "place": "top", "page": "/", **asked}).encode()
        environ = {
            "PATH_INFO": f"/i/{path}",
            "REQUEST_METHOD": "POST",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_USER_AGENT": "Mozilla/5.0 Firefox/140.0",
            "wsgi.input": io.BytesIO(body),
            **(headers or {}),
        }
        said: dict[str, Any] = {}

        def start(status: str, given: list[tuple[str, str]], *_more: object) -> Any:
            said.update(status=int(status[:3]), headers=dict(given))

        raw = b"".join(inapp_door.answer(environ, start, SOON))
        return said["status"], json.loads(raw) if raw else {}, said["headers"]


@pytest.fixture(autouse=True)
def account() -> ProviderAccount:
    return make_provider("inapp", kind="inapp")


@pytest.fixture
def site() -> Site:
    return Site()


def browser(contact: Contact, kind: str = "anonymous", value: str = "") -> str:
    made = value or str(uuid.uuid4())
    Identifier.objects.create(kind=kind, value=made, contact=contact, slot=contact.slot, created_at=NOON)
    return made


def waiting(contact: Contact, **values: Any) -> InAppMessage:
    message = make_queued(contact, channel="inapp", address=str(contact.public_id), state=6, due_at=None)
    defaults: dict[str, Any] = {
        "slot": contact.slot, "contact": contact, "key": message.key, "message_id": message.id,
        "message_created_at": message.created_at, "account_id": 1, "created_at": NOON, "looked_at": NOON,
        "title": "Hello", "text": "There", "place": "top", "ends_at": NOON + timedelta(days=1),
    }  # fmt: skip
    return InAppMessage.objects.create(**{**defaults, **values})


def stranger() -> Contact:
    contact = make_contact()
    Contact.objects.filter(pk=contact.pk).update(known=False)
    return contact


def test_a_browser_is_shown_its_own_messages(site: Site) -> None:
    contact = stranger()
    row = waiting(contact)

    status, said, headers = site.ask(anonymousId=browser(contact))

    assert (status, [one["id"] for one in said["messages"]]) == (200, [str(row.key)])
    assert headers["Cache-Control"] == "no-store, private"
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_the_same_again_is_told_in_no_words(site: Site) -> None:
    contact = stranger()
    waiting(contact)
    mine = browser(contact)
    _status, said, headers = site.ask(anonymousId=mine)

    again = site.ask(anonymousId=mine, headers={"HTTP_IF_NONE_MATCH": headers["ETag"]})

    assert said["poll"] == inapp_door.POLL
    assert again[:2] == (304, {})


def test_a_guessed_user_id_opens_nothing(site: Site) -> None:
    ada = make_contact()
    waiting(ada)
    browser(ada, "user", "ada")

    _status, said, _headers = site.ask(userId="ada")

    assert said["messages"] == []
    assert said["signature"] == "required"


def test_a_browser_that_claims_to_be_a_known_person_is_asked_for_a_signature(site: Site) -> None:
    ada = make_contact()
    waiting(ada)

    _status, said, _headers = site.ask(anonymousId=browser(ada), userId="ada")

    assert (said["messages"], said["signature"]) == ([], "required")


def test_an_account_may_trust_browsers(site: Site, account: ProviderAccount) -> None:
    account.settings = {"unsigned": "yes"}
    account.save()
    ada = make_contact()
    waiting(ada)

    assert len(site.ask(anonymousId=browser(ada))[1]["messages"]) == 1


def test_a_signature_of_the_sites_server_opens_a_users_messages(site: Site) -> None:
    ada = make_contact()
    waiting(ada)
    browser(ada, "user", "ada")
    signature = visitors.sign(site.server_key, "ada", SOON + timedelta(hours=1))

    assert len(site.ask(userId="ada", signature=signature)[1]["messages"]) == 1


@pytest.mark.parametrize("fault", ["other user", "other key", "altered", "ended", "too long", "nonsense"])
def test_a_signature_that_is_not_right_opens_nothing(site: Site, fault: str) -> None:
    ada = make_contact()
    waiting(ada)
    browser(ada, "user", "ada")
    good = visitors.sign(site.server_key, "ada", SOON + timedelta(hours=1))
    wrong = {
        "other user": visitors.sign(site.server_key, "eve", SOON + timedelta(hours=1)),
        "other key": visitors.sign(site.key, "ada", SOON + timedelta(hours=1)),
        "altered": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "ended": visitors.sign(site.server_key, "ada", SOON),
        "too long": visitors.sign(site.server_key, "ada", SOON + timedelta(days=8)),
        "nonsense": "é.\x00",
    }

    assert site.ask(userId="ada", signature=wrong[fault])[0] == 403


def test_an_id_that_can_be_guessed_opens_nothing(site: Site) -> None:
    contact = stranger()
    waiting(contact)

    assert site.ask(anonymousId=browser(contact, value="12345"))[1]["messages"] == []


def test_what_was_done_is_taken_once(site: Site) -> None:
    contact = stranger()
    row = waiting(contact)
    mine = browser(contact)

    status, said, _headers = site.ask(
        "receipts", anonymousId=mine, receipts=[{"id": str(row.key), "kind": "dismissed"}]
    )

    assert (status, said) == (200, {"taken": 1})
    assert site.ask(anonymousId=mine)[1]["messages"] == []


def test_the_inbox_tells_how_many_were_not_read(site: Site) -> None:
    contact = stranger()
    waiting(contact, place="")
    waiting(contact)
    mine = browser(contact)

    said = site.ask("inbox", anonymousId=mine, limit=1)[1]
    rest = site.ask("inbox", anonymousId=mine, after=said["next"])[1]

    assert (len(said["messages"]), said["unread"], len(rest["messages"]), rest["next"]) == (1, 2, 1, None)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"writeKey": "wk_no"}, 401),
        ({"writeKey": None}, 401),
        ({"receipts": "x"}, 400),
        ({"receipts": [{"id": "x", "kind": "seen"}]}, 400),
        ({"receipts": [{"id": str(uuid.uuid4()), "kind": "eaten"}]}, 400),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(site: Site, asked: dict[str, Any], status: int) -> None:
    contact = stranger()
    found = site.ask("receipts", anonymousId=browser(contact), **asked)

    assert found[0] == status
    assert found[1]["code"]


def test_a_get_changes_nothing(site: Site) -> None:
    assert site.ask("receipts", headers={"REQUEST_METHOD": "GET"})[0] == 405
    assert site.ask(headers={"REQUEST_METHOD": "OPTIONS"})[0] == 204
