from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from channels.models import Message
from config.celery import PULSES, app
from journeys import tasks
from journeys.models import Run
from tests.factories import log_event, make_contact, make_version

SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}


def test_every_pulse_of_the_table_is_a_task_of_this_room() -> None:
    ours = {pulse.task for pulse in PULSES if pulse.task.startswith("journeys.")}
    named = (
        tasks.triggers,
        tasks.inactivity,
        tasks.occasions,
        tasks.calls,
        tasks.engine,
        tasks.redirects,
        tasks.backtests,
        tasks.outlook,
        tasks.campaigns,
    )
    assert ours == {each.name for each in named}
    assert ours <= app.tasks.keys()


@pytest.mark.django_db(transaction=True)
def test_an_event_becomes_a_wish_by_two_pulses() -> None:
    make_version({"trigger": {"event": "Cart"}, "start": "mail", "steps": {"mail": SEND}})
    contact = make_contact()
    log_event(contact, "Cart", datetime.now(UTC))
    tasks.triggers()
    tasks.engine()
    assert Message.objects.get().contact_id == contact.id
    assert Run.objects.get().state == Run.State.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_the_pulse_of_the_quiet_finds_them() -> None:
    graph = {"trigger": {"inactive_days": 60}, "start": "mail", "steps": {"mail": SEND}}
    make_version(graph)
    make_contact(last_seen_at=datetime.now(UTC) - timedelta(days=61))
    tasks.inactivity()
    assert Run.objects.count() == 1
