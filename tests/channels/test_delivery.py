"""Delivery: what leaves, what is written down, and what a fault does."""

import email
import email.policy
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from channels import deciding, delivery, delivery_claim, delivery_record, rescue
from channels.delivery_lanes import Lane, Pace
from channels.flow import Gates
from channels.models import Attempt, Flow, Message, ProviderAccount, SandboxMessage
from channels.providers import PROVIDERS, smtp_transfer
from channels.providers.base import Outcome, Result
from channels.providers.smtp import Smtp
from contacts.models import Event, Suppression
from tests.contracts.smtp_sink import Sink, smtp_sink
from tests.contracts.test_providers import parcel
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template
from tests.granian import database_url
from tests.statements import statements

pytestmark = pytest.mark.django_db
State = Message.State


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


def _smtp(sink: Sink, **settings: Any) -> ProviderAccount:
    values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "shop@example.org"}
    return make_provider("email", name="smtp", kind="smtp", settings={**values, **settings})


def _deliver(now: datetime = NOON) -> int:
    return delivery.deliver_batch(lambda: now)


def _event_names() -> list[str]:
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def test_a_message_is_written_for_its_person_and_taken_by_the_sandbox() -> None:
    make_provider("email")
    make_template("hello")
    message = make_queued(make_contact(first_name="Zoé"))
    assert _deliver() == 1
    message.refresh_from_db()
    assert message.state == State.ACCEPTED
    assert message.accepted_at == NOON
    kept = SandboxMessage.objects.get()
    assert kept.subject == "Hello Zoé"
    assert "Hello Zoé" in kept.text
    assert "<p>Hello Zoé</p>" in kept.html
    assert Attempt.objects.get().outcome == "accepted"
    assert _event_names() == ["Message Sent"]


def test_mail_goes_over_real_smtp(sink: Sink) -> None:
    _smtp(sink)
    make_template("hello")
    contact = make_contact(first_name="Ann", email="ann@example.com")
    message = make_queued(contact)
    _deliver()
    (mail,) = sink.to("ann@example.com")
    assert b"Subject: Hello Ann" in mail.data
    assert message.key.hex.encode() in mail.data


MODES = {
    "ok": (State.ACCEPTED, "accepted", 1),
    "perm": (State.REJECTED, "refused", 0),
    "policy": (State.REJECTED, "refused", 0),
    "temp": (State.QUEUED, "try_later", 0),
    "datatemp": (State.QUEUED, "try_later", 0),
    "dataperm": (State.REJECTED, "refused", 0),
    "dropack": (State.UNCERTAIN, "uncertain", 1),
    "slowack": (State.UNCERTAIN, "uncertain", 1),
    "cutdata": (State.UNCERTAIN, "uncertain", 0),
}


@pytest.mark.parametrize("pipelining", [True, False])
def test_every_mode_of_a_server_leads_to_its_state_and_leaves_the_others_alone(pipelining: bool) -> None:
    with smtp_sink(pipelining=pipelining) as sink:
        _smtp(sink, timeout=1)
        make_template("hello")
        messages = {
            f"{mode}{copy}": make_queued(make_contact(email=f"{mode}{copy}@example.com"))
            for copy in range(2)
            for mode in MODES
        }
        _deliver()
        for name, message in messages.items():
            message.refresh_from_db()
            state, outcome, taken = MODES[name[:-1]]
            assert (name, State(message.state).name) == (name, state.name)
            assert Attempt.objects.get(message_id=message.id).outcome == outcome
            assert len(sink.to(f"{name}@example.com")) == taken


def test_a_mailbox_that_does_not_exist_is_never_written_to_again(sink: Sink) -> None:
    _smtp(sink)
    make_template("hello")
    make_queued(make_contact(email="perm@example.com"))
    make_queued(make_contact(email="policy@example.com"))
    _deliver()
    assert list(Suppression.objects.values_list("address", "reason")) == [("perm@example.com", "hard_bounce")]


