"""What a batch of messages shares: feeds asked once, best sellers, variants dealt for good."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from channels import best_sellers, content_tests, delivery, feeds, outbox
from channels.content_tests import Running, Variant
from channels.feeds import Fetched
from channels.models import ContentTest, DataFeed, Message, SandboxMessage
from contacts import event_log
from contacts.event_log import NewEvent
from tests.contracts.http_peer import http_peer
from tests.factories import (
    NOON,
    make_contact,
    make_intent,
    make_provider,
    make_queued,
    make_template,
)

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
BODY = "<p>{{ feeds.weather.today | default: 'no news' }}</p>"


def feed(**values: Any) -> DataFeed:
    return DataFeed.objects.create(
        **{"name": "Weather", "slug": "weather", "url": "https://weather.example/now", **values}
    )


class Server:
    """A feed's server that counts how often it was asked."""

    def __init__(self, *answers: Fetched) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, _feed: DataFeed) -> Fetched:
        self.asked += 1
        return self.answers.pop(0)


def test_a_feed_is_asked_once_a_batch_and_kept_for_its_time() -> None:
    feed(minutes=15)
    server = Server(Fetched({"today": "sun"}), Fetched({"today": "rain"}))
    for minutes, said in ((0, "sun"), (14, "sun"), (15, "rain")):
        told = feeds.values({"weather"}, NOON + minutes * MINUTE, server)
        assert told == {"weather": {"today": said}}
    assert server.asked == 2


def test_a_silent_feed_says_what_it_said_last_and_after_a_while_nothing() -> None:
    feed(minutes=15, hours=2)
    server = Server(Fetched({"today": "sun"}), *[Fetched(error="away")] * 9)
    feeds.values({"weather"}, NOON, server)
    assert feeds.values({"weather"}, NOON + 60 * MINUTE, server)["weather"] == {"today": "sun"}
    assert feeds.values({"weather"}, NOON + 60 * MINUTE, server)["weather"] == {"today": "sun"}
    assert server.asked == 2
    assert DataFeed.objects.get().error == "away"
    assert feeds.values({"weather"}, NOON + 136 * MINUTE, server) == {}


def test_a_message_tells_what_the_feed_says_or_what_to_say_instead() -> None:
    feed(content={"today": "sun"}, fetched_at=NOON, next_at=NOON + MINUTE)
    make_provider("email")
    make_template("hello", body=BODY)
    make_queued(make_contact())
    delivery.deliver_batch(lambda: NOON)
    DataFeed.objects.update(active=False)
    make_queued(make_contact())
    delivery.deliver_batch(lambda: NOON)
    assert ["sun" in kept.html for kept in SandboxMessage.objects.order_by("id")] == [True, False]


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_statements_does_not_depend_on_the_batch(count: int) -> None:
    feed(content={"today": "sun"}, fetched_at=NOON, next_at=NOON + MINUTE)
    make_provider("email")
    make_template("hello", body=BODY)
    for _message in range(count):
        make_queued(make_contact())
    with CaptureQueriesContext(connection) as asked:
        delivery.deliver_batch(lambda: NOON)
    assert sum("channels_datafeed" in one["sql"] for one in asked) == 1
    assert sum("channels_bestseller" in one["sql"] for one in asked) == 1


def test_a_feed_inside_our_network_is_never_asked(settings: Settings) -> None:
    with http_peer() as peer:
        inside = feed(url=peer.url("ok"))
        assert "not on the public internet" in feeds.ask(inside).error
        assert peer.asked == []
        settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
        assert feeds.ask(inside).content is not None


