"""People are written to when a promise breaks and when it holds again: once each, over real SMTP."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler
from django.contrib.auth.models import Group, User
from pytest_django import Settings

from config import roles
from contacts.auditing import looking, telling
from contacts.auditing.registry import promises
from contacts.models import InboxItem
from tests.factories import NOON, make_source, put_in_inbox
from tests.faults.stage import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("months")]
MINUTE = timedelta(minutes=1)


class Mailbox(Handler):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []

    def prepare_message(self, session: Any, envelope: Any) -> Any:
        self.mails.append(email.message_from_bytes(envelope.original_content, policy=email.policy.default))
        return self.mails[-1]

    def handle_message(self, message: Any) -> None:
        """Kept above already."""


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """A mail server, named in the settings as an installation names it."""
    handler, port = Mailbox(), free_port()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.SEGUE_ALERTS = ["ops@example.org"]
    yield handler
    server.stop()


def turn(now: datetime) -> int:
    looking.pulse(now)
    return telling.tell(now)


def fall_behind() -> None:
    put_in_inbox(make_source(), {"type": "track", "user_id": "u"})


def test_a_breach_and_its_healing_are_told_once_each(mailbox: Mailbox) -> None:
    fall_behind()
    assert turn(NOON + 3 * MINUTE) == 0  # it may be over in half a minute
    assert turn(NOON + 4 * MINUTE) == 1
    assert turn(NOON + 5 * MINUTE) == 0
    (mail,) = mailbox.mails
    assert (mail["To"], mail["Subject"]) == ("ops@example.org", "Segue: a promise is broken")
    body = mail.get_content()
    assert "Every accepted event is taken in within two minutes." in body
    assert "- item " in body
    assert "/admin/promises/" in body
    InboxItem.objects.all().delete()
    assert turn(NOON + 40 * MINUTE) == 1
    assert turn(NOON + 80 * MINUTE) == 0
    assert mailbox.mails[1]["Subject"] == "Segue: what was broken holds again"


def test_what_breaks_and_heals_again_and_again_does_not_fill_a_mailbox(
    mailbox: Mailbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEGUE_ALERT_MINUTES = 10
    # The one that breaks; sixty looks at all of them would show nothing more.
    only = {"inbox_moves": promises()["inbox_moves"]}
    monkeypatch.setattr(looking, "promises", lambda: only)
    source = make_source()
    for minute in range(0, 60, 2):
        now = NOON + minute * MINUTE
        if minute % 4:
            InboxItem.objects.all().delete()
        else:
            put_in_inbox(source, {"type": "track", "user_id": "u"}, now=now - 5 * MINUTE)
        turn(now)
        turn(now + MINUTE)
    # Sixty minutes, of one promise one mail in twenty at most.
    assert 1 <= len(mailbox.mails) <= 3


def test_a_mail_that_cannot_be_sent_is_tried_again(mailbox: Mailbox, settings: Settings) -> None:
    settings.EMAIL_PORT, right = free_port(), settings.EMAIL_PORT
    fall_behind()
    turn(NOON + 3 * MINUTE)
    assert turn(NOON + 4 * MINUTE) == 0
    settings.EMAIL_PORT = right
    assert turn(NOON + 5 * MINUTE) == 1
    assert len(mailbox.mails) == 1


def test_without_addresses_in_the_settings_those_with_the_permission_are_told(settings: Settings) -> None:
    settings.SEGUE_ALERTS = []
    roles.ensure()
    User.objects.create_superuser("root", "root@example.org", "x")
    User.objects.create_user("clerk", "clerk@example.org", "x")
    User.objects.create_superuser("gone", "gone@example.org", "x", is_active=False)
    keeper = User.objects.create_user("keeper", "keeper@example.org", "x")
    keeper.groups.add(Group.objects.get(name=roles.INTEGRATOR))
    assert telling.recipients() == ["keeper@example.org", "root@example.org"]
