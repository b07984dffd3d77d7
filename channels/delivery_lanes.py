"""Claimed messages in lanes: those of one account, taken in groups by its threads until it is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from channels import flow, flow_rules, retry
from channels.delivery_claim import Claimed
from channels.flow import Gates
from channels.models import ProviderAccount
from channels.providers.base import Result

#: Seconds after which a lane begins no more groups, so that what it has claimed does not wait for it.
_LONGEST = 10.0
#: A group that took less than the first may be followed by a larger one; after the second, by a small one.
_QUICK, _SLOW = 0.25, 2.0
#: How long a provider that cannot be reached is left alone.
PAUSE = timedelta(seconds=30)
#: Seconds that a group may take before another thread joins.
PATIENCE = 0.15


@dataclass(slots=True)
class Lane:
    """The messages of one account, taken in groups by its threads until the provider is down."""

    account: ProviderAccount
    waiting: list[Claimed]
    known: Gates
    #: Its messages go to receiving domains that failed lately: one thread, for which nobody waits.
    slow: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    down: bool = False
    #: How long what it has not begun is left alone, once it is down.
    pause: timedelta = PAUSE
    began: float = field(default_factory=time.monotonic)
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def open(self) -> bool:
        """Whether another thread would find something to do."""
        return bool(self.waiting) and not self.down and time.monotonic() - self.began <= _LONGEST

    @property
    def stuck(self) -> bool:
        """Whether what was taken last has been under way for a while, and more waits."""
        return self.open and not self.fresh

    @property
    def fresh(self) -> bool:
        """Whether something was taken a moment ago."""
        return time.monotonic() - self.taken_at <= PATIENCE

    def take(self, most: int) -> list[Claimed]:
        """The next group; empty when there is none, or nothing more should be begun."""
        with self.lock:
            if not self.open:
                return []
            self.taken_at = time.monotonic()
            taken = self.waiting[-most:]
            del self.waiting[-most:]
            return taken

    def heed(self, answers: Collection[Result]) -> None:
        """Begin nothing more where it cannot be reached, or asked to be left alone for a while."""
        if wait := max((retry.believed(answer.retry_after) for answer in answers), default=0.0):
            self.pause, self.down = timedelta(seconds=wait), True
        elif answers and all(answer.code in flow.UNREACHABLE for answer in answers):
            self.down = True


class Pace:
    """How many messages are marked in one commit: that many can be uncertain after a crash.

    It grows while a provider takes them in no time, where a small group would cost more than it sends.
    """

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, max(least, most)
        self.size = least

    def took(self, count: int, seconds: float) -> None:
        if seconds > _SLOW:
            self.size = self._least
        elif seconds < _QUICK and count == self.size:
            self.size = min(2 * self.size, self._most)


def lanes(
    messages: Sequence[Claimed],
    by_message: dict[int, ProviderAccount],
    known: Gates,
    hushed: Collection[tuple[int, str]] = (),
) -> list[Lane]:
    """A lane for each account, and one beside it for the receiving domains that failed lately.

    ``hushed`` names those (of an account) that keep a connection silent just now.
    """
    grouped: dict[tuple[int, bool], list[Claimed]] = {}
    for message in messages:
        account = by_message[message.id]
        domain = flow_rules.domain_of(message.address)
        slow = known.troubled(account.id, domain) or (account.id, domain) in hushed
        grouped.setdefault((account.id, slow), []).append(message)
    return [
        Lane(by_message[group[0].id], group, known, slow) for (_account_id, slow), group in grouped.items()
    ]
