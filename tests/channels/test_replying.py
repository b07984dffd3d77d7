"""STOP, START and HELP by text message: obeyed at once, answered once."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from channels import charter, deciding, delivery, outbox, replying, sealing, starter
from channels.models import Message, SandboxMessage
from channels.reply_words import Asked, read
from contacts import clock, consent, permission
from contacts.consent import NewConsent
from contacts.models import ConsentEntry, Contact, Event
from tests.factories import NOON, make_contact, make_intent, make_provider

NUMBER = "+33612345678"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("STOP", Asked.STOP), (" stop. ", Asked.STOP), ("Arrêt", Asked.STOP), ("ARRÊTEZ !", Asked.STOP),
        ("STOP 36111", Asked.STOP), ("Désabonner", Asked.STOP), ("opt-out", Asked.STOP),
        ("Unsubscribe", Asked.STOP), ("start", Asked.START), ("UNSTOP", Asked.START), ("Aide", Asked.HELP),
        ("help", Asked.HELP), ("", Asked.NOTHING), ("yes please call me", Asked.NOTHING),
        ("Please stop", Asked.STOP), ("stop sending me these messages", Asked.STOP),
        ("Arrêtez de m’écrire svp", Asked.STOP), ("please", Asked.NOTHING), ("please call", Asked.NOTHING),
        ("please yes", Asked.NOTHING), ("cancel the order of today", Asked.NOTHING),
        ("Stop the press, I love it", Asked.NOTHING),
        ("stop by the shop tomorrow at noon", Asked.NOTHING), ("Thanks!", Asked.NOTHING),
    ],
)  # fmt: skip
def test_words_in_both_languages(text: str, asked: Asked) -> None:
    assert read(text) is asked


@pytest.fixture
def alice(db: None) -> Contact:
    starter.load(NOON)
    charter.publish(charter.draft({}), NOON - timedelta(days=1))
    contact = make_contact(phone=NUMBER)
    consent.record([NewConsent(contact.id, "sms", "offers", True, "test")], NOON - timedelta(days=1))
    return contact


def take(text: str, key: str = "1", hours: int = 0) -> replying.Taken:
    return replying.take(NUMBER, text, NOON + timedelta(hours=hours), key=key, proof={"by": "test"})


def leave(hours: int = 0) -> list[str]:
    now = NOON + timedelta(hours=hours)
    while deciding.decide_batch(now):
        pass
    delivery.deliver_batch(lambda: now)
    return [one.text for one in SandboxMessage.objects.order_by("id")]


def may(contact: Contact) -> bool | None:
    return permission.of(consent.states([contact.id]).get(contact.id, {}), "sms", "offers")


def test_stop_ends_text_messages_and_is_answered_once(alice: Contact) -> None:
    outbox.intend([make_intent(alice, wanted=("sms",), content={"sms": "cart-code-sms"})], NOON)
    assert take("STOP") == replying.Taken(Asked.STOP, 1, answered=True)
    assert take("STOP", key="2") == replying.Taken(Asked.STOP, 1, answered=False)
    assert may(alice) is False
    (answer,) = leave()
    assert "no more text messages" in answer
    assert Message.objects.get(purpose="offers").reason == "suppressed"
    assert ConsentEntry.objects.latest("id").proof == {"by": "test", "text": "STOP"}
    assert Event.objects.filter(name="Message Replied").count() == 2


def test_the_same_text_twice_counts_once(alice: Contact) -> None:
    assert take("STOP").answered
    assert take("STOP") == replying.Taken(Asked.STOP, 0, answered=False)


def test_start_opens_again_what_stop_had_closed(alice: Contact) -> None:
    take("STOP")
    assert take("START", key="2", hours=1).answered
    assert may(alice) is True
    assert consent.suppressed([("sms", NUMBER)]) == set()
    assert "welcome back" in leave(1)[-1]


def test_start_switches_nothing_on_for_who_never_stopped(alice: Contact) -> None:
    consent.suppress([("sms", NUMBER)], "manual", NOON)
    assert not take("START").answered
    assert consent.suppressed([("sms", NUMBER)]) != set()


def test_help_is_answered_once_a_day(alice: Contact) -> None:
    assert [take("HELP", key=str(i), hours=h).answered for i, h in enumerate((0, 1, 13))] == [
        True,
        False,
        True,
    ]
    assert "STOP" in leave(13)[0]


def test_a_number_of_nobody_is_barred_all_the_same(db: None) -> None:
    assert take("STOP") == replying.Taken(Asked.STOP, 0, answered=False)
    assert consent.suppressed([("sms", NUMBER)]) != set()


def test_a_gateway_hands_texts_over_with_its_signature(client: Client, alice: Contact) -> None:
    account = make_provider(
        "sms", name="gate", kind="http_sms", secrets=sealing.seal({"receipt_secret": "s3"})
    )
    body = json.dumps([{"id": "a1", "from": "+33 6 12 34 56 78", "text": "Stop"}, {"nothing": 1}])
    path = f"/hooks/sms-in/{account.pk}"

    def post(signature: str) -> Any:
        return client.post(path, body, content_type="application/json", HTTP_X_SEGUE_SIGNATURE=signature)

    stamp = int(clock.now().timestamp())
    right = hmac.new(b"s3", f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    assert post(f"t={stamp},v1={'0' * 64}").status_code == 403
    assert may(alice) is True
    for _twice in range(2):
        assert post(f"t={stamp},v1={right}").json() == {"taken": 1}
    assert may(alice) is False
    assert Message.objects.filter(purpose="reply").count() == 1
