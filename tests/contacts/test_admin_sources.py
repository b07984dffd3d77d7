import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from config import roles
from contacts import clock, ingest
from contacts.admin.dead_letters import outline
from contacts.intake_keys import Sender, digest, issue
from contacts.models import DeadLetter, Event, InboxItem, Source, SourceCount, SourceKey
from tests.config.backoffice import make_person, signed_in
from tests.contacts.sender import Inbox, make_door, send, track

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Source:
    return Source.objects.create(name="Web shop", slug="web-shop", kind=Source.Kind.WEB)


@pytest.fixture
def integrator() -> Client:
    return signed_in(make_person("ines", role=roles.INTEGRATOR))


def a_busy_day(shop: Source) -> None:
    """3 accepted, 1 duplicate, 1 rejected, 2 waiting."""
    door = make_door(sender_of=lambda _key: Sender(shop.pk), now=clock.now)
    events = [track(messageId=f"m-{number % 3}") for number in range(4)]
    send("/v1/batch", {"batch": [*events, track(event=None, messageId="bad")]}, door=door)
    ingest.drain(clock.now, seconds=5)
    send("/v1/batch", {"batch": [track(messageId="w-1"), track(messageId="w-2")]}, door=door)


def test_the_list_shows_the_equation_of_today(shop: Source, integrator: Client) -> None:
    a_busy_day(shop)
    page = integrator.get(reverse("admin:contacts_source_changelist")).content.decode()
    assert "received = accepted + duplicate + rejected + waiting" in page
    for column, number in {"received": 7, "accepted": 3, "duplicate": 1, "rejected": 1, "waiting": 2}.items():
        cell = re.search(rf"field-{column}[^>]*>(.*?)</td>", page, re.DOTALL)
        assert cell, column
        assert re.sub(r"<[^>]+>|\s", "", cell[1]) == str(number), column


def test_the_api_tells_the_same_numbers(shop: Source, integrator: Client) -> None:
    a_busy_day(shop)
    answer = integrator.get("/api/v1/sources/web-shop/counts").json()
    numbers = {name: answer[name] for name in ("received", "accepted", "duplicate", "rejected", "waiting")}
    assert numbers == {"received": 7, "accepted": 3, "duplicate": 1, "rejected": 1, "waiting": 2}


def test_the_api_is_closed_to_strangers_and_to_roles_without_sources(shop: Source) -> None:
    assert Client().get("/api/v1/sources/web-shop/counts").status_code == 401
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    assert analyst.get("/api/v1/sources/web-shop/counts").status_code == 403


def test_an_unknown_source_is_not_found(integrator: Client) -> None:
    assert integrator.get("/api/v1/sources/nowhere/counts").status_code == 404


def test_a_key_is_made_by_post_and_shown_once(shop: Source, integrator: Client) -> None:
    address = reverse("admin:contacts_source_make_key", args=[shop.pk])
    assert integrator.get(address).status_code == 405
    response = integrator.post(address, {"scope": "server"})
    key = SourceKey.objects.get()
    (text,) = set(re.findall(r"sk_[\w-]+", response.content.decode()))
    assert digest(text) == key.digest
    assert "no-store" in response["Cache-Control"]
    page = integrator.get(reverse("admin:contacts_source_change", args=[shop.pk])).content.decode()
    assert text not in page
    assert key.prefix in page


def test_a_key_is_revoked_after_a_question(shop: Source, integrator: Client) -> None:
    integrator.post(reverse("admin:contacts_source_make_key", args=[shop.pk]), {"scope": "write"})
    key = SourceKey.objects.get()
    address = reverse("admin:contacts_source_revoke_key", args=[shop.pk, key.pk])
    assert "cannot be undone" in integrator.get(address).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None
    integrator.post(address)
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_keys_need_their_own_permission(shop: Source) -> None:
    marketer = signed_in(make_person("mara", role=roles.MARKETER))
    assert marketer.post(reverse("admin:contacts_source_make_key", args=[shop.pk])).status_code == 403
    assert not SourceKey.objects.exists()