def test_what_a_feed_answers_must_be_json_of_some_size(settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as peer:
        assert feeds.ask(feed(url=peer.url("away"))).error != ""


# ── Best sellers ────────────────────────────────────────────────────────────────────────────────────


def order(days: int, *products: Any) -> None:
    at = NOON - timedelta(days=days)
    event_log.append(
        [
            NewEvent(
                make_contact().pk,
                "Order Completed",
                at,
                at,
                event_log.TRACK,
                properties={"products": list(products)},
            )
        ]
    )


def test_best_sellers_are_counted_from_the_orders_of_a_month() -> None:
    order(1, {"product_id": "1", "name": "Cup", "price": 4, "quantity": 3}, {"name": "Jug", "price": 9})
    order(2, {"product_id": "1", "name": "Cup (old name)", "quantity": 1}, {"name": "Jug"}, {"name": ""}, "x")
    order(40, {"name": "Long ago", "quantity": 99})
    assert best_sellers.count(NOON) == 2
    assert best_sellers.load() == [
        {"product_id": "1", "name": "Cup", "price": 4},
        {"name": "Jug", "price": 9},
    ]
    assert best_sellers.count(NOON + timedelta(days=60)) == 0


def test_somebody_of_whom_nothing_is_known_is_shown_the_best_sellers() -> None:
    order(1, {"name": "Cup", "price": 4})
    best_sellers.count(NOON)
    make_provider("email")
    make_template("hello", body="{% for product in products %}<p>{{ product.name }}</p>{% endfor %}")
    make_queued(make_contact())
    delivery.deliver_batch(lambda: NOON)
    assert "Cup" in SandboxMessage.objects.get().html


# ── Variants ────────────────────────────────────────────────────────────────────────────────────────


def trial(**values: Any) -> ContentTest:
    template = make_template("a").template
    make_template("b")
    variants = [{"name": "A", "template": "a", "share": 1}, {"name": "B", "template": "b", "share": 3}]
    return ContentTest.objects.create(
        **{"name": "Words", "slug": "words", "template": template, "variants": variants, **values}
    )


def test_variants_are_dealt_by_their_shares_and_for_good() -> None:
    variants = (Variant("A", "a", 1), Variant("B", "b", 3))
    dealt = [content_tests.deal("words", contact, variants).name for contact in range(4_000)]
    assert dealt == [content_tests.deal("words", contact, variants).name for contact in range(4_000)]
    assert 0.22 < Counter(dealt)["A"] / 4_000 < 0.28
    other = [content_tests.deal("other", contact, variants).name for contact in range(4_000)]
    assert other != dealt


def test_what_somebody_got_is_kept_on_the_message_and_counted() -> None:
    test = trial()
    assert content_tests.start(test, NOON) == []
    make_provider("email")
    people = [make_contact() for _person in range(12)]
    outbox.intend([make_intent(one, content={"email": "a"}) for one in people], NOON)
    for message in Message.objects.all():
        got = message.variables["variants"]["words"]
        assert message.content["email"] == got.lower()
    Message.objects.update(accepted_at=NOON)
    assert sum(one.sent for one in content_tests.figures(test)) == 12
    content_tests.end(test, NOON)
    outbox.intend([make_intent(people[0], content={"email": "a"})], NOON)
    assert "variants" not in Message.objects.latest("id").variables


def test_a_test_without_published_variants_or_beside_another_does_not_start() -> None:
    test = trial(variants=[{"name": "A", "template": "a", "share": 1}])
    assert content_tests.start(test, NOON) == ["number"]
    test.variants = [*test.variants, {"name": "B", "template": "nowhere", "share": 1}]
    assert content_tests.start(test, NOON) == ["template"]
    test.variants[1]["template"] = "b"
    assert content_tests.start(test, NOON) == []
    second = ContentTest.objects.create(name="2", slug="two", template=test.template, variants=test.variants)
    assert content_tests.start(second, NOON) == ["running"]


def test_other_templates_and_channels_are_left_as_they_are() -> None:
    running = Running("words", "a", "email", (Variant("A", "b", 1),))
    contact = make_contact()
    intents = [make_intent(contact, content={"sms": "a"}), make_intent(contact, content={"email": "c"})]
    assert content_tests.assign(intents, [running]) == intents
