"""Text messages over SMPP, with a gateway on loopback: out, and what comes back."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import engagement, sealing, smpp_inbox, sms_alphabet
from channels.models import Hit, Message, ProviderAccount
from channels.providers import PROVIDERS
from channels.providers.base import NotReadyError, Outcome, Parcel, Words
from channels.providers.smpp_pdu import MalformedError, Pdu, delivered, submit, take
from contacts.models import Event, Suppression
from tests.contracts.smsc import RECEIVER, Gateway, incoming, receipt, smsc
from tests.factories import NOON, make_contact, make_provider, make_queued

NUMBER = "+33612345678"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with smsc() as running:
        yield running


def _values(gateway: Gateway, **more: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1", "port": gateway.port, "tls": "no", "system_id": "segue", "password": "canary77",
        "senders": "Shop, 36180", "timeout": "1", **more,
    }  # fmt: skip


def _send(gateway: Gateway, text: str, to: str = NUMBER, **more: Any) -> Any:
    provider = PROVIDERS["smpp"](1, _values(gateway, **more))
    try:
        return provider.send([Parcel(1, NOON, uuid4(), "sms", to, Words(text))], lambda all_: all_, NOON)[1]
    finally:
        provider.close()


def _account(gateway: Gateway, **more: Any) -> ProviderAccount:
    values = _values(gateway, **more)
    account = make_provider("sms", kind="smpp", settings=values)
    account.secrets = sealing.seal({"password": values.pop("password")})
    account.settings = values
    account.save()
    return account


def test_a_plain_text_goes_in_the_gateways_alphabet_with_a_receipt_asked_for(gateway: Gateway) -> None:
    assert _send(gateway, "50 € off @ home").provider_message_id == "00000001"
    (sent,) = gateway.sent
    assert (sent.sender, sent.to, sent.coding, sent.receipt) == ("Shop", "33612345678", 0, 1)
    assert sent.raw == b"50 \x1be off \x00 home"


def test_what_the_alphabet_lacks_goes_as_ucs_2(gateway: Gateway) -> None:
    _send(gateway, "Привет 🙂")
    assert gateway.sent[0].coding == 8
    assert gateway.sent[0].raw.decode("utf-16-be") == "Привет 🙂"


def test_a_long_text_is_one_message_with_one_id(gateway: Gateway) -> None:
    result = _send(gateway, "x" * 400)
    assert result.outcome is Outcome.ACCEPTED
    assert [len(sent.raw) for sent in gateway.sent] == [400]


def test_a_gateway_of_latin_1_gets_latin_1(gateway: Gateway) -> None:
    _send(gateway, "à ê", alphabet="latin-1")
    assert (gateway.sent[0].coding, gateway.sent[0].raw) == (0, b"\xe0 \xea")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(0x0B, Outcome.REFUSED), (0x58, Outcome.TRY_LATER), (0x14, Outcome.TRY_LATER),
     (0x0A, Outcome.TRY_LATER), (0x410, Outcome.TRY_LATER), ("silent", Outcome.UNCERTAIN),
     ("close", Outcome.UNCERTAIN)],
)  # fmt: skip
def test_each_status_has_its_word(gateway: Gateway, answer: int | str, outcome: Outcome) -> None:
    gateway.answers["33612345678"] = answer
    assert _send(gateway, "Hello").outcome is outcome


def test_a_wrong_password_is_said_plainly_and_not_repeated(gateway: Gateway) -> None:
    with pytest.raises(NotReadyError, match="refuses the password") as caught:
        PROVIDERS["smpp"](1, _values(gateway, password="wrong-99")).check()
    assert "wrong-99" not in str(caught.value)
    result = _send(gateway, "Hello", password="wrong-99")
    assert (result.outcome, result.code) == (Outcome.TRY_LATER, "auth")


@pytest.mark.parametrize(
    ("more", "words"),
    [({"password": "longer than eight"}, "password is longer"), ({"port": "x"}, "port"),
     ({"tls": "maybe"}, "tls"), ({"alphabet": "ebcdic"}, "alphabet"), ({"senders": ""}, "no sender")],
)  # fmt: skip
def test_a_check_names_the_setting_that_is_wrong(gateway: Gateway, more: dict[str, str], words: str) -> None:
    with pytest.raises(NotReadyError, match=words):
        PROVIDERS["smpp"](1, _values(gateway, **more)).check()


def test_a_check_binds_both_ways_and_sends_nothing(gateway: Gateway) -> None:
    assert "for sending and for receipts" in PROVIDERS["smpp"](1, _values(gateway)).check()
    assert sorted(gateway.binds) == [1, 2]
    assert gateway.sent == []


@pytest.mark.django_db
def test_a_receipt_is_seen_on_the_message_and_the_timeline(gateway: Gateway) -> None:
    account, message = _account(gateway), _sent_message("0000AF")
    Message.objects.filter(pk=message.pk).update(provider_id=account.pk)
    gateway.kept = [receipt("0000AF", "DELIVRD")]
    gateway.asks = True
    assert smpp_inbox.poll(NOON) == 1
    engagement.absorb(NOON)
    assert gateway.confirmed == gateway.kept
    assert Event.objects.filter(contact_id=message.contact_id, name="Message Delivered").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "kind"),
    [("DELIVRD", "delivered"), ("UNDELIV", "bounced"), ("EXPIRED", "bounced"), ("REJECTD", "rejected"),
     ("ACCEPTD", None), ("ENROUTE", None)],
)  # fmt: skip
def test_each_state_has_its_receipt(gateway: Gateway, state: str, kind: str | None) -> None:
    _account(gateway)
    gateway.kept = [receipt("7", state, "034")]
    smpp_inbox.poll(NOON)
    assert [hit.kind for hit in Hit.objects.all()] == ([kind] if kind else [])
    assert len(gateway.confirmed) == 1


@pytest.mark.django_db
def test_the_gateways_own_fields_go_before_its_words(gateway: Gateway) -> None:
    _account(gateway)
    extras = struct.pack(">HH", 0x001E, 4) + b"ABC\0" + struct.pack(">HHB", 0x0427, 1, 5)
    gateway.kept = [receipt("other", "DELIVRD", extras=extras)]
    smpp_inbox.poll(NOON)
    (hit,) = Hit.objects.all()
    assert (hit.kind, hit.data["provider_message_id"]) == ("bounced", "ABC")


@pytest.mark.django_db
def test_an_id_told_in_hexadecimal_is_found_by_its_decimal_receipt(gateway: Gateway) -> None:
    assert _send(gateway, "Hello", receipt_ids="decimal").provider_message_id == "1"
    assert _send(gateway, "Hello").provider_message_id == "00000002"


@pytest.mark.django_db
def test_what_comes_twice_counts_once(gateway: Gateway) -> None:
    account, message = _account(gateway), _sent_message("7")
    Message.objects.filter(pk=message.pk).update(provider_id=account.pk)
    gateway.kept = [receipt("7", "DELIVRD"), incoming(b"STOP")]
    for _visit in range(2):
        smpp_inbox.poll(NOON)
        engagement.absorb(NOON)
    assert Event.objects.filter(name="Message Delivered").count() == 1
    assert Event.objects.filter(name="Message Replied").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raw", "kind", "coding"),
    [(b"Stop", 0, 0), ("STOP".encode("utf-16-be"), 0, 8), (b"\x05\x00\x03\x01\x01\x01stop", 0x40, 0)],
)
def test_a_stop_is_obeyed_in_any_alphabet(gateway: Gateway, raw: bytes, kind: int, coding: int) -> None:
    _account(gateway)
    make_contact(phone=NUMBER)
    gateway.kept = [incoming(raw, kind=kind, coding=coding)]
    smpp_inbox.poll(NOON)
    assert Suppression.objects.filter(channel="sms", address=NUMBER).exists()


@pytest.mark.django_db
def test_the_same_words_are_a_new_text_later(gateway: Gateway) -> None:
    _account(gateway)
    make_contact(phone=NUMBER)
    gateway.kept = [incoming(b"5")]
    for moment in (NOON, NOON + timedelta(hours=1)):
        smpp_inbox.poll(moment)
    assert Event.objects.filter(name="Message Replied").count() == 2


@pytest.mark.django_db
def test_a_delivery_that_cannot_be_read_stands_in_nobodys_way(gateway: Gateway) -> None:
    _account(gateway)
    gateway.kept = [b"\0\x01", receipt("7", "DELIVRD")]
    assert smpp_inbox.poll(NOON) == 2
    assert Hit.objects.count() == 1
    assert len(gateway.confirmed) == 2


@pytest.mark.django_db
def test_a_gateway_that_is_away_stops_nothing(gateway: Gateway) -> None:
    _account(gateway, port=1)
    working = make_provider("sms", kind="smpp", name="second", settings={**_values(gateway)})
    gateway.kept = [receipt("7", "DELIVRD")]
    assert smpp_inbox.poll(NOON) == 1
    assert Hit.objects.get().provider_id == working.pk
    assert RECEIVER in gateway.binds


@given(st.text(alphabet="".join(sign for sign in sms_alphabet.BASIC if sign != "\x1b") + "€[]{}~^|\\\f"))
def test_every_text_of_the_alphabet_comes_back_as_it_went(text: str) -> None:
    raw = sms_alphabet.encode(text)
    assert raw is not None
    assert sms_alphabet.decode(raw) == text


@given(st.binary(max_size=300))
def test_no_delivery_can_break_the_reader(body: bytes) -> None:
    try:
        delivered(body)
    except MalformedError:
        return


@given(st.text(max_size=400), st.integers(0, 30))
def test_units_are_cut_where_they_end_however_they_arrive(text: str, cut: int) -> None:
    whole = Pdu(4, 7, submit("Shop", NUMBER, text)).pack()
    buffer = bytearray(whole[:cut])
    assert take(buffer) is None
    buffer += whole[cut:] + whole
    first, second = take(buffer), take(buffer)
    assert first == second
    assert first is not None
    assert first.pack() == whole
    assert not buffer


def test_a_unit_of_absurd_length_is_refused() -> None:
    with pytest.raises(MalformedError):
        take(bytearray(struct.pack(">4L", 2**31, 4, 0, 1)))


def _sent_message(name: str) -> Message:
    message = make_queued(make_contact(phone=NUMBER), channel="sms", address=NUMBER)
    Message.objects.filter(pk=message.pk).update(
        state=Message.State.ACCEPTED, due_at=None, provider_message_id=name, accepted_at=NOON
    )
    return message
