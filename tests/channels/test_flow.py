"""What all workers share: speed, warm-up and breakers, as messages leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from channels import delivery, flow
from channels.models import Attempt, Flow, Message, ProviderAccount
from channels.providers.base import Outcome, Result
from tests.contracts.http_peer import http_peer
from tests.contracts.smtp_sink import Sink, smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template
from tests.statements import statements

pytestmark = pytest.mark.django_db
State = Message.State
_SECOND = timedelta(seconds=1)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


@pytest.fixture(autouse=True)
def template() -> None:
    make_template("hello")


def _account(sink: Sink, **values: Any) -> ProviderAccount:
    settings = {
        "host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "shop@example.org",
        "timeout": 1,
    }  # fmt: skip
    return make_provider("email", name="smtp", kind="smtp", settings=settings, **values)


def _people(count: int, domain: str = "example.com", mode: str = "ok", **values: Any) -> list[Message]:
    return [make_queued(make_contact(email=f"{mode}{place}@{domain}"), **values) for place in range(count)]


def _deliver(now: datetime = NOON) -> None:
    while delivery.deliver_batch(lambda: now):
        pass


def _accepted() -> int:
    return Message.objects.filter(state=State.ACCEPTED).count()


def test_an_account_sends_no_faster_than_its_rate(sink: Sink) -> None:
    _account(sink, rate_per_second=5)
    _people(20)
    sent = []
    for second in range(5):
        _deliver(NOON + second * _SECOND)
        sent.append(_accepted())
    assert sent == [5, 10, 15, 20, 20]


def test_a_receiving_domain_has_a_rate_of_its_own_and_holds_up_no_other(sink: Sink) -> None:
    _account(sink, domain_rates={"slow.example": 2, "*": 100})
    _people(8, "slow.example")
    _people(8, "quick.example")
    _deliver()
    assert len(sink.mails) == 10
    assert sum(mail.recipient.endswith("@quick.example") for mail in sink.mails) == 8
    _deliver(NOON + 4 * _SECOND)
    assert _accepted() == 12


def test_what_somebody_waits_for_goes_first(sink: Sink) -> None:
    _account(sink, rate_per_second=1)
    _people(3)
    (service,) = _people(1, mode="service", transactional=True)
    _deliver()
    service.refresh_from_db()
    assert service.state == State.ACCEPTED


def test_without_limits_and_trouble_no_row_is_made(sink: Sink) -> None:
    _account(sink)
    _people(5)
    _deliver()
    assert not Flow.objects.exists()


def test_a_new_sender_sends_its_days_share_and_the_rest_on_the_next(sink: Sink) -> None:
    _account(sink, warmup_from=date(2026, 3, 10), warmup_first=4, warmup_growth=50, warmup_target=100)
    _people(9)
    _deliver()
    assert _accepted() == 4
    _deliver(NOON + timedelta(hours=6))
    assert _accepted() == 4
    _deliver(NOON + timedelta(days=1))
    assert _accepted() == 9
    row = Flow.objects.get(domain="")
    assert (row.day, row.day_taken) == (date(2026, 3, 11), 5)


def test_a_server_that_is_down_is_left_alone_tried_once_and_taken_up_again() -> None:
    with smtp_sink() as sink:
        account = _account(sink)
    _people(4)
    now = NOON
    for _try in range(3):
        _deliver(now)
        now += timedelta(minutes=10)
    row = Flow.objects.get()
    assert (row.last_code, row.failures) == ("connect", 3)
    assert row.shut_until is not None
    before = list(Message.objects.values_list("attempts", flat=True))
    assert not flow.gates([account]).open(account.id, row.shut_until - _SECOND)
    delivery.deliver_batch(lambda: row.shut_until - _SECOND if row.shut_until else now)
    assert list(Message.objects.values_list("attempts", flat=True)) == before
    with smtp_sink() as back:
        account.settings["port"] = back.port
        account.save()
        Message.objects.update(due_at=NOON)
        later = row.shut_until + _SECOND
        delivery.deliver_batch(lambda: later)
        assert _accepted() == 1
        _deliver(later + timedelta(minutes=1))
        assert _accepted() == 4
    assert Flow.objects.filter(failures=0, shut_until=None).count() == 1


def test_a_domain_that_fails_is_shut_by_itself_while_the_others_go_on(sink: Sink) -> None:
    account = _account(sink)
    _people(6, "ill.example", "temp")
    _deliver()
    row = Flow.objects.get()
    assert (row.domain, row.failures) == ("ill.example", 6)
    assert row.shut_until is not None
    assert "ill.example" not in row.last_error or "@ill" not in row.last_error
    late, fine = _people(1, "ill.example")[0], _people(1, "fine.example")[0]
    _deliver(NOON + _SECOND)
    late.refresh_from_db()
    fine.refresh_from_db()
    assert (late.state, late.due_at) == (State.QUEUED, row.shut_until)
    assert fine.state == State.ACCEPTED
    _deliver(row.shut_until)
    late.refresh_from_db()
    assert late.state == State.ACCEPTED
    assert flow.let_through(account) == 0


def test_an_address_in_a_servers_words_is_not_kept(sink: Sink) -> None:
    account = _account(sink)
    flow.note(
        account,
        {1: Result(Outcome.TRY_LATER, "451", "<ann.lee@ill.example> is greylisted")},
        {1: "ann.lee@ill.example"},
        flow.gates([account]),
        NOON,
    )
    assert Flow.objects.get(domain="ill.example").last_error == "<…@ill.example> is greylisted"


@pytest.mark.parametrize(("mode", "seconds"), [("busy", 120), ("busy_date", 300), ("busy_long", 6 * 3600)])
def test_nothing_is_asked_before_the_time_that_a_gateway_named(
    settings: Settings, mode: str, seconds: int
) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as peer:
        make_template("text", channel="sms", body="Hi")
        account = make_provider("sms", name="sms", kind="http_sms", settings={"url": peer.url(mode)})
        for _message in range(32):
            make_queued(
                make_contact(),
                channel="sms",
                address="+33612345678",
                content={"sms": "text"},
                transactional=True,
            )
        _deliver()
        asked = len(peer.asked)
        assert asked == Attempt.objects.count() == 1  # nobody else of the chunk was begun, nor is it told
        untried = Message.objects.filter(state=State.QUEUED, attempts=0)
        assert set(untried.values_list("due_at", flat=True)) == {NOON + timedelta(seconds=seconds)}
        assert untried.count() == 31
        account.settings = {"url": peer.url("ok")}
        account.save()
        Message.objects.filter(state=State.QUEUED).update(due_at=NOON)
        _deliver(NOON + timedelta(seconds=seconds - 1))
        assert len(peer.asked) == asked
        _deliver(NOON + timedelta(seconds=seconds))
        for later in range(1, 4):
            Message.objects.filter(state=State.QUEUED).update(due_at=NOON)
            _deliver(NOON + timedelta(seconds=seconds + later))
        assert _accepted() == 32


def test_limits_take_the_same_number_of_statements_for_any_batch(sink: Sink) -> None:
    _account(sink, rate_per_second=1000, domain_rates={"*": 1000})
    counts = []
    for size in (10, 16):
        _people(size)
        with statements() as count:
            delivery.deliver_batch(lambda: NOON, limit=64)
        counts.append(count.total)
    assert counts[0] >= counts[1]
