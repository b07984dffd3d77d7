"""Who was erased stays out, whichever way they would come in, until they come back of their own will."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from contacts import ingest
from contacts.directory import Identifier
from contacts.models import (
    Contact,
    DeadLetter,
    Event,
    PrivacyPolicy,
    SourceCount,
    Tombstone,
)
from contacts.models import (
    Identifier as IdentifierRow,
)
from contacts.privacy import tombstones
from contacts.privacy.people import People
from contacts.privacy.tombstones import Candidate
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
MAIL, BROWSER, OTHER = ("email", "gone@example.com"), ("anonymous", "browser-1"), ("user", "u-2")
AGREEING = {"consent": {"categoryPreferences": {"Marketing": True}}}


@pytest.fixture(autouse=True)
def _own_file(settings: LazySettings, tmp_path: Any) -> None:
    settings.SEGUE_HOME = tmp_path


def lay(*names: tuple[str, str]) -> None:
    tombstones.lay(People((), (), names), NOON)


def screened(*names: tuple[str, str], **more: Any) -> tuple[Identifier, ...]:
    identifiers = tuple(Identifier(*name) for name in names)
    (found,) = tombstones.screen([Candidate(identifiers, **{"occurred_at": LATER, **more})])
    return found


def test_everybody_else_is_let_through_as_they_are() -> None:
    assert screened(OTHER, BROWSER) == (OTHER, BROWSER)
    lay(MAIL)
    assert screened(OTHER, BROWSER) == (OTHER, BROWSER)


def test_an_erased_address_keeps_the_whole_event_out() -> None:
    lay(MAIL)
    assert screened(OTHER, MAIL) == ()


def test_an_erased_browser_is_left_off_where_somebody_else_signs_in_on_it() -> None:
    lay(BROWSER)
    assert screened(BROWSER) == ()
    assert screened(BROWSER, ("device", "d-1")) == ()
    assert screened(OTHER, BROWSER) == (OTHER,)


def test_the_same_text_of_another_kind_is_somebody_else() -> None:
    lay(("user", "x-1"))
    assert screened(("anonymous", "x-1")) == (("anonymous", "x-1"),)


def test_a_tombstone_cannot_be_read_without_the_key(settings: LazySettings) -> None:
    lay(MAIL)
    settings.SECRET_KEY = "another key, of more than thirty-two characters"
    assert screened(MAIL) == (MAIL,)


def test_a_former_key_still_reads_its_tombstones(settings: LazySettings) -> None:
    lay(MAIL)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, of more than thirty-two characters"
    assert screened(MAIL) == ()


def test_events_of_an_erased_person_are_counted_and_nothing_else_is_kept() -> None:
    lay(MAIL)
    shop = make_source()
    call = {"type": "identify", "user_id": "new", "properties": {"email": "Gone@Example.com"}}
    put_in_inbox(shop, call, {"type": "track", "name": "Seen", "user_id": "other"})
    assert ingest.take_in(LATER) == 2
    assert Contact.objects.count() == 1
    assert not DeadLetter.objects.exists()
    assert set(Event.objects.values_list("name", flat=True)) == {"Contact Created", "Seen"}
    assert SourceCount.objects.values_list("received", "accepted", "rejected").get() == (2, 1, 1)


@pytest.mark.parametrize(
    ("policy", "call", "comes_back"),
    [
        ("consent", {"context": AGREEING}, True),
        ("consent", {}, False),
        ("identify", {}, True),
        ("never", {"context": AGREEING}, False),
        ("identify", {"occurred_at": NOON - timedelta(days=1)}, False),
    ],
)
def test_the_policy_says_what_brings_somebody_back(
    policy: str, call: dict[str, Any], comes_back: bool
) -> None:
    PrivacyPolicy.objects.create(returning=policy)
    lay(MAIL)
    mail = {"type": "identify", "anonymous_id": "b", "occurred_at": LATER, "properties": {"email": MAIL[1]}}
    put_in_inbox(make_source(), {**mail, **call}, now=LATER)
    ingest.take_in(LATER)
    assert IdentifierRow.objects.filter(value=MAIL[1]).exists() is comes_back


def test_who_came_back_is_new_and_what_is_older_stays_out() -> None:
    lay(MAIL)
    assert screened(MAIL, identifies=True, agrees=True, occurred_at=LATER) == (MAIL,)
    assert screened(MAIL, occurred_at=LATER - timedelta(minutes=1)) == ()
    assert screened(MAIL, occurred_at=LATER + timedelta(minutes=1)) == (MAIL,)


def test_who_is_erased_again_after_coming_back_stays_out_again() -> None:
    lay(MAIL)
    assert screened(MAIL, identifies=True, agrees=True, occurred_at=LATER)
    tombstones.lay(People((), (), (MAIL,)), LATER + timedelta(hours=1))
    assert screened(MAIL, occurred_at=LATER + timedelta(hours=2)) == ()


def test_the_file_tells_the_same_as_the_table() -> None:
    lay(MAIL, BROWSER)
    assert screened(MAIL, identifies=True, agrees=True) == (MAIL,)
    said = set(Tombstone.objects.values_list("key", "kind", "erased_at", "lifted_at"))
    marks = tombstones.read(tombstones.file())
    Tombstone.objects.all().delete()
    assert tombstones.keep(marks) == 3
    assert tombstones.keep(marks) == 0
    assert set(Tombstone.objects.values_list("key", "kind", "erased_at", "lifted_at")) == said
    assert b"gone@" not in tombstones.file().read_bytes()


def test_a_line_that_a_crash_cut_short_is_passed_over() -> None:
    lay(MAIL)
    with tombstones.file().open("ab") as file:
        file.write(b'{"key": "12')
    assert len(tombstones.read(tombstones.file())) == 1


def test_what_is_laid_after_a_line_that_a_crash_cut_short_is_kept_whole() -> None:
    with tombstones.file().open("wb") as file:
        file.write(b'{"key": "12')
    lay(MAIL)
    assert [mark.kind for mark in tombstones.read(tombstones.file())] == ["email"]
