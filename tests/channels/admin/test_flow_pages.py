"""The pages of speed and of the uncertain, and the same by the API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from channels import pausing
from channels.models import Attempt, Flow, Message, ProviderAccount
from config import roles
from contacts import clock
from journeys.models import Journey
from tests.contacts.api.caller import Caller
from tests.factories import make_contact, make_provider, make_queued

pytestmark = pytest.mark.django_db
State = Message.State
_HOUR = timedelta(hours=1)
_LIMITS = {
    "limits": "1", "rate_per_second": "20", "rates": "gmail.com 5\n* 50", "warmup_from": "2026-03-01",
    "warmup_first": "100", "warmup_growth": "50", "warmup_target": "5000",
}  # fmt: skip


@pytest.fixture
def office(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "secret"))
    return client


def _page(pk: int) -> str:
    return reverse("admin:channels_provideraccount_flow", args=[pk])


def test_limits_are_set_in_a_form_that_names_the_bad_field(office: Client) -> None:
    account = make_provider("email")
    page = _page(account.pk)
    assert office.get(page).status_code == 200
    refused = office.post(page, {**_LIMITS, "rates": "gmail.com fast"})
    assert b"line 1" in refused.content
    assert b"It must be more" in office.post(page, {**_LIMITS, "warmup_target": "5"}).content
    assert b"pause the account" in office.post(page, {**_LIMITS, "rate_per_second": "0"}).content
    account.refresh_from_db()
    assert account.rate_per_second is None
    assert office.post(page, _LIMITS).status_code == 302
    assert list(ProviderAccount.objects.values_list("rate_per_second", "domain_rates", "warmup_from")) == [
        (20, {"gmail.com": 5, "*": 50}, date(2026, 3, 1))
    ]
    assert LogEntry.objects.filter(object_id=str(account.pk)).exists()


def test_an_account_in_trouble_says_so_in_words_and_is_tried_at_once(office: Client) -> None:
    account = make_provider("email")
    now = clock.now()
    trouble = {"failures": 5, "shut_until": now + _HOUR, "last_code": "connect", "last_error": "refused"}
    Flow.objects.create(account=account, domain="", last_error_at=now, **trouble)
    Flow.objects.create(account=account, domain="ill.example", last_error_at=now, **trouble)
    shown = office.get(_page(account.pk)).content.decode()
    assert "The server cannot be reached" in shown
    assert "Left alone for now" in shown
    assert "Try ill.example now" in shown
    assert "Left alone" in office.get(reverse("admin:channels_provideraccount_changelist")).content.decode()
    office.post(_page(account.pk), {"open": "ill.example"})
    assert Flow.objects.filter(shut_until=None).get().domain == "ill.example"
    office.post(_page(account.pk), {"open": ""})
    assert not Flow.objects.exclude(shut_until=None).exists()


def test_the_progress_of_a_warm_up_is_shown(office: Client) -> None:
    today = clock.now().date()
    account = make_provider("email", warmup_from=today - timedelta(days=1), warmup_first=100)
    Flow.objects.create(account=account, day=today, day_taken=60)
    shown = office.get(_page(account.pk)).content.decode()
    assert "60 of 150 messages" in shown
    assert 'value="40"' in shown


def test_pausing_asks_first_and_is_written_down(office: Client) -> None:
    account = make_provider("email")
    office.post(_page(account.pk), {"pause": "1"})
    assert not ProviderAccount.objects.filter(paused=True).exists()
    office.post(_page(account.pk), {"pause": "1", "sure": "1"})
    assert ProviderAccount.objects.filter(paused=True).exists()
    office.post(_page(account.pk), {"resume": "1"})
    assert not ProviderAccount.objects.filter(paused=True).exists()
    said = set(LogEntry.objects.values_list("change_message", flat=True))
    assert said == {"Paused", "Resumed"}


def _at(channel: str, what: str) -> str:
    return reverse(f"admin:channels_provideraccount_channel_{what}", args=[channel])


def test_a_channel_is_paused_with_all_its_accounts_after_a_question(office: Client) -> None:
    for name, channel in (("one", "email"), ("two", "email"), ("texts", "sms")):
        make_provider(channel, name=name)
    listing = reverse("admin:channels_provideraccount_changelist")
    assert _at("email", "pause") in office.get(listing).content.decode()
    assert b"No message of this channel leaves" in office.get(_at("email", "pause")).content
    assert not ProviderAccount.objects.filter(paused=True).exists()
    office.post(_at("email", "pause"))
    assert set(ProviderAccount.objects.filter(paused=True).values_list("name", flat=True)) == {"one", "two"}
    shown = office.get(listing).content.decode()
    assert _at("email", "resume") in shown
    assert _at("email", "pause") not in shown
    office.post(_at("email", "resume"))
    assert not ProviderAccount.objects.filter(paused=True).exists()
    assert LogEntry.objects.filter(change_message__in=("Paused", "Resumed")).count() == 4
    assert office.get(_at("push", "pause")).status_code == 404


def test_what_waits_for_a_paused_provider_is_looked_at_as_soon_as_it_sends_again(office: Client) -> None:
    account = make_provider("email", paused=True)
    later = clock.now() + _HOUR
    held: dict[str, Any] = {"state": State.HELD, "channel": "email", "due_at": later}
    waits = make_queued(make_contact(), **held, reason="paused")
    sleeps = make_queued(make_contact(), **held, reason="quiet_hours")
    office.post(_page(account.pk), {"resume": "1"})
    waits.refresh_from_db()
    sleeps.refresh_from_db()
    assert waits.due_at is not None
    assert (waits.due_at < later, sleeps.due_at) == (True, later)


def test_of_what_waits_no_statement_touches_more_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pausing, "BATCH", 2)
    held: dict[str, Any] = {"state": State.HELD, "channel": "email", "reason": "paused"}
    for _one in range(5):
        make_queued(make_contact(), **held, due_at=clock.now() + _HOUR)
    pausing.look_again({"email"}, clock.now())
    assert not Message.objects.filter(due_at__gt=clock.now()).exists()


def test_programs_pause_a_channel() -> None:
    make_provider("email", name="one")
    make_provider("email", name="two", active=False)
    caller = Caller()
    (one,) = caller.post("channels/email/pause", {"paused": True}).json()
    assert (one["name"], one["state"]) == ("one", "paused")
    assert caller.post("channels/email/pause", {"paused": False}).json()[0]["state"] == "on"
    assert caller.post("channels/fax/pause", {"paused": True}).status_code == 404


def test_somebody_who_may_not_change_accounts_sees_no_button(client: Client) -> None:
    roles.ensure()
    reader = User.objects.create_user("reader", is_staff=True)
    reader.groups.add(Group.objects.get(name=roles.ANALYST))
    client.force_login(reader)
    account = make_provider("email")
    assert client.get(_page(account.pk)).status_code == 403
    assert client.post(_page(account.pk), {"pause": "1", "sure": "1"}).status_code == 403
    assert client.post(_at("email", "pause")).status_code == 403


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("arrived", State.ACCEPTED), ("did_not", State.REJECTED), ("send_again", State.QUEUED)],
)
def test_several_uncertain_messages_are_settled_at_once(
    office: Client, verdict: str, state: Message.State
) -> None:
    journey = Journey.objects.create(name="Cart reminder", slug="cart")
    own: dict[str, Any] = {"origin_kind": "journey", "origin_id": journey.id, "origin_slug": "cart"}
    rows = [make_queued(make_contact(), state=State.UNCERTAIN, due_at=None, **own) for _number in range(3)]
    Attempt.objects.create(
        started_at=datetime(2026, 3, 9, 7, 30, tzinfo=UTC), slot=rows[0].slot, message_id=rows[0].id,
        message_created_at=rows[0].created_at, provider_id=1, number=1, outcome="uncertain",
    )  # fmt: skip
    page = reverse("admin:channels_message_uncertain")
    shown = office.get(page).content.decode()
    for words in (rows[0].address, "Cart reminder", "9 Mar 2026, 07:30"):
        assert words in shown
    chosen = [str(row.id) for row in rows[:2]]
    office.post(page, {"message": chosen, "verdict": verdict})
    assert Message.objects.filter(state=State.UNCERTAIN).count() == 3
    office.post(page, {"message": chosen, "verdict": verdict, "sure": "1"})
    assert sorted(Message.objects.values_list("state", flat=True)) == sorted([state, state, State.UNCERTAIN])
    assert LogEntry.objects.count() == 2


def test_programs_watch_accounts_and_pause_them() -> None:
    account = make_provider("email", rate_per_second=5)
    caller = Caller()
    (one,) = caller.get("provider-accounts").json()
    assert (one["state"], one["rate_per_second"], one["uncertain"]) == ("on", 5, 0)
    path = f"provider-accounts/{account.pk}/pause"
    assert caller.post(path, {"paused": True}).json()["state"] == "paused"
    assert caller.post(path, {"paused": "perhaps"}).status_code == 400
    assert caller.post("provider-accounts/0/pause", {"paused": True}).status_code == 404


def test_programs_list_and_settle_the_uncertain() -> None:
    rows = [make_queued(make_contact(), state=State.UNCERTAIN, due_at=None) for _number in range(3)]
    caller = Caller()
    first = caller.get("messages/uncertain?limit=2").json()
    rest = caller.get(f"messages/uncertain?limit=2&cursor={first['next']}").json()
    assert [one["key"] for one in first["items"] + rest["items"]] == [str(row.key) for row in rows]
    path = f"messages/{rows[0].key}/settle"
    assert caller.post(path, {"verdict": "arrived"}).json() == {"settled": True}
    assert caller.post(path, {"verdict": "arrived"}).status_code == 404
    assert Message.objects.get(id=rows[0].id).state == State.ACCEPTED
