"""Pulses of channels. None has a payload: each looks at its table and works off what is there."""

from __future__ import annotations

import time
from functools import partial

from celery import shared_task
from django.conf import settings

from channels import (
    audience_sync,
    best_sellers,
    confirming,
    deciding,
    delivery,
    hit_spool,
    ledger,
    mailbox,
    smpp_inbox,
    unmeasuring,
)
from channels import engagement as engaging
from channels import rescue as rescuing
from channels.inapp import withdrawing
from channels.providers import sandbox
from contacts import clock, pulse

_LONGEST = 20.0
"Seconds after which a pulse lets others have its place; the next tick goes on."

_LOOK = 0.2
"Seconds between two looks while a mail server is silent."

_crew: list[delivery.Crew] = []


@shared_task
def decide() -> None:
    """Ask the policy about every message that is due."""
    pulse.drain(lambda: deciding.decide_batch(clock.now()), seconds=_LONGEST)


@shared_task
def decision_totals() -> None:
    """Put together the loose totals of the ledger."""
    pulse.drain(ledger.fold, seconds=_LONGEST)


@shared_task
def deliver() -> None:
    """Hand over what is due. Connections to providers are kept by the worker process."""
    if not _crew:
        _crew.append(delivery.Crew())
    end = time.monotonic() + _LONGEST
    done = pulse.drain(partial(_crew[0].deliver, clock.now), seconds=_LONGEST)
    # While threads wait for a silent server, this worker stays at its place and takes what else comes.
    while _crew[0].waits(_LOOK) and time.monotonic() < end:
        done += _crew[0].deliver(clock.now)
    if done:
        for reader in ("triggers", "rollup"):
            pulse.wake(reader)


@shared_task
def rescue() -> None:
    """Look after messages whose worker has not been heard of, and tidy the sandbox."""
    if rescuing.rescue(clock.now()):
        pulse.wake("deliver")
    sandbox.trim(clock.now())


@shared_task
def engagement() -> None:
    """Class what came back: opens, clicks and providers' receipts."""
    # What web processes of this machine wrote down before they died.
    hit_spool.bring_in(settings.SEGUE_SPOOL)
    if pulse.drain(lambda: engaging.absorb(clock.now()), seconds=_LONGEST):
        for reader in ("segments", "triggers", "rollup"):
            pulse.wake(reader)


@shared_task
def confirmations() -> None:
    """Send the links of double opt-ins."""
    if pulse.drain(lambda: confirming.send(clock.now()), seconds=_LONGEST):
        pulse.wake("decide")


@shared_task
def unmeasured() -> None:
    """Take what was measured off the names of people who withdrew their consent to it."""
    if pulse.drain(lambda: unmeasuring.follow(clock.now()), seconds=_LONGEST):
        pulse.wake("segments")


@shared_task
def inapp() -> None:
    """Take back in-app messages that nobody has seen and that should not be shown any more."""
    if pulse.drain(lambda: withdrawing.withdraw(clock.now()), seconds=_LONGEST):
        for reader in ("triggers", "rollup"):
            pulse.wake(reader)


@shared_task
def products() -> None:
    """Count anew what is bought most."""
    best_sellers.count(clock.now())


@shared_task
def audiences() -> None:
    """Tell destinations who joined and who left their audiences."""
    pulse.drain(lambda: audience_sync.sync(clock.now()), seconds=_LONGEST)


@shared_task
def mailboxes() -> None:
    """Read the mailboxes to which bounces and answers come."""
    if mailbox.poll(clock.now()):
        pulse.wake("engagement")


@shared_task
def text_gateways() -> None:
    """Fetch receipts and people's texts from gateways that keep them for us."""
    if smpp_inbox.poll(clock.now()):
        pulse.wake("engagement")
