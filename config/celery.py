"""Celery, and the table of pulses.

A pulse is a task without payload that looks at its table and works off what is due. Losing, repeating or
running it twice at once does no harm. Whoever writes work wakes the next pulse (`contacts.pulse.wake`);
the ticks listed here are the safety net.
"""

import os
from typing import NamedTuple

from celery import Celery
from celery.signals import worker_process_init

from config.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("segue")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class Pulse(NamedTuple):
    name: str
    task: str
    every: int
    "Seconds between two ticks."


PULSES: tuple[Pulse, ...] = (
    Pulse("ingest", "contacts.tasks.ingest", 1),
    Pulse("segments", "contacts.tasks.segments", 1),
    Pulse("triggers", "journeys.tasks.triggers", 1),
    Pulse("engine", "journeys.tasks.engine", 1),
    Pulse("campaigns", "journeys.tasks.campaigns", 1),
    Pulse("decide", "channels.tasks.decide", 1),
    Pulse("deliver", "channels.tasks.deliver", 1),
    Pulse("engagement", "channels.tasks.engagement", 1),
    Pulse("rollup", "analytics.tasks.rollup", 5),
    Pulse("predictions", "analytics.tasks.predictions", 60),
    Pulse("exchange", "contacts.tasks.exchange", 5),
    Pulse("rescue", "channels.tasks.rescue", 10),
    Pulse("audit", "contacts.tasks.audit", 10),
    Pulse("segment_clock", "contacts.tasks.segment_clock", 60),
    Pulse("confirmations", "channels.tasks.confirmations", 10),
    Pulse("unmeasured", "channels.tasks.unmeasured", 60),
    Pulse("consents", "contacts.tasks.consents", 60),
    Pulse("decision_totals", "channels.tasks.decision_totals", 60),
    Pulse("inapp", "channels.tasks.inapp", 60),
    Pulse("audiences", "channels.tasks.audiences", 60),
    Pulse("mailboxes", "channels.tasks.mailboxes", 60),
    Pulse("text_gateways", "channels.tasks.text_gateways", 10),
    Pulse("products", "channels.tasks.products", 21_600),
    Pulse("redirects", "journeys.tasks.redirects", 10),
    Pulse("calls", "journeys.tasks.calls", 5),
    Pulse("occasions", "journeys.tasks.occasions", 30),
    Pulse("backtests", "journeys.tasks.backtests", 5),
    Pulse("outlook", "journeys.tasks.outlook", 60),
    Pulse("inactivity", "journeys.tasks.inactivity", 300),
    Pulse("api_answers", "contacts.tasks.api_answers", 900),
    Pulse("consent_ledger", "contacts.tasks.consent_ledger", 600),
    Pulse("privacy", "contacts.tasks.privacy", 10),
    Pulse("retention", "contacts.tasks.retention", 3600),
    Pulse("partitions", "contacts.tasks.partitions", 3600),
)

if os.environ.get("SEGUE_SUPERVISED"):
    # Children of a worker that was killed would go on without anybody to give them work or end them.
    worker_process_init.connect(lambda **_: die_with_parent(), weak=False)

# Where contacts.pulse.wake finds the task behind a name.
app.conf["pulses"] = {pulse.name: pulse.task for pulse in PULSES}