def test_a_server_that_sends_everybody_away_leaves_messages_waiting() -> None:
    with smtp_sink(banner=b"421 4.3.2 too busy\r\n") as sink:
        _smtp(sink)
        make_template("hello")
        messages = [make_queued(make_contact()) for _ in range(40)]
        _deliver()
        states = {Message.objects.get(id=message.id).state for message in messages}
        assert states == {State.QUEUED}
        # After the first chunk the server is left alone.
        assert sink.connections == 1


def test_no_server_at_all_leaves_messages_waiting() -> None:
    with smtp_sink() as sink:
        account = _smtp(sink)
    make_template("hello")
    message = make_queued(make_contact())
    _deliver()
    message.refresh_from_db()
    assert message.state == State.QUEUED
    assert message.due_at is not None
    assert message.due_at > NOON
    assert account.pk


def test_attempts_end_at_the_limit() -> None:
    with smtp_sink() as sink:
        _smtp(sink)
        make_template("hello")
        message = make_queued(make_contact(email="temp@example.com"))
        now = NOON
        for _ in range(20):
            _deliver(now)
            now += timedelta(hours=4)
        message.refresh_from_db()
        assert message.state == State.REJECTED
        assert message.reason == "attempts_used"
        assert Attempt.objects.count() == 8


def test_nothing_is_tried_again_after_its_deadline() -> None:
    with smtp_sink() as sink:
        _smtp(sink)
        make_template("hello")
        message = make_queued(
            make_contact(email="temp@example.com"), deadline_at=NOON + timedelta(seconds=30)
        )
        _deliver()
        message.refresh_from_db()
        assert message.state == State.EXPIRED


def test_one_person_whose_data_breaks_the_template_fails_alone() -> None:
    make_provider("email")
    make_template("hello", body="<p>{{ contact.city }}</p>")
    good = make_queued(make_contact(attributes={"city": "Oslo"}))
    bad = make_queued(make_contact())
    _deliver()
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.state, bad.state) == (State.ACCEPTED, State.REJECTED)
    assert bad.reason == "template"
    assert "contact.city is undefined" in Attempt.objects.get(message_id=bad.id).detail


@pytest.mark.parametrize(
    "address",
    [
        "a%0d%0aRCPT@example.com",
        "a@[127.0.0.1]",
        "a b@example.com",
        "a@b@example.com",
        '"a"@example.com',
        "a" * 65 + "@example.com",
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@-example.com",
        "ä@example.com",
        "a,b@example.com",
        "a@example",
        "a@" + "a." * 120 + "com",
        "",
    ],
)
def test_an_address_that_no_mailbox_has_is_refused_before_the_server_sees_it(
    address: str, sink: Sink
) -> None:
    _smtp(sink)
    make_template("hello")
    message = make_queued(make_contact(), address=address)
    _deliver()
    message.refresh_from_db()
    assert message.state == State.REJECTED
    assert sink.mails == []


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\u2028", "\x85"])
def test_data_cannot_add_headers(sign: str, sink: Sink) -> None:
    _smtp(sink)
    make_template("hello")
    make_queued(make_contact(email="ok@example.com", first_name=f"Ann{sign}Bcc: all@example.com"))
    _deliver()
    (mail,) = sink.mails
    head = mail.data.partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in head
    assert b"Subject: Hello Ann Bcc: all@example.com" in head


def test_a_paused_account_makes_messages_wait() -> None:
    account = make_provider("email", paused=True)
    make_template("hello")
    message = make_queued(make_contact())
    assert _deliver() == 0
    account.paused = False
    account.save()
    assert _deliver() == 1
    message.refresh_from_db()
    assert message.state == State.ACCEPTED


def test_messages_of_an_account_that_was_switched_off_go_by_the_next_one() -> None:
    off = make_provider("email", name="old", active=False)
    account = make_provider("email", name="new", paused=True)
    make_template("hello")
    message = make_queued(make_contact(), provider_id=off.pk)
    assert _deliver() == 0
    account.paused = False
    account.save()
    assert _deliver() == 1
    message.refresh_from_db()
    assert (message.state, message.provider_id) == (State.ACCEPTED, account.pk)