class TestReplay:
    def letter(self, shop: Source, payload: str, code: str = "missing_field") -> DeadLetter:
        return DeadLetter.objects.create(
            source=shop, received_at=clock.now(), code=code, reason="why", payload=payload
        )

    def replay(self, client: Client, *letters: DeadLetter, confirmed: bool = True) -> str:
        data = {"action": "replay_letters", "_selected_action": [letter.pk for letter in letters]}
        if confirmed:
            data["confirmed"] = "yes"
        response = client.post(reverse("admin:contacts_deadletter_changelist"), data, follow=True)
        return response.content.decode()

    def test_replay_asks_first(self, shop: Source, integrator: Client) -> None:
        letter = self.letter(shop, '{"type":"page","userId":"ada","messageId":"m-1"}')
        assert "Replay 1 dead letter?" in self.replay(integrator, letter, confirmed=False)
        assert not InboxItem.objects.exists()
        page = integrator.get(reverse("admin:contacts_deadletter_replay_letter", args=[letter.pk]))
        assert "Replay 1 dead letter?" in page.content.decode()
        assert not InboxItem.objects.exists()

    def test_a_good_letter_goes_into_the_inbox_with_its_message_id(
        self, shop: Source, integrator: Client
    ) -> None:
        letter = self.letter(shop, '{"type":"page","userId":"ada","messageId":"m-1"}')
        assert "1 event waits in the inbox again" in self.replay(integrator, letter)
        (event,) = Inbox().events()
        assert event.message_id == "m-1"
        letter.refresh_from_db()
        assert letter.replayed_at is not None

    def test_a_letter_is_replayed_once(self, shop: Source, integrator: Client) -> None:
        letter = self.letter(shop, '{"type":"page","userId":"ada","messageId":"m-1"}')
        self.replay(integrator, letter)
        assert "Nothing was left" in self.replay(integrator, letter)
        assert InboxItem.objects.count() == 1

    def test_a_letter_that_is_still_bad_stays_with_todays_reason(
        self, shop: Source, integrator: Client
    ) -> None:
        letter = self.letter(shop, '{"type":"track","userId":"ada"}', code="old_rule")
        assert "rejected again" in self.replay(integrator, letter)
        letter.refresh_from_db()
        assert (letter.code, letter.replayed_at) == ("missing_field", None)

    @pytest.mark.parametrize("payload", ["", "not json", "[]", '{"a":"\\ud800"}', "[" * 30_000])
    def test_any_payload_can_be_looked_at_and_tried(
        self, shop: Source, integrator: Client, payload: str
    ) -> None:
        letter = self.letter(shop, payload)
        assert integrator.get(reverse("admin:contacts_deadletter_changelist")).status_code == 200
        assert (
            integrator.get(reverse("admin:contacts_deadletter_change", args=[letter.pk])).status_code == 200
        )
        assert "rejected again" in self.replay(integrator, letter)

    def test_an_event_that_ingest_set_aside_is_replayed_as_it_was(
        self, shop: Source, integrator: Client
    ) -> None:
        send(
            "/v1/track",
            track(properties={"price": 5}),
            door=make_door(sender_of=lambda _key: Sender(shop.pk)),
        )
        payload = bytes(InboxItem.objects.get().payload).decode()
        InboxItem.objects.all().delete()
        self.replay(integrator, self.letter(shop, payload, code="failed"))
        (event,) = Inbox().events()
        assert (event.message_id, event.properties_dict()) == ("m-1", {"price": 5})

    def test_what_was_rejected_is_fixed_replayed_and_counted(self, shop: Source, integrator: Client) -> None:
        door = make_door(sender_of=lambda _key: Sender(shop.pk), now=clock.now)
        send("/v1/track", track(event=None), door=door)
        ingest.drain(clock.now, seconds=5)
        letter = DeadLetter.objects.get()
        letter.payload = letter.payload.replace('"event":null', '"event":"Fixed"')
        letter.save()
        self.replay(integrator, letter)
        ingest.drain(clock.now, seconds=5)
        assert Event.objects.get(name="Fixed").message_id == "m-1"
        count = SourceCount.objects.get()
        assert (count.received, count.accepted, count.rejected) == (2, 1, 1)

    def test_replay_needs_permission(self, shop: Source) -> None:
        letter = self.letter(shop, '{"type":"page","userId":"ada","messageId":"m-1"}')
        analyst = signed_in(make_person("ana", role=roles.ANALYST))
        address = reverse("admin:contacts_deadletter_replay_letter", args=[letter.pk])
        assert analyst.get(address).status_code == 403


def test_letters_are_found_by_source_code_and_state(shop: Source, integrator: Client) -> None:
    other = Source.objects.create(name="App", slug="app")
    for source, code in ((shop, "too_deep"), (other, "too_long")):
        DeadLetter.objects.create(
            source=source, received_at=clock.now(), code=code, reason=f"is {code}", payload="{}"
        )
    address = reverse("admin:contacts_deadletter_changelist")
    for query in (f"source__id__exact={shop.pk}", "code=too_deep", "q=too_deep"):
        page = integrator.get(f"{address}?{query}").content.decode()
        assert "is too_deep" in page
        assert "is too_long" not in page
    assert "is too_deep" not in integrator.get(f"{address}?state=replayed").content.decode()


@pytest.mark.parametrize(
    ("payload", "glance"),
    [
        ('{"type":"track","event":"Product Added"}', "track · Product Added"),
        ('{"t":"page","n":"Home","m":"x","at":"2026-01-01T00:00:00Z"}', "page · Home"),
        ('{"type":5}', '{"type":5}'),
        ("not json at all, and rather long for a cell", "not json at all, and rather long for a c…"),
        ("", ""),
    ],
)
def test_a_letter_is_outlined_in_either_form(payload: str, glance: str) -> None:
    assert outline(payload) == glance


def test_a_payload_with_markup_is_shown_as_text(shop: Source, integrator: Client) -> None:
    letter = DeadLetter.objects.create(
        source=shop,
        received_at=clock.now(),
        code="x",
        reason="<b>",
        payload='{"a":"<script>alert(1)</script>"}',
    )
    for address in (
        reverse("admin:contacts_deadletter_changelist"),
        reverse("admin:contacts_deadletter_change", args=[letter.pk]),
        reverse("admin:contacts_source_change", args=[shop.pk]),
    ):
        assert "<script>alert" not in integrator.get(address).content.decode()


def test_a_rotated_key_goes_on_beside_its_successor_for_as_long_as_said(
    shop: Source, integrator: Client
) -> None:
    old, text = issue(shop, SourceKey.Scope.SERVER)
    before = clock.now()
    page = integrator.post(
        reverse("admin:contacts_source_rotate_key", args=[shop.pk, old.pk]), {"hours": "1"}
    ).content.decode()
    made = SourceKey.objects.latest("pk")
    assert made.scope == old.scope
    assert re.search(r"sk_[\w-]{32}", page)
    assert text not in page
    old.refresh_from_db()
    assert old.ends_at
    assert before < old.ends_at < before + timedelta(hours=1, minutes=1)
    overview = integrator.get(reverse("admin:contacts_source_change", args=[shop.pk])).content.decode()
    assert "Ends on" in overview
