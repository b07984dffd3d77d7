"""Claimed messages in lanes: those of one account, taken by its threads until the provider is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from channels import flow, flow_rules
from channels.delivery_claim import Claimed
from channels.flow import Gates
from channels.models import ProviderAccount
from channels.providers import PROVIDERS
from channels.providers.base import Result

#: Seconds after which a lane begins no more chunks, so that what it has claimed does not wait for it.
_LONGEST = 10.0


@dataclass(slots=True)
class Lane:
    """The chunks of one account, taken by its threads one after the other until the provider is down."""

    account: ProviderAccount
    chunks: list[list[Claimed]]
    known: Gates
    #: Its messages go to receiving domains that failed lately: one thread, for which nobody waits.
    slow: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    down: bool = False
    began: float = field(default_factory=time.monotonic)

    def take(self) -> list[Claimed] | None:
        with self.lock:
            if self.down or not self.chunks or time.monotonic() - self.began > _LONGEST:
                return None
            return self.chunks.pop()


def turned_away(answer: Result) -> bool:
    return answer.code in flow.UNREACHABLE or (answer.retry_after is not None and answer.retry_after > 0)


def lanes(messages: Sequence[Claimed], by_message: dict[int, ProviderAccount], known: Gates) -> list[Lane]:
    """A lane for each account, and one beside it for the receiving domains that failed lately."""
    grouped: dict[tuple[int, bool], list[Claimed]] = {}
    for message in messages:
        account = by_message[message.id]
        slow = known.troubled(account.id, flow_rules.domain_of(message.address))
        grouped.setdefault((account.id, slow), []).append(message)
    found = []
    for (_account_id, slow), group in grouped.items():
        account = by_message[group[0].id]
        size = PROVIDERS[account.kind].chunk if account.kind in PROVIDERS else 16
        chunks = [group[at : at + size] for at in range(0, len(group), size)]
        found.append(Lane(account, chunks, known, slow))
    return found
