"""Play the ready-made journeys over the last days on a virtual clock, into the sandbox.

The acts are those of the live pulses, in their order, at a time that is passed in: nothing here knows
how a journey runs. What is invented is in ``visits`` and ``reactions``.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from analytics import rollup
from channels import actors, deciding, delivery, engagement, unsubscribing
from channels.models import Hit, Message
from config.demo import history, loading, scenery
from config.demo.loading import PLAY_DAYS, Stage
from config.demo.progress import Progress
from config.demo.reactions import Coming, Reactions, as_hits
from config.demo.visits import Told, Visits
from contacts import ingest, segments, starter_consent, starter_purposes
from contacts.models import Contact
from contacts.preferences import Grant
from journeys import engine, triggers

_TICK = timedelta(hours=2)
_LIMIT = 5_000


@dataclass(frozen=True, slots=True)
class Played:
    """How the play went."""

    events: int
    messages: int
    seconds: float


def play(stage: Stage, now: datetime) -> Played:
    """Play from ``stage.begins`` to ``now``."""
    started = time.monotonic()
    ids = scenery.contact_ids(stage.people.values())
    by_contact = {ids[p.user_id]: p for p in stage.people.values() if p.user_id in ids}
    starter_purposes.load()
    starter_consent.load(stage.begins)
    scenery.allow(stage.people.values(), ids, stage.begins)
    products = history.products(240)
    scenery.furnish(stage.begins, products[:6])
    visits = Visits(list(stage.people.values()), products)
    orders = [event for _source, event in stage.ahead if event.name == "Order Completed"]
    invented = visits.all(stage.begins, PLAY_DAYS, orders)
    story = sorted(stage.ahead + invented, key=lambda told: told[1].occurred_at)
    return _Stagehand(stage, story, Reactions(by_contact), visits).run(now, started)


class _Stagehand:
    """Moves the virtual clock and calls each act in turn."""

    def __init__(self, stage: Stage, story: list[Told], reactions: Reactions, visits: Visits) -> None:
        self.stage, self.story, self.reactions, self.visits = stage, story, reactions, visits
        self.times = [told[1].occurred_at for told in story]
        self.at = 0
        self.extra: list[Told] = []
        self.seen_until = stage.begins
        people = Contact.objects.filter(pk__in=reactions.people)
        self.public_ids = dict(people.values_list("pk", "public_id"))
        self.messages = 0

    def run(self, now: datetime, started: float) -> Played:
        ticks = int((now - self.stage.begins) / _TICK)
        with Progress(f"Playing the last {PLAY_DAYS} days", ticks, "steps") as progress:
            for tick in range(1, ticks):
                # Nothing in life happens on the hour.
                past = timedelta(seconds=self.reactions.dice.randint(0, 3_000))
                self.tick(self.stage.begins + tick * _TICK + past)
                progress.add(1)
            self.tick(now)
        settle(lambda: rollup.follow(now, _LIMIT))
        return Played(self.at, self.messages, time.monotonic() - started)

    def tick(self, now: datetime) -> None:
        """One hour: what happened comes in, the loop turns, reactions come back."""
        self._tell(now)
        self._react(now)
        settle(lambda: ingest.take_in(now, limit=_LIMIT))
        self._turn(now)
        if now.astimezone(UTC).hour // 2 == 3:
            self._daily(now)
        for message in Message.objects.filter(accepted_at__gt=self.seen_until, accepted_at__lte=now):
            self.reactions.expect(message)
            self.messages += 1
        self.seen_until = now

    def _turn(self, now: datetime) -> None:
        settle(lambda: segments.follow(now, _LIMIT))
        settle(lambda: triggers.follow(now, _LIMIT))
        exhaust(lambda: engine.advance(now, _LIMIT))
        exhaust(lambda: deciding.decide_batch(now, _LIMIT))
        settle(lambda: delivery.deliver_batch(lambda: now, limit=_LIMIT))

    def _daily(self, now: datetime) -> None:
        segments.tick(now)
        triggers.inactivity(now)
        settle(lambda: rollup.follow(now, _LIMIT))

    def _tell(self, now: datetime) -> None:
        until = bisect_right(self.times, now)
        due = self.story[self.at : until] + [told for told in self.extra if told[1].occurred_at <= now]
        self.extra = [told for told in self.extra if told[1].occurred_at > now]
        self.at = until
        if due:
            loading.put(due, self.stage.sources, now)

    def _react(self, now: datetime) -> None:
        due = self.reactions.due(now)
        if not due:
            return
        Hit.objects.bulk_create(as_hits(due))
        settle(lambda: engagement.absorb(now + actors.SETTLED, _LIMIT))
        for one in due:
            self._follow_up(one, now)

    def _follow_up(self, one: Coming, now: datetime) -> None:
        """A click brings a visit; some people leave."""
        if one.person is None:
            return
        if one.kind == "click":
            self.extra += self.visits.visit(one.person, one.at, of=one.message.origin_step)
        elif one.kind == "unsubscribe":
            grant = Grant(
                self.public_ids[one.message.contact_id], "email", one.message.purpose, one.message.key
            )
            unsubscribing.unsubscribe(grant, one.at, origin="one-click", proof={"demo": "invented"})


def settle(act: Callable[[], int]) -> None:
    """Repeat a pulse's act until it no longer fills its batch."""
    while act() >= _LIMIT:
        continue


def exhaust(act: Callable[[], int]) -> None:
    """Repeat an act that takes only a share of the slots at a time until it finds nothing."""
    while act():
        continue
