"""Lines that go silent: nobody waits for ever, and everything goes on when they speak again."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from channels import delivery, rescue
from channels.models import Message
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template
from tests.faults.proxy import line
from tests.granian import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
State = Message.State


def test_a_mail_server_behind_a_silent_line_costs_its_timeout_and_nothing_twice() -> None:
    with smtp_sink() as sink, line(sink.port) as wire:
        make_provider(
            "email",
            name="smtp",
            kind="smtp",
            settings={
                "host": "127.0.0.1", "port": wire.port, "security": "none", "timeout": 1,
                "from_email": "a@example.org",
            },
        )  # fmt: skip
        make_template("hello")
        for n in range(5):
            make_queued(make_contact(email=f"ok{n}@example.com"))
        wire.silence()
        began = time.monotonic()
        delivery.deliver_batch(lambda: NOON)
        assert time.monotonic() - began < 15
        assert Message.objects.filter(state=State.QUEUED).count() == 5

        wire.speak()
        later = NOON + timedelta(hours=2)
        rescue.rescue(later)
        while delivery.deliver_batch(lambda: later):
            pass
        assert sorted(mail.recipient for mail in sink.mails) == [f"ok{n}@example.com" for n in range(5)]
        assert set(Message.objects.values_list("state", flat=True)) == {State.ACCEPTED}


def test_a_database_behind_a_silent_line_is_given_up_and_found_again() -> None:
    """As our connections are made: a dead line is noticed by the machine's own keep-alive and time limits."""
    address = urlsplit(database_url())
    with line(address.port or 0) as wire:
        given = connection.get_connection_params()
        given |= {"host": "127.0.0.1", "port": wire.port, "connect_timeout": 2}
        wire.silence()
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**given)
        assert time.monotonic() - began < 10

        wire.speak()
        with psycopg.connect(**given) as own:
            assert own.execute("SELECT 1").fetchone() == (1,)
            wire.cut()
            with pytest.raises(psycopg.OperationalError):
                own.execute("SELECT 1")
        with psycopg.connect(**given) as own:
            assert own.execute("SELECT 1").fetchone() == (1,)
