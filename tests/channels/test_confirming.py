"""Double opt-in, from the wish to the confirmed consent, by the way that all messages go."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from channels import charter, confirming, deciding, delivery, outbox, starter
from channels.models import Decision, Message, SandboxMessage
from contacts import clock, consent, permission, preferences
from contacts.consent import NewConsent, asking
from contacts.models import ConsentEntry, ConsentRequest, Contact, Purpose
from contacts.preferences import Grant, Use
from tests.factories import make_contact, make_intent

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Contact:
    now = clock.now()
    Purpose.objects.create(slug="news", name="News", name_fr="Nouvelles", confirmed_channels=["email", "sms"])
    starter.load(now)
    charter.publish(charter.draft({}), now - timedelta(days=1))
    return make_contact(email="alice@example.com", phone="+33612345678", now=now)


def ask(contact: Contact, channel: str = "email") -> None:
    proof = {"ip": "192.0.2.1", "form": "footer"}
    consent.ask([NewConsent(contact.id, channel, "news", True, "sign-up form", proof=proof)], clock.now())


def send_all() -> list[SandboxMessage]:
    now = clock.now()
    confirming.send(now)
    while deciding.decide_batch(now):
        pass
    delivery.deliver_batch(clock.now)
    return list(SandboxMessage.objects.order_by("id"))


def link_in(message: SandboxMessage) -> str:
    found = re.search(r"https?://\S+/c/[\w-]+", message.text)
    assert found, message.text
    return urlsplit(found[0]).path


def may(contact: Contact) -> bool | None:
    return permission.of(consent.states([contact.id]).get(contact.id, {}), "email", "news")


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_only_the_confirmation_is_sent_until_its_link_was_followed(
    client: Client, alice: Contact, channel: str
) -> None:
    ask(alice, channel)
    content = {"email": "welcome-email", "sms": "cart-code-sms"}
    outbox.intend([make_intent(alice, purpose="news", wanted=(channel,), content=content)], clock.now())
    (mail,) = send_all()
    assert mail.channel == channel
    assert Message.objects.get(purpose="news").reason == "not_confirmed"
    path = link_in(mail)
    for _look in range(3):
        page = client.get(path).content.decode()
    assert "Yes, I confirm" in page
    assert not ConsentEntry.objects.exists()
    assert "it is confirmed" in client.post(path).content.decode()
    assert "it is confirmed" in client.post(path).content.decode()
    entry = ConsentEntry.objects.get()
    assert (entry.action, entry.channel, entry.proof["request"]["form"]) == ("in", channel, "footer")
    assert entry.proof["confirmation"]["page"] == "c"
    outbox.intend([make_intent(alice, purpose="news", wanted=(channel,), content=content)], clock.now())
    assert len(send_all()) == 2


def test_the_mail_speaks_the_persons_language_and_sells_nothing(alice: Contact) -> None:
    Contact.objects.filter(pk=alice.pk).update(language="fr")
    ask(alice)
    (mail,) = send_all()
    assert mail.subject == "Merci de confirmer : Nouvelles"
    assert "aimerez peut-être" not in mail.text


def test_asking_again_mails_again_within_limits(alice: Contact) -> None:
    at = clock.now()
    sent = []
    for minutes in range(0, 120, 5):
        now = at + timedelta(minutes=minutes)
        consent.ask([NewConsent(alice.id, "email", "news", True, "form")], now)
        sent.append(confirming.send(now))
    assert sum(sent) == asking.MOST_MAILS
    assert sent[1] == 0
    assert ConsentRequest.objects.count() == 1


def test_a_link_that_ended_or_was_forged_confirms_nothing(client: Client, alice: Contact) -> None:
    ask(alice)
    request = ConsentRequest.objects.get()
    grant = Grant(alice.public_id, "email", "news", request.key)
    old = preferences.token(grant, Use.CONFIRM, clock.now() - timedelta(days=30))
    other = preferences.token(grant, Use.PREFERENCES, clock.now())
    assert client.post(f"/c/{old}").status_code == 410
    assert client.post(f"/c/{other}").status_code == 404
    assert client.post(f"/c/{other[:-4]}AAAA").status_code == 404
    assert may(alice) is False


def test_a_request_that_ended_says_how_to_go_on(client: Client, alice: Contact) -> None:
    ask(alice)
    ConsentRequest.objects.update(ends_at=timezone.now() - timedelta(minutes=1))
    grant = Grant(alice.public_id, "email", "news", ConsentRequest.objects.get().key)
    response = client.post(f"/c/{preferences.token(grant, Use.CONFIRM, clock.now())}")
    assert (response.status_code, "too old" in response.content.decode()) == (410, True)


def test_the_link_of_a_mail_proves_its_own_channel_only(client: Client, alice: Contact) -> None:
    path = urlsplit(preferences.links(alice.public_id, "email", "news", clock.now()).preferences_url).path
    page = client.post(path, {"wanted": ["email:news", "sms:news"]}).content.decode()
    assert may(alice) is True
    assert consent.pending(alice.id, clock.now()) == {("sms", "news")}
    assert "waits for your confirmation" in page
    client.post(path, {"wanted": ["email:news"]})
    assert not ConsentEntry.objects.filter(channel="sms").exists()


def test_the_decision_says_that_it_waits(alice: Contact) -> None:
    ask(alice)
    outbox.intend([make_intent(alice, purpose="news")], clock.now())
    send_all()
    assert Decision.objects.filter(reason="not_confirmed").count() == 1
