"""Pulses of contacts. None has a payload: each looks at its table and works off what is there."""

from __future__ import annotations

from celery import shared_task

from contacts import api_answers as keeping
from contacts import clock, consent, merging, pulse
from contacts import ingest as ingesting
from contacts import partitions as partitioning
from contacts import segments as following
from contacts.auditing import looking, telling
from contacts.consent import anchoring, verifying
from contacts.exchange import exporting, importing
from contacts.plan import observing
from contacts.privacy import copying, erasing
from contacts.privacy import retention as keeping_time

_LONGEST = 20.0
"Seconds after which a pulse lets others have its place; the next tick goes on."


@shared_task
def ingest() -> None:
    """Take accepted events from the inbox into profiles and the log."""
    taken = pulse.drain(
        lambda: ingesting.take_in(clock.now()),
        seconds=_LONGEST,
        full=ingesting.BATCH // 4,
        wakes=("segments", "triggers", "rollup"),
    )
    merging.sweep(clock.now())
    if taken:
        observing.trim(clock.now())


@shared_task
def segments() -> None:
    """Refresh segments whose rule changed, then follow the log."""
    following.ensure_current(clock.now())
    if pulse.drain(lambda: following.follow(clock.now()), seconds=_LONGEST):
        for reader in ("triggers", "rollup"):
            pulse.wake(reader)


@shared_task
def segment_clock() -> None:
    """Let time windows open and close."""
    if following.tick(clock.now()):
        for reader in ("segments", "triggers"):
            pulse.wake(reader)


@shared_task
def privacy() -> None:
    """Carry out what people asked about their own data: copies, erasures, and what late writers left."""
    copying.pulse(clock.now())
    if erasing.pulse(clock.now()):
        pulse.wake("segments")


@shared_task
def retention() -> None:
    """Let go what was kept long enough."""
    pulse.drain(lambda: keeping_time.enforce(clock.now()), seconds=_LONGEST)


@shared_task
def partitions() -> None:
    """Make the months that are about to be written to."""
    partitioning.ensure_all(clock.now())
    observing.trim(clock.now())


@shared_task
def api_answers() -> None:
    """Forget what was kept for requests that could have come again."""
    keeping.sweep(clock.now())


@shared_task
def consents() -> None:
    """Let consents end whose term is over."""
    if pulse.drain(lambda: consent.lapse(clock.now()), seconds=_LONGEST):
        pulse.wake("segments")


@shared_task
def consent_ledger() -> None:
    """Anchor what is new in the ledger, and walk through all of it once a day."""
    pulse.drain(lambda: anchoring.anchor(clock.now()), seconds=_LONGEST)
    pulse.drain(lambda: verifying.go_on(clock.now()), seconds=_LONGEST)


@shared_task
def exchange() -> None:
    """Work on imports and exports, and clear away files that nobody needs any more."""
    if importing.work(clock.now, seconds=_LONGEST):
        for reader in ("segments", "triggers", "rollup"):
            pulse.wake(reader)
    exporting.work(clock.now, seconds=_LONGEST)
    importing.undecided_since(clock.now())
    exporting.clear_away(clock.now())


@shared_task
def audit() -> None:
    """Look whether what is promised holds, and write to people where it does not or does again."""
    if looking.pulse(clock.now()):
        telling.tell(clock.now())