def test_a_message_whose_channel_nobody_carries_any_more_comes_to_an_end() -> None:
    off = make_provider("email", active=False)
    message = make_queued(make_contact(), provider_id=off.pk, wanted=["email"])
    assert rescue.rescue(NOON) == 1
    deciding.decide_batch(NOON)
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.DROPPED, "no_provider")


def test_a_message_is_written_in_its_persons_language() -> None:
    make_provider("email")
    english = make_template("hello")
    make_template_in(english, "fr", "Bonjour")
    make_queued(make_contact(language="fr-CA"))
    make_queued(make_contact(language="de"))
    _deliver()
    assert sorted(SandboxMessage.objects.values_list("subject", flat=True)) == ["Bonjour", "Hello you"]


def make_template_in(version: Any, language: str, subject: str) -> None:
    from_english = type(version)(
        template=version.template, number=1, language=language, subject=subject, body=version.body
    )
    from_english.published_at = NOON
    from_english.save()


def test_a_lost_worker_before_handing_over_costs_only_time() -> None:
    make_provider("email", kind="smtp")
    message = make_queued(
        make_contact(), state=State.CLAIMED, lease_until=NOON - timedelta(seconds=1), fence=1, attempts=1
    )
    assert rescue.rescue(NOON) == 1
    message.refresh_from_db()
    assert message.state == State.QUEUED


def test_a_lost_worker_while_handing_over_leaves_the_message_uncertain() -> None:
    make_provider("email", kind="smtp")
    message = make_queued(make_contact(), state=State.TRANSMITTING, lease_until=NOON - timedelta(seconds=1))
    rescue.rescue(NOON)
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    rescue.rescue(NOON + timedelta(days=1))
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN


def test_where_a_key_counts_once_a_lost_message_is_sent_again() -> None:
    make_provider("email")
    message = make_queued(make_contact(), state=State.TRANSMITTING, lease_until=NOON - timedelta(seconds=1))
    rescue.rescue(NOON)
    message.refresh_from_db()
    assert message.state == State.QUEUED


def test_an_uncertain_service_message_is_sent_once_more_after_a_while() -> None:
    make_provider("email", kind="smtp")
    message = make_queued(
        make_contact(), state=State.TRANSMITTING, lease_until=NOON - timedelta(seconds=1), transactional=True
    )
    rescue.rescue(NOON)
    assert rescue.rescue(NOON + timedelta(minutes=5)) == 0
    assert rescue.rescue(NOON + timedelta(minutes=11)) == 1
    message.refresh_from_db()
    assert message.state == State.QUEUED
    assert message.reason == "resent"


def test_a_batch_of_any_size_takes_the_same_number_of_statements() -> None:
    make_provider("email")
    make_template(
        "hello", body='<p>{{ contact.first_name | default: "x" }}<a href="https://e.example/a">b</a></p>'
    )
    counts = []
    for size in (10, 400):
        for _ in range(size):
            make_queued(make_contact())
        with statements() as count:
            assert delivery.deliver_batch(lambda: NOON, limit=1000) == size
        counts.append(count.total)
    # The first batch also learns the link's id.
    assert counts[0] - 1 <= counts[1] <= counts[0]


def test_a_frozen_worker_that_wakes_changes_nothing(sink: Sink) -> None:
    _smtp(sink)
    make_template("hello")
    message = make_queued(make_contact(email="ok@example.com"))
    frozen = delivery_claim.claim(NOON, 10, delivery_claim.accounts())
    later = NOON + delivery_claim.LEASE + timedelta(seconds=1)
    rescue.rescue(later)
    assert _deliver(later) == 1
    assert delivery_record.transmitting(frozen, later) == set()
    answers = {message.id: Result(Outcome.REFUSED, "550")}
    assert delivery_record.results(frozen, answers, 1, NOON, later, honours_key=False) == 0
    delivery_record.give_back(frozen, later, timedelta(0))
    message.refresh_from_db()
    assert message.state == State.ACCEPTED
    assert (len(sink.mails), Attempt.objects.count()) == (1, 1)


