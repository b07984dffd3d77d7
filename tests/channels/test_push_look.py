"""How pushes look: icon, picture, two buttons with links of their own; counted apart, and told when shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from channels import drafting, links, rendering, rendering_lint
from channels.admin.template_form import WordsForm
from channels.delivery_parcels import look
from channels.hits import NewHit
from channels.models import Template
from channels.providers.apns import _body as apple
from channels.providers.base import Button, Words
from channels.providers.fcm import _message as google
from channels.rendering import Source
from contacts import clock
from contacts.models import Event
from tests.channels.test_engagement import LATER, _absorb, _fetch, _names, _sent
from tests.channels.test_tracking_door import _ask, _Keeper
from tests.contracts.test_providers import parcel
from tests.factories import make_contact, make_queued, make_template

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example"
SALE = Source(
    "push", "Sale", "All cups", link=f"{SHOP}/cups", icon=f"{SHOP}/i.png", image="http://insecure.example/b",
    button="{{ first | default: 'Blue' }}\n", second_button="Red",
    second_link=f"{SHOP}/red?who={{{{ first }}}}",
)  # fmt: skip


def _written(source: Source, **context: str) -> rendering.Letter:
    return rendering.write(rendering.wording(source), context)


def test_each_button_has_its_own_tracked_link_and_says_which_it_is() -> None:
    letter = _written(SALE, first="Ann")
    known = links.ids(rendering.addresses(letter))
    assert set(known) == {f"{SHOP}/cups", f"{SHOP}/red?who=Ann"}
    message = make_queued(make_contact())
    finished = rendering.finish(letter, links.tracker(message.id, message.created_at, known))
    first, second = look(finished).buttons
    assert (first.words, second.words) == ("Ann", "Red")
    # Without a link of its own a button leads where the message does, and is told apart all the same.
    assert first.link == f"{finished.link}?b=1"
    assert second.link.endswith("?b=2")
    assert (finished.icon, finished.image) == (f"{SHOP}/i.png", "")


def test_a_button_without_words_or_without_any_link_is_none() -> None:
    for source in (
        replace(SALE, button="", second_button=""),
        replace(SALE, link="", second_link=""),
        replace(SALE, link="javascript:alert(1)", second_link="{{ first }}"),
    ):
        finished = rendering.finish(_written(source, first="data:text/html,x"), lambda address: address)
        assert look(finished).buttons == ()


def test_what_is_wrong_with_buttons_is_found_and_keeps_a_push_from_being_published() -> None:
    bad = rendering_lint.lint(replace(SALE, icon="http://x.example/i.png", second_link="ftp://x"))
    assert {one.part for one in bad if one.is_error} == {"icon", "image", "second_link"}
    (nowhere,) = rendering_lint.lint(Source("push", "Sale", "All cups", button="Blue"))
    assert (nowhere.part, nowhere.is_error) == ("button", True)
    wordless = rendering_lint.lint(replace(SALE, image="", button="", second_button=""))
    assert [one.part for one in wordless if "without words" in one.message] == ["second_link"]


def test_a_marketer_fills_in_icon_picture_and_buttons_and_keeps_them_for_the_next_draft(
    admin_client: Client,
) -> None:
    version = make_template("sale", "push", body="Old")
    page = reverse("admin:channels_template_change", args=[version.template_id])
    shown = admin_client.get(page).content.decode()
    names = (
        "subject",
        "body",
        "icon",
        "image",
        "link",
        "button",
        "button_link",
        "second_button",
        "second_link",
    )
    assert [name for name in names if f'name="{name}"' not in shown] == []
    values = {name: getattr(SALE, name).strip() for name in names}
    values |= {"image": f"{SHOP}/b.png", "second_link": f"{SHOP}/red"}
    admin_client.post(page, {**values, "save": ""})
    draft = Template.objects.get().versions.get(published_at=None)
    drafting.publish(draft, clock.now())
    again = drafting.editable(draft.template, "en")
    assert {name: getattr(again, name) for name in names} == values
    Template.objects.get().versions.filter(pk=draft.pk).update(body="<script>x</script>")
    seen = admin_client.get(
        reverse("admin:channels_template_preview", args=[draft.template_id, draft.pk]), {"part": "push"}
    )
    assert "sandbox" in seen["Content-Security-Policy"]
    told = seen.content.decode()
    assert [word for word in ("Sale", ">Red<", f"{SHOP}/i.png", f"{SHOP}/b.png") if word not in told] == []
    assert "<script>" not in told


@pytest.mark.parametrize("channel", ["email", "sms", "inapp"])
def test_only_pushes_are_asked_for_a_second_button(channel: str) -> None:
    assert {"icon", "button_link", "second_button", "second_link"}.isdisjoint(
        WordsForm(channel=channel).fields
    )


def test_a_push_that_was_shown_is_delivered_and_says_nothing_of_who_showed_it() -> None:
    message, keeper = make_queued(make_contact()), _Keeper()
    path = "/" + links.receipt(message.id, message.created_at).split("/", 3)[3]
    assert _ask(path, keeper)[0] == "405"
    assert keeper.hits == []
    status, headers, _none = _ask(path, keeper, "POST", HTTP_USER_AGENT="x", REMOTE_ADDR="10.1.2.3")
    assert (status, headers["Access-Control-Allow-Origin"]) == ("204", "*")
    assert [(hit.kind, hit.message_id, hit.data) for hit in keeper.hits] == [("delivered", message.id, {})]
    assert _ask(path[:-1] + "A", keeper, "POST")[0] == "404"
    click = links.signer().sign("click", message.id, message.created_at)
    assert _ask(f"/t/d/{click}", keeper, "POST")[0] == "404"
    assert len(keeper.hits) == 1


def test_shown_twice_is_delivered_once() -> None:
    message = _sent()
    hit = NewHit(LATER, "delivered", message.id, message.created_at)
    _absorb(hit, hit)
    message.refresh_from_db()
    assert message.delivered_at == LATER
    assert _names() == ["Message Delivered"]


def test_each_button_is_a_click_of_its_own_and_a_second_press_is_not() -> None:
    from_door = _Keeper()
    message = _sent()
    known = links.ids([f"{SHOP}/cups"])
    tracked = links.tracker(message.id, message.created_at, known)(f"{SHOP}/cups")
    path = "/" + tracked.split("/", 3)[3]
    for query in ("", "b=1", "b=2", "b=2", "b=3", "c=1", "b=1&x"):
        _ask(path, from_door, QUERY_STRING=query)
    assert [hit.data.get("button") for hit in from_door.hits] == [None, 1, 2, 2, None, None, None]
    link = next(iter(known.values()))
    pressed = [_fetch(message, "click", link_id=link, data={"button": number}) for number in (1, 2, 2)]
    _absorb(_fetch(message, "click", link_id=link), *pressed)
    clicks = Event.objects.filter(name="Message Clicked")
    assert sorted((one.properties.get("button") for one in clicks), key=str) == [1, 2, None]


def test_apps_are_told_the_buttons_and_where_to_say_that_it_was_shown() -> None:
    buttons = (Button("Blue", f"{SHOP}/blue"),)
    words = Words("Hi", placing=replace(Words("").placing, buttons=buttons), receipt=f"{SHOP}/t/d/x")
    told = json.loads(apple(words))
    assert (told["buttons"], told["receipt"]) == ([{"title": "Blue", "url": f"{SHOP}/blue"}], f"{SHOP}/t/d/x")
    data = google(parcel("push", "fcm:abc"), words)["data"]
    assert json.loads(data["buttons"]) == told["buttons"]
    assert data["receipt"] == told["receipt"]
