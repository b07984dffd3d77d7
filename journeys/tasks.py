"""Pulses of journeys. None has a payload: each looks at the log or its table and works off what is there."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task

from contacts import pulse
from journeys import engine as walking
from journeys import triggers as starting

_LONGEST = 20.0
"Seconds after which a pulse lets others have its place; the next tick goes on."


def _now() -> datetime:
    return datetime.now(UTC)


@shared_task
def triggers() -> None:
    """Start and wake runs from what is new in the log."""
    if pulse.drain(lambda: starting.follow(_now()), seconds=_LONGEST):
        pulse.wake("engine")


@shared_task
def inactivity() -> None:
    """Start runs for people nobody heard of."""
    if pulse.drain(lambda: starting.inactivity(_now()), seconds=_LONGEST):
        pulse.wake("engine")


@shared_task
def engine() -> None:
    """Move the runs that are due."""
    if pulse.drain(lambda: walking.advance(_now()), seconds=_LONGEST):
        for reader in ("segments", "triggers", "rollup"):
            pulse.wake(reader)
