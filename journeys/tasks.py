"""Pulses of journeys. None has a payload: each looks at the log or its table and works off what is there."""

from __future__ import annotations

from celery import shared_task

from contacts import clock, pulse
from journeys import calling, clockwork, redirecting
from journeys import engine as walking
from journeys import triggers as starting
from journeys.backtest import playing, running
from journeys.campaigns import running as broadcasting
from journeys.outlook import keeping

_LONGEST = 20.0
"Seconds after which a pulse lets others have its place; the next tick goes on."
_SHORT = 5.0
"The same for what nobody but a colleague waits for."


@shared_task
def triggers() -> None:
    """Start and wake runs from what is new in the log."""
    pulse.drain(
        lambda: starting.follow(clock.now()), seconds=_LONGEST, full=starting.BATCH // 4, wakes=("engine",)
    )


@shared_task
def inactivity() -> None:
    """Start runs for people nobody heard of."""
    if pulse.drain(lambda: starting.inactivity(clock.now()), seconds=_LONGEST):
        pulse.wake("engine")


@shared_task
def occasions() -> None:
    """Start runs whose schedule or date has come."""
    if pulse.drain(lambda: clockwork.tick(clock.now()), seconds=_LONGEST):
        pulse.wake("engine")


@shared_task
def campaigns() -> None:
    """Let campaigns begin and go on."""
    pulse.drain(lambda: broadcasting.tick(clock.now()), seconds=_LONGEST)


@shared_task
def calls() -> None:
    """Call the endpoints that runs wait for."""
    if pulse.drain(lambda: calling.make(clock.now()), seconds=_LONGEST):
        pulse.wake("engine")


@shared_task
def engine() -> None:
    """Move the runs that are due."""
    pulse.drain(
        lambda: walking.advance(clock.now()),
        seconds=_LONGEST,
        full=walking.BATCH // 10,
        wakes=("segments", "triggers", "calls", "rollup"),
    )


@shared_task
def redirects() -> None:
    """Move people as a publication asked for."""
    if pulse.drain(lambda: redirecting.redirect(clock.now()), seconds=_LONGEST):
        pulse.wake("engine")


@shared_task
def backtests() -> None:
    """Play journeys against the past, and forget answers that were kept long enough."""
    if playing.work(clock.now, seconds=_SHORT):
        pulse.wake("backtests")
    else:
        running.expire(clock.now())


@shared_task
def outlook() -> None:
    """Work out what the coming days bring, where that is too old or somebody asked."""
    keeping.work(clock.now())
