"""The privacy officer's desk: two steps to an erasure, history, certificate, settings; each by its role."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from config import roles
from contacts.models import Contact, PrivacyRequest, RetentionPeriod
from contacts.privacy import copying, erasing, requests
from tests.contacts.privacy import cast
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(client: Client) -> Client:
    return _signed_in(client, "officer", roles.PRIVACY)


def _signed_in(client: Client, name: str, role: str) -> Client:
    roles.ensure()
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return client


def _page(request: PrivacyRequest) -> str:
    return reverse("admin:contacts_privacyrequest_change", args=[request.pk])


def test_an_erasure_wants_the_address_typed_and_shows_what_would_go(officer: Client) -> None:
    contact = cast.make_somebody()
    address = reverse("admin:contacts_privacy_ask", args=[contact.pk, "erasure"])
    assert "What you did" in officer.get(address).content.decode()
    assert "That is not it" in officer.post(address, {"typed": "somebody@else.example"}).content.decode()
    assert not PrivacyRequest.objects.exists()
    officer.post(address, {"typed": cast.EMAIL.upper(), "note": "by phone"})
    request = PrivacyRequest.objects.get()
    assert (request.state, request.note) == ("asked", "by phone")
    assert Contact.objects.filter(pk=contact.pk).exists()


def test_approving_is_the_second_step_and_is_written_down(officer: Client) -> None:
    request = requests.ask(make_contact(), PrivacyRequest.Kind.ERASURE, NOON, origin="staff", by="clerk")
    officer.post(reverse("admin:contacts_privacy_act", args=[request.pk]), {"act": "approve"})
    request.refresh_from_db()
    assert request.state == "waiting"
    assert [entry.what for entry in request.entries.all()] == ["asked", "approved"]
    assert LogEntry.objects.filter(change_message__contains="approve").exists()
    assert b"Call it off" in officer.get(_page(request)).content


def test_a_refusal_needs_a_reason(officer: Client) -> None:
    request = requests.ask(make_contact(), PrivacyRequest.Kind.ERASURE, NOON, origin="staff", by="clerk")
    act = reverse("admin:contacts_privacy_act", args=[request.pk])
    officer.post(act, {"act": "refuse"})
    request.refresh_from_db()
    assert request.state == "asked"
    officer.post(act, {"act": "refuse", "reason": "an invoice is open"})
    request.refresh_from_db()
    assert request.state == "refused"


@pytest.mark.parametrize("role", [roles.MARKETER, roles.ANALYST, roles.INTEGRATOR, roles.APPROVER])
def test_others_neither_see_nor_decide(client: Client, role: str) -> None:
    signed_in = _signed_in(client, "somebody", role)
    request = requests.ask(make_contact(), PrivacyRequest.Kind.ERASURE, NOON, origin="staff", by="clerk")
    for method, address in (
        ("get", _page(request)),
        ("get", reverse("admin:contacts_privacy_ask", args=[request.contact_id, "erasure"])),
        ("post", reverse("admin:contacts_privacy_act", args=[request.pk])),
        ("get", reverse("admin:contacts_privacy_copy", args=[request.pk])),
        ("get", reverse("admin:contacts_retention")),
    ):
        answer = getattr(signed_in, method)(address, {"act": "approve"} if method == "post" else {})
        assert answer.status_code == 403, address
    request.refresh_from_db()
    assert request.state == "asked"


def test_a_copy_is_fetched_whole_and_the_fetching_is_noted(officer: Client) -> None:
    request = requests.ask(cast.make_somebody(), PrivacyRequest.Kind.ACCESS, NOON, origin="staff", by="clerk")
    requests.approve(request, NOON, "officer")
    copying.pulse(NOON)
    answer = officer.get(reverse("admin:contacts_privacy_copy", args=[request.pk]))
    assert b"".join(answer.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    assert request.entries.filter(what="copy fetched", by="officer").exists()


def test_a_certificate_can_be_read_and_taken_along(
    officer: Client, settings: LazySettings, tmp_path: object
) -> None:
    settings.SEGUE_HOME = tmp_path
    contact = cast.make_somebody()
    cast.read_the_log()
    request = cast.erase(contact)
    page = officer.get(reverse("admin:contacts_privacy_certificate", args=[request.pk]))
    assert b"unaltered" in page.content
    text = officer.get(page.request["PATH_INFO"], {"as": "text"}).content.decode()
    assert "contacts_contact" in text
    assert "canary" not in text.lower()
    assert b"no longer known" in officer.get(reverse("admin:contacts_privacyrequest_changelist")).content


def test_retention_is_shown_before_it_is_saved(officer: Client) -> None:
    cast.make_somebody()
    address = reverse("admin:contacts_retention")
    values = {"events": "30", "wait_hours": "1", "copy_days": "7", "returning": "never"}
    assert b"are older" in officer.post(address, {**values, "preview": "1"}).content
    assert not RetentionPeriod.objects.exists()
    assert b"at least 30" in officer.post(address, {**values, "events": "3"}).content
    officer.post(address, values)
    assert RetentionPeriod.objects.get(pk="events").days == 30
    assert LogEntry.objects.filter(change_message__contains="events: None → 30").exists()


def test_the_waiting_time_of_the_settings_holds(
    officer: Client, settings: LazySettings, tmp_path: object
) -> None:
    settings.SEGUE_HOME = tmp_path
    values = {"wait_hours": "2", "copy_days": "7", "returning": "never"}
    officer.post(reverse("admin:contacts_retention"), values)
    request = cast.approved(make_contact())
    erasing.pulse(NOON + timedelta(hours=1))
    assert PrivacyRequest.objects.get(pk=request.pk).state == "waiting"
    erasing.pulse(NOON + timedelta(hours=2))
    assert PrivacyRequest.objects.get(pk=request.pk).state == "done"
