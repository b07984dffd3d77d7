"""An erased person's names are looked for once more: in every table, in files, and whenever anybody comes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels import engagement, hits
from channels.hits import NewHit
from channels.models import Hit, Message
from contacts.exchange import exporting, files
from contacts.models import Contact, Export, PrivacyRequest
from contacts.privacy import people
from contacts.privacy.inventory import Table
from contacts.privacy.people import People
from tests.config.backoffice import make_person, signed_in
from tests.contacts.privacy import cast
from tests.factories import NOON, make_contact
from tests.promises import broken

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=1, minutes=5)


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Path) -> None:
    settings.SEGUE_HOME = tmp_path
    settings.SEGUE_EXCHANGE = tmp_path / "exchange"


def exported(form: str, columns: tuple[str, ...] = ("email",)) -> Export:
    export = exporting.ask("contacts", columns, form, {}, None, NOON)
    exporting.work(lambda: NOON, seconds=60)
    export.refresh_from_db()
    assert export.state == Export.State.READY
    return export


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_exports_that_name_the_person_are_withdrawn_and_others_stay(form: str) -> None:
    make_contact(email="other@example.com")
    before = exported(form)
    contact = cast.make_somebody()
    naming = exported(form)
    assert cast.erase(contact).state == PrivacyRequest.State.DONE
    before.refresh_from_db()
    naming.refresh_from_db()
    assert (before.state, naming.state) == (Export.State.READY, Export.State.EXPIRED)
    assert files.path_of(before.key, form).exists()
    assert not files.path_of(naming.key, form).exists()
    found = PrivacyRequest.objects.get().certificate or {}
    assert (found["places"], found["left"]) == ({"files of exports": 1}, {})


def test_a_file_that_is_being_written_meanwhile_is_written_anew() -> None:
    contact = cast.make_somebody()
    under_way = exporting.ask("contacts", ("email",), "csv", {}, None, NOON)
    Export.objects.filter(pk=under_way.pk).update(state=Export.State.RUNNING)
    cast.erase(contact)
    under_way.refresh_from_db()
    assert under_way.state == Export.State.WAITING


def test_what_an_erasure_forgot_is_found_by_name_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    end = people.end

    def forgetful(table: Table, somebody: People, now: Any) -> int:
        return 0 if table.model == "contacts.DeadLetter" else end(table, somebody, now)

    contact = cast.make_somebody()
    monkeypatch.setattr(people, "end", forgetful)
    cast.erase(contact)
    request = PrivacyRequest.objects.get()
    assert (request.certificate or {})["left"] == {"contacts_deadletter": 2}
    assert "erased_gone" in broken(LATER)
    page = signed_in(make_person("boss", superuser=True)).get(
        f"/admin/contacts/privacyrequest/{request.pk}/certificate/"
    )
    assert "Found when searched again by every name</dt><dd>2</dd>" in page.content.decode()


@pytest.mark.parametrize("name", [{"email": cast.EMAIL}, {"phone": cast.PHONE}])
def test_whoever_carries_an_erased_name_again_is_found(name: dict[str, str]) -> None:
    cast.erase(cast.make_somebody())
    make_contact(email="other@example.com")
    assert "erased_unnamed" not in broken(LATER)
    again = Contact.objects.create(
        slot=1, first_seen_at=LATER, last_seen_at=LATER, updated_at=LATER, **name
    )  # past every door
    found = broken(LATER + timedelta(minutes=5))["erased_unnamed"]
    assert len(found) == 1
    assert str(again.pk) in found[0]
    assert not any(canary in str(found) for canary in cast.CANARIES)


def test_a_fetch_that_lay_in_the_spool_meanwhile_leaves_no_trace(tmp_path: Path) -> None:
    """Files of hits are read after the erasure: a click and a bounce of what is nobody's by then."""
    contact = cast.make_somebody()
    message = Message.objects.filter(state=Message.State.ACCEPTED).get()
    about = (message.pk, message.created_at)
    lying = [
        NewHit(NOON, "click", *about, data={"agent": "canary", "ip": "canary"}),
        NewHit(NOON, "bounced", *about, data={"detail": f"550 {cast.EMAIL}", "class": "hard"}),
    ]
    cast.erase(contact)
    hits.write(lying)
    while engagement.absorb(LATER):
        pass
    assert not Hit.objects.exists()
    assert cast.traces() == ["contacts_source"]
