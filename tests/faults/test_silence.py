"""Lines that go silent: nobody waits for ever, and everything goes on when they speak again."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from django.db import connection

from channels import delivery, rescue
from channels.models import Message
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template
from tests.faults.conftest import Tally
from tests.faults.matrix import WHOLE
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


def _same(now: datetime) -> datetime:
    return now


def test_silence_over_and_over_leaves_no_thread_and_no_memory_behind(tally: Tally) -> None:
    """The line to the mail server goes silent again and again; each time all goes on within seconds."""
    rounds, people = (20, 20) if WHOLE else (3, 5)
    with smtp_sink() as sink, line(sink.port) as wire:
        values = {"host": "127.0.0.1", "port": wire.port, "security": "none", "timeout": 1}
        make_provider("email", name="smtp", kind="smtp", settings={**values, "from_email": "a@example.org"})
        make_template("hello")
        crew = delivery.Crew(connections=2)
        process, seconds, now = psutil.Process(), list[float](), NOON
        try:
            for turn in range(rounds):
                for n in range(people):
                    make_queued(make_contact(email=f"ok{turn}-{n}@example.com"), now=now)
                wire.silence()
                crew.deliver(partial(_same, now), share=False)
                wire.speak()
                if turn == 0:
                    threads, memory = threading.active_count(), process.memory_info().rss
                began = time.monotonic()
                # Hours must not pass for threads that have some in hand, waiting for what was silent.
                while crew.waits(0.1):
                    assert time.monotonic() - began < 10
                now += timedelta(hours=2)
                rescue.rescue(now)
                while Message.objects.exclude(state=State.ACCEPTED).exists():
                    assert crew.deliver(partial(_same, now), share=False) or crew.waits(0.1)
                seconds.append(time.monotonic() - began)
        finally:
            crew.close()
        assert len(sink.mails) == len({mail.recipient for mail in sink.mails}) == rounds * people
        # The line's own carriers come and go.
        assert threading.active_count() <= threads + 4
        assert process.memory_info().rss - memory < 20 * 2**20
        assert max(seconds) < 10
    tally(things=rounds * people, seconds=max(seconds))
