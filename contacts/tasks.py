"""Pulses of contacts. None has a payload: each looks at its table and works off what is there."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task

from contacts import ingest as ingesting
from contacts import partitions as partitioning
from contacts import pulse

_LONGEST = 20.0
"Seconds after which a pulse lets others have its place; the next tick goes on."


def _now() -> datetime:
    return datetime.now(UTC)


@shared_task
def ingest() -> None:
    """Take accepted events from the inbox into profiles and the log."""
    if ingesting.drain(_now, seconds=_LONGEST):
        for reader in ("segments", "triggers", "rollup"):
            pulse.wake(reader)


@shared_task
def partitions() -> None:
    """Make the months that are about to be written to."""
    partitioning.ensure_all(_now())