def test_a_worker_frozen_while_handing_over_leaves_its_message_uncertain(sink: Sink) -> None:
    _smtp(sink)
    make_template("hello")
    message = make_queued(make_contact(email="ok@example.com"))
    frozen = delivery_claim.claim(NOON, 10, delivery_claim.accounts())
    assert delivery_record.transmitting(frozen, NOON) == {message.id}
    later = NOON + delivery_claim.LEASE + timedelta(seconds=1)
    rescue.rescue(later)
    answers = {message.id: Result(Outcome.ACCEPTED, "250")}
    assert delivery_record.results(frozen, answers, 1, NOON, later, honours_key=False) == 0
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    assert _deliver(later) == 0


@pytest.mark.parametrize("error", [OperationalError, psycopg.OperationalError, psycopg.errors.AdminShutdown])
def test_a_store_that_fails_before_the_hand_over_is_no_attempt_of_the_message(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    _smtp(sink)
    make_template("hello")
    message = make_queued(make_contact(email="ok@example.com"))

    def away(*_arguments: object) -> set[int]:
        raise error("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(delivery_record, "transmitting", away)
        _deliver()
    message.refresh_from_db()
    assert (message.state, message.attempts, Attempt.objects.count()) == (State.QUEUED, 0, 0)
    assert _deliver(NOON + timedelta(seconds=3)) == 1
    message.refresh_from_db()
    assert (message.state, len(sink.mails)) == (State.ACCEPTED, 1)


def test_a_store_that_failed_while_it_marked_leaves_nothing_unclear(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark was committed, and only the word of it was lost: the mail did not begin."""
    _smtp(sink)
    make_template("hello")
    message = make_queued(make_contact(email="ok@example.com"))

    def lost(point: str) -> None:
        if point == "deliver.transmitting":
            raise psycopg.OperationalError("the connection is lost")

    with monkeypatch.context() as broken:
        broken.setattr(delivery, "crashpoint", lost)
        _deliver()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.QUEUED, 0)


@pytest.mark.django_db(transaction=True)
def test_what_a_provider_said_outlives_a_lost_connection_to_the_store(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    _smtp(sink)
    make_template("hello")
    message = make_queued(make_contact(email="ok@example.com"))
    write, cut = delivery_record.results, [False]

    def results(*arguments: Any, **others: Any) -> int:
        if not cut[0]:
            cut[0] = True
            with psycopg.connect(database_url()) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        return write(*arguments, **others)

    monkeypatch.setattr(delivery_record, "results", results)
    _deliver()
    message.refresh_from_db()
    assert (cut, message.state, len(sink.mails)) == ([True], State.ACCEPTED, 1)


def test_a_refusal_says_at_which_command_it_came(sink: Sink) -> None:
    _smtp(sink)
    make_template("hello")
    for mode in ("perm", "dataperm", "temp", "datatemp"):
        make_queued(make_contact(email=f"{mode}@example.com"))
    _deliver()
    said = set(Attempt.objects.values_list("detail", flat=True))
    assert said == {
        "at RCPT: 5.1.1 no such user", "after the mail: 5.6.0 not this", "at RCPT: 4.3.0 later",
        "after the mail: 4.3.1 later",
    }  # fmt: skip


@pytest.mark.parametrize("lines", [1, 3])
def test_an_account_says_how_many_connections_a_thread_keeps(sink: Sink, lines: int) -> None:
    _smtp(sink, connections=lines)
    make_template("hello")
    for place in range(48):
        make_queued(make_contact(email=f"ok{place}@example.com"))
    _deliver()
    assert len(sink.mails) == 48
    assert sink.connections == min(lines, 2)  # a further one is worth opening for eight mails of a group


def test_a_mail_is_the_same_whether_it_was_cut_or_not(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    _smtp(sink, from_name="Zoé's")
    make_template("hello", subject="Hé {{ contact.first_name }}", body="<p>.é {{ contact.first_name }}</p>")
    contact = make_contact(email="ok@example.com", first_name=".\nAnn =", language="en")
    message = make_queued(contact)
    _deliver()
    Message.objects.filter(id=message.id).update(state=State.QUEUED, due_at=NOON)
    monkeypatch.setattr(Smtp, "takes_wire", False)
    _deliver()
    cut, whole = (email.message_from_bytes(mail.data, policy=email.policy.SMTP) for mail in sink.mails)
    assert cut.get_boundary() != whole.get_boundary()
    del cut["Content-Type"], whole["Content-Type"]
    assert cut.items() == whole.items()
    for ours, theirs in zip(cut.walk(), whole.walk(), strict=True):
        assert ours.get_payload(decode=True) == theirs.get_payload(decode=True)


@pytest.mark.django_db(transaction=True)
def test_healthy_messages_do_not_wait_for_a_domain_that_times_out(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.delivery_lanes.PATIENCE", 60.0)
    account = _smtp(sink, timeout=1)
    make_template("hello")
    Flow.objects.create(account=account, domain="ill.example", failures=1)
    ill = [make_queued(make_contact(email=f"slowack{place}@ill.example")) for place in range(3)]
    fine = [make_queued(make_contact(email=f"ok{place}@fine.example")) for place in range(40)]
    crew = delivery.Crew(connections=2)
    try:
        crew.deliver(lambda: NOON, share=False)
        states = set(Message.objects.filter(id__in=[one.id for one in fine]).values_list("state", flat=True))
        assert states == {State.ACCEPTED}
    finally:
        crew.close()
    states = set(Message.objects.filter(id__in=[one.id for one in ill]).values_list("state", flat=True))
    assert states == {State.UNCERTAIN}
    assert Flow.objects.get(domain="ill.example").failures == 4


def test_groups_grow_where_a_provider_is_quick_and_shrink_at_once_where_it_is_not() -> None:
    pace = Pace(16, 64)
    for count, seconds, size in ((16, 0.1, 32), (9, 0.1, 32), (32, 0.3, 32), (32, 0.2, 64), (64, 0.0, 64),
                                 (64, 2.1, 16)):  # fmt: skip
        pace.took(count, seconds)
        assert pace.size == size
    unchanging = Pace(500, 0)
    unchanging.took(500, 0.0)
    assert unchanging.size == 500


def test_a_thread_joins_where_another_waits_for_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane(make_provider("email"), [], Gates({}))
    lane.waiting = [object()] * 40  # type: ignore[list-item]
    assert len(lane.take(16)) == 16
    seen = [lane.stuck]
    monkeypatch.setattr("channels.delivery_lanes.PATIENCE", -1.0)
    seen.append(lane.stuck)
    lane.down = True
    seen.append(lane.stuck)
    assert seen == [False, True, False]
    assert lane.take(16) == []


def test_a_silent_domain_holds_up_no_other_on_the_same_server(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_transfer, "_PASS", 0.02)
    monkeypatch.setattr(smtp_transfer, "_HUSH", 0.05)
    settings = {"host": "127.0.0.1", "port": sink.port, "security": "none", "timeout": 2, "connections": 1}
    provider = PROVIDERS["smtp"](1, settings)
    first = [parcel("email", f"ok{place}@fine.example") for place in range(3)]
    ill = [parcel("email", f"slowack{place}@ill.example") for place in range(2)]
    rest = [parcel("email", f"ok{place}@well.example") for place in range(12)]
    answers = provider.send([*first, *ill, *rest], lambda going: going, NOON)
    provider.close()
    assert {answers[one.message_id].outcome for one in (*first, *rest)} == {Outcome.ACCEPTED}
    assert answers[ill[0].message_id].outcome is Outcome.UNCERTAIN
    assert "ill.example" in provider.silent
    assert sink.connections > 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_wait_for_a_silent_server(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.delivery_lanes.PATIENCE", 0.0)
    _smtp(sink, timeout=2)
    make_template("hello")
    ill = make_queued(make_contact(email="slowack@ill.example"))
    crew = delivery.Crew(connections=2)
    try:
        assert crew.deliver(lambda: NOON, share=False) == 1
        assert crew.waits(0.0)
        assert crew.deliver(lambda: NOON, share=False) == 0
    finally:
        crew.close()
    ill.refresh_from_db()
    assert ill.state == State.UNCERTAIN
    assert not crew.waits(0.0)
