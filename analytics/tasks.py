"""Pulses of analytics. They carry no payload: each looks at the log and works through what is new."""

from __future__ import annotations

from celery import shared_task

from analytics import rollup
from analytics.predictions import learning
from contacts import clock, pulse


@shared_task(name="analytics.tasks.rollup")
def follow_log() -> None:
    """Bring the daily KPIs up to the log."""
    pulse.drain(lambda: rollup.follow(clock.now()), seconds=20, full=2_000)


@shared_task(name="analytics.tasks.predictions")
def learn() -> None:
    """Learn how people answer, by channel and hour: once a day, in small steps."""
    pulse.drain(lambda: learning.step(clock.now()), seconds=10)
