"""The hand-written way, to compare: a Celery task takes one step of one run and enqueues the next."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from django.db import transaction

from channels.models import Message, SandboxMessage
from contacts.models import Contact, Event
from journeys.models import Run, StepEntry

# Not the current app: that is the product's.
app = Celery("by_hand", broker=os.environ.get("BROKER_URL"), set_as_current=False)
app.conf.update(task_ignore_result=True, task_acks_late=True, task_default_queue="by_hand")


@app.task(name="by_hand.take_step")
def take_step(run_id: int) -> None:
    """Load, decide, save, enqueue the next. Waits count as over at once."""
    now = datetime.now(UTC)
    with transaction.atomic():
        run = Run.objects.select_for_update().select_related("version").get(pk=run_id)
        contact = Contact.objects.get(pk=run.contact_id)
        step: dict[str, Any] = run.version.graph["steps"][run.step]
        outcome, after = decide(run, contact, step, now)
        StepEntry.objects.create(
            at=now,
            slot=run.slot,
            contact_id=run.contact_id,
            run_id=run.pk,
            journey_id=run.journey_id,
            version_id=run.version_id,
            step=run.step,
            visit=run.visit,
            outcome=outcome,
        )
        run.visit += 1
        run.since, run.due_at = now, now
        if after is None:
            run.state, run.due_at, run.ended_at = Run.State.COMPLETED, None, now
        else:
            run.step = after
        run.save()
    if after is not None:
        take_step.delay(run_id)


def decide(run: Run, contact: Contact, step: dict[str, Any], now: datetime) -> tuple[str, str | None]:
    if step["type"] == "branch":
        (way,) = step["branches"]
        rule = way["if"]
        since = now - timedelta(days=int(rule["within"].split()[0]))
        found = Event.objects.filter(contact_id=contact.pk, name=rule["event"], occurred_at__gt=since)
        held = found.count() >= rule.get("count", {}).get("gte", 1)
        return ("did", way["next"]) if held else ("else", step["else"])
    if step["type"] == "send":
        Message.objects.create(
            created_at=now,
            slot=run.slot,
            contact=contact,
            key=uuid.uuid4(),
            origin_id=run.journey_id,
            origin_run=run.pk,
            origin_step=run.step,
            purpose=step["purpose"],
            wanted=step["channels"],
            content=step["content"],
            due_at=now,
        )
        return "intended", step["next"]
    return "waited", step.get("next")


@app.task(name="by_hand.handle_event")
def handle_event(contact_id: int, name: str, number: int, account_id: int) -> None:
    """Log one event; if it is the one that counts, write the message and hand it over, all at once."""
    now = datetime.now(UTC)
    contact = Contact.objects.get(pk=contact_id)
    Event.objects.create(
        contact_id=contact.pk,
        lane=contact.slot,
        slot=contact.slot,
        kind=1,
        name=name,
        occurred_at=now,
        received_at=now,
        message_id=uuid.uuid4().hex,
        properties={"number": number},
    )
    if name == "Signed Up":
        with transaction.atomic():
            SandboxMessage.objects.create(
                account_id=account_id,
                channel="email",
                address=contact.email,
                subject="Hello",
                headers={"number": number},
                received_at=datetime.now(UTC),
            )
