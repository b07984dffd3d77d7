"""What email services report: believed by proof alone, counted once, the same in any order."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from channels import engagement, hits, mail_ids, sealing, sns_signature
from channels.models import Hit, Message, ProviderAccount, Receipt
from contacts import clock, consent
from contacts.models import ConsentState, Event
from tests.channels.mail_hooks import (
    ADDRESS,
    BLIND,
    NAMED,
    REPORTS,
    SECRETS,
    SILENT,
    TOLD,
    Report,
    amazon_certificate,
    mandrill_signature,
    signed_hex,
)
from tests.factories import make_contact, make_provider, make_queued

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _amazons_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sns_signature, "fetch", lambda _place: amazon_certificate())


def _account(service: str, **secrets: str) -> ProviderAccount:
    return make_provider(
        "email", name=service, kind="anymail", settings={"service": service},
        secrets=sealing.seal(secrets or SECRETS[service]),
    )  # fmt: skip


def _message(account: ProviderAccount) -> Message:
    now = clock.now()
    return make_queued(
        make_contact(email=ADDRESS), now=now - timedelta(hours=2), state=Message.State.ACCEPTED, due_at=None,
        accepted_at=now - timedelta(hours=2), provider_id=account.pk,
        provider_message_id=NAMED.get(str(account.settings["service"]), ""),
    )  # fmt: skip


def _segue(message: Message) -> str:
    return f"{message.id}.{message.created_at.timestamp():.6f}"


def _post(client: Client, account: ProviderAccount, report: Report, path: str = "email", **more: str) -> int:
    headers = {**report.headers, **more}
    if account.settings["service"] == "mandrill" and "X-Mandrill-Signature" not in headers:
        headers |= mandrill_signature(report, f"{settings.SEGUE_BASE_URL}/hooks/{path}/{account.pk}")
    return client.post(
        f"/hooks/{path}/{account.pk}", report.body, content_type=report.content_type, headers=headers
    ).status_code


def _now() -> int:
    return int(clock.now().timestamp()) - 60


@pytest.mark.parametrize("service", sorted(REPORTS))
def test_every_services_reports_give_the_right_state(client: Client, service: str) -> None:
    account = _account(service)
    message = _message(account)
    told = [kind for kind in TOLD if kind not in SILENT.get(service, set())]
    for kind in told:
        report = REPORTS[service](kind, _segue(message), _now())
        assert _post(client, account, report) == 200, kind
    engagement.absorb(clock.now(), 100)
    message.refresh_from_db()
    assert set(Receipt.objects.values_list("kind", flat=True)) >= set(told)
    assert (message.delivered_at is not None) == ("delivered" in told)
    assert message.bounced_at is not None
    assert (message.clicked_at is not None) == (service not in BLIND)
    assert consent.suppressed({("email", ADDRESS)})
    names = set(Event.objects.filter(contact_id=message.contact_id).values_list("name", flat=True))
    assert "Message Bounced" in names
    if "unsubscribed" in told:
        assert "Message Unsubscribed" in names


@pytest.mark.parametrize("error", [OperationalError, psycopg.OperationalError])
def test_a_report_that_cannot_be_stored_is_asked_for_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away(_hits: object) -> None:
        raise error("away")

    account = _account("postmark")
    monkeypatch.setattr(hits, "write", away)
    assert _post(client, account, REPORTS["postmark"]("delivered", "1.5", _now())) == 503


@pytest.mark.parametrize("service", sorted(REPORTS))
def test_what_does_not_prove_itself_is_refused(client: Client, service: str) -> None:
    account = _account(service)
    report = REPORTS[service]("bounced", "1.5", _now())
    altered = Report(report.body + b" ", report.content_type, report.headers)
    unsigned = Report(report.body, report.content_type)
    other = REPORTS["postmark" if service != "postmark" else "mailgun"]("bounced", "1.5", _now())
    if service in ("mailgun", "unisender_go"):  # These sign within the post.
        body = report.body.replace(b'"signature": "', b'"signature": "0').replace(b'"auth": "', b'"auth": "0')
        unsigned = Report(body)
    assert _post(client, account, unsigned, **{"X-Mandrill-Signature": "x"}) in (401, 403)
    assert _post(client, account, other, **{"X-Mandrill-Signature": "x", "Authorization": "Basic x"}) in (
        400,
        401,
        403,
    )
    if "webhook_secret" not in SECRETS[service] and service not in ("mailgun", "mandrill", "unisender_go"):
        assert _post(client, account, altered) == 403
    ProviderAccount.objects.filter(pk=account.pk).update(secrets="")
    assert _post(client, account, report) in (401, 403)
    assert not Hit.objects.exists()


@pytest.mark.parametrize("service", ["resend", "sendgrid"])
def test_an_old_signature_is_a_replay(client: Client, service: str) -> None:
    assert _post(client, _account(service), REPORTS[service]("delivered", "1.5", _now() - 400)) == 403


def test_the_same_report_counts_once_however_often_it_comes(client: Client) -> None:
    account = _account("mailgun")
    message = _message(account)
    report = REPORTS["mailgun"]("clicked", _segue(message), _now())
    for _again in range(46):
        assert _post(client, account, report) == 200
    engagement.absorb(clock.now(), 100)
    assert Receipt.objects.count() == 1
    assert Event.objects.filter(name="Message Clicked").count() == 1


def test_reports_may_come_in_any_order(client: Client) -> None:
    """120 ways in which five reports can arrive, and one state at the end of each."""
    account = _account("mailjet")
    at = _now()
    ends = set()
    orders = {order: _message(account) for order in itertools.permutations(TOLD)}
    for turn in range(len(TOLD)):
        for order, message in orders.items():
            kind = order[turn]
            _post(client, account, REPORTS["mailjet"](kind, _segue(message), at + TOLD.index(kind)))
        engagement.absorb(clock.now(), 1_000)
    for message in orders.values():
        message.refresh_from_db()
        stopped = ConsentState.objects.filter(contact_id=message.contact_id, purpose="*").values_list(
            "allowed"
        )
        ends.add((
            message.state, message.delivered_at, message.bounced_at, message.clicked_at, tuple(stopped),
            tuple(sorted(Event.objects.filter(contact_id=message.contact_id, name__startswith="Message ")
                         .values_list("name", flat=True))),
        ))  # fmt: skip
    assert len(orders) == 120
    assert len(ends) == 1


def _letter(text: str) -> Report:
    at = _now()
    form = {
        "body-mime": text,
        "timestamp": str(at),
        "token": "t",
        "signature": signed_hex("key", f"{at}t".encode()),
    }
    return Report(urlencode(form).encode(), "application/x-www-form-urlencoded")


def test_an_answer_to_a_mail_is_on_the_timeline(client: Client) -> None:
    account = _account("mailgun")
    message = _message(account)
    name = mail_ids.made(message.id, message.created_at, message.key, "hello@shop.example")
    text = f"From: ann@example.com\r\nMessage-ID: <1@x>\r\nIn-Reply-To: {name}\r\n\r\nThank you!"
    away = text.replace("\r\n\r\n", "\r\nAuto-Submitted: auto-replied\r\n\r\n", 1).replace("<1@x>", "<2@x>")
    for letter in (text, text, away, text.replace(name, "<stranger@x>")):
        assert _post(client, account, _letter(letter), "email-in") == 200
    engagement.absorb(clock.now(), 10)
    assert Event.objects.filter(contact_id=message.contact_id, name="Message Replied").count() == 1


def test_amazon_is_asked_for_its_password_first(client: Client) -> None:
    account = _account("amazon_ses")
    report = REPORTS["amazon_ses"]("delivered", "1.5", _now())
    headers = {name: value for name, value in report.headers.items() if name != "Authorization"}
    answer = client.post(
        f"/hooks/email/{account.pk}", report.body, content_type="text/plain", headers=headers
    )
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")


def test_times_of_reports_are_those_of_the_service(client: Client) -> None:
    account = _account("postmark")
    message = _message(account)
    at = _now() - 1000
    _post(client, account, REPORTS["postmark"]("delivered", _segue(message), at))
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.delivered_at == datetime.fromtimestamp(at, UTC)
