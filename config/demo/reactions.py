"""The invented part of what comes back: who opens and clicks, which machines fetch, which mails bounce."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.models import Hit, Message, TrackedLink
from config.demo.people import SEED, Person

_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
_DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36"
_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
_SCANNER = "python-requests/2.32"
#: Chances of what machines do to an email, and of a hard bounce.
_PROXIED, _SCANNED, _BOUNCED, _COMPLAINED, _LEAVES = 0.18, 0.04, 0.006, 0.0006, 0.004


@dataclass(order=True, slots=True)
class Coming:
    """A reaction that will happen at ``at``."""

    at: datetime
    number: int
    kind: str = field(compare=False)
    message: Message = field(compare=False)
    agent: str = field(compare=False, default="")
    person: Person | None = field(compare=False, default=None)


class Reactions:
    """Draws reactions to sent messages, and hands out those that are due."""

    def __init__(self, people: dict[int, Person]) -> None:
        self.people = people
        self.dice = random.Random(SEED + 1)  # noqa: S311 - a story, not a secret
        self.waiting: list[Coming] = []
        self.count = 0

    def expect(self, message: Message) -> None:
        """Draw what will happen to a message that was just accepted."""
        person = self.people.get(message.contact_id)
        if message.accepted_at is None or person is None:
            return
        at = message.accepted_at
        if message.channel == "email":
            if self.dice.random() < _BOUNCED:
                self._add(at + timedelta(minutes=2), "bounced", message)
                return
            self._machines(at, message)
        self._add(at + timedelta(seconds=self.dice.randint(1, 90)), "delivered", message)
        eager = {"email": 1.0, "push": 0.6, "sms": 1.2}.get(message.channel, 0.0)
        agent = self.dice.choice((_PHONE, _PHONE, _DESK))
        delay = timedelta(minutes=min(60 * 46, self.dice.lognormvariate(4.6, 1.3)) + 1)
        if message.channel == "email" and self.dice.random() < person.opens:
            self._add(at + delay, "open", message, agent, person)
        if self.dice.random() < person.clicks * eager:
            self._add(
                at + delay + timedelta(seconds=self.dice.randint(8, 90)), "click", message, agent, person
            )
        if message.channel == "email" and self.dice.random() < _LEAVES:
            self._add(at + delay + timedelta(minutes=3), "unsubscribe", message, agent, person)
        if message.channel == "email" and self.dice.random() < _COMPLAINED:
            self._add(at + delay, "complained", message)

    def due(self, now: datetime) -> list[Coming]:
        """Take out what has happened by ``now``, in order of time."""
        out = []
        while self.waiting and self.waiting[0].at <= now:
            out.append(heapq.heappop(self.waiting))
        return out

    def _machines(self, at: datetime, message: Message) -> None:
        if self.dice.random() < _PROXIED:
            self._add(at + timedelta(seconds=self.dice.randint(1, 20)), "open", message, _PROXY)
        if self.dice.random() < _SCANNED:
            self._add(at + timedelta(seconds=1), "open", message, _SCANNER)
            self._add(at + timedelta(seconds=1), "click", message, _SCANNER)

    def _add(
        self, at: datetime, kind: str, message: Message, agent: str = "", person: Person | None = None
    ) -> None:
        self.count += 1
        heapq.heappush(self.waiting, Coming(at, self.count, kind, message, agent, person))


def as_hits(coming: list[Coming]) -> list[Hit]:
    """Reactions as the raw hits that pixel, link and provider would have left."""
    link = TrackedLink.objects.order_by("pk").first()
    return [
        Hit(
            received_at=one.at,
            kind=one.kind,
            message_id=one.message.pk,
            message_created_at=one.message.created_at,
            link_id=link.pk if link and one.kind == "click" else None,
            provider_id=one.message.provider_id,
            receipt_key=f"demo-{one.number}",
            data=_data(one),
        )
        for one in coming
        if one.kind != "unsubscribe"
    ]


def _data(one: Coming) -> dict[str, Any]:
    return {"method": "GET", "agent": one.agent} if one.agent else {"demo": True}
