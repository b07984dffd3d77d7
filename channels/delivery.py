"""Delivery: claim, write, mark, hand over, record. The network is never inside a transaction.

A crash at any point leaves one of three things: a message that was not begun (its lease ends and it is
queued again), one that was recorded, or one marked ``transmitting``, of which nobody knows and which is
never sent again in silence (see channels.rescue).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from channels import delivery_claim, delivery_parcels, delivery_record, sealing
from channels.delivery_claim import Claimed
from channels.models import ProviderAccount
from channels.providers import PROVIDERS
from channels.providers.base import Outcome, Parcel, Provider, Result, every

Clock = Callable[[], datetime]

#: Seconds after which a busy thread lets another one of its process go on.
_TURN = 0.0005
#: How long a provider that cannot be reached is left alone.
_PAUSE = timedelta(seconds=30)
#: Seconds after which a lane begins no more chunks, so that what it has claimed does not wait for it.
_LONGEST = 10.0
_UNREACHABLE = frozenset({"connect", "timeout", "tls", "auth", "421", "settings"})


@dataclass(slots=True)
class _Lane:
    """The chunks of one account, taken by its threads one after the other until the provider is down."""

    account: ProviderAccount
    chunks: list[list[Claimed]]
    lock: threading.Lock = field(default_factory=threading.Lock)
    down: bool = False
    began: float = field(default_factory=time.monotonic)

    def take(self) -> list[Claimed] | None:
        with self.lock:
            if self.down or not self.chunks or time.monotonic() - self.began > _LONGEST:
                return None
            return self.chunks.pop()


class Crew:
    """Threads that deliver, each with its own connections to providers, kept between batches.

    With one connection everything happens in the caller's thread.
    """

    def __init__(self, connections: int = 4) -> None:
        self._connections = connections
        if connections > 1:
            # A thread whose server has answered must not wait 5 ms for another that is busy writing.
            sys.setswitchinterval(_TURN)
        self._pool = ThreadPoolExecutor(connections, "deliver") if connections > 1 else None
        self._own = threading.local()
        self._opened: list[Provider] = []
        self._lock = threading.Lock()

    def deliver(self, clock: Clock, *, limit: int = 256, share: bool = True) -> int:
        """One batch of due messages; returns how many were claimed. ``share`` leaves slots to others."""
        now = clock()
        by_channel = delivery_claim.accounts()
        messages = delivery_claim.claim(now, limit, by_channel, share=share)
        if not messages:
            return 0
        by_message = {
            message.id: account
            for message in messages
            if (account := delivery_claim.account_for(message, by_channel))
        }
        parcels, faults = delivery_parcels.pack(messages, by_message, now)
        delivery_record.faults(messages, faults, now)
        self._run(_lanes([m for m in messages if m.id in parcels], by_message), parcels, clock)
        return len(messages)

    def close(self) -> None:
        """End the threads and let go of every connection."""
        if self._pool is not None:
            self._pool.shutdown()
        with self._lock:
            for provider in self._opened:
                provider.close()
            self._opened.clear()

    def _run(self, lanes: Sequence[_Lane], parcels: dict[int, Parcel], clock: Clock) -> None:
        if self._pool is None:
            for lane in lanes:
                self._work(lane, parcels, clock)
        else:
            # Each account gets its share of threads, so that a slow provider does not hold up the others.
            share = max(1, self._connections // max(1, len(lanes)))
            futures = [
                self._pool.submit(self._work_apart, lane, parcels, clock)
                for lane in lanes
                for _thread in range(min(share, len(lane.chunks)))
            ]
            for future in futures:
                future.result()
        for lane in lanes:
            for chunk in lane.chunks:
                delivery_record.give_back(chunk, clock(), _PAUSE if lane.down else timedelta(0))

    def _work_apart(self, lane: _Lane, parcels: dict[int, Parcel], clock: Clock) -> None:
        try:
            self._work(lane, parcels, clock)
        except BaseException:
            # A thread's broken connection would stay with the thread.
            connection.close()
            raise

    def _work(self, lane: _Lane, parcels: dict[int, Parcel], clock: Clock) -> None:
        try:
            provider = self._provider(lane.account)
        except (sealing.SecretsUnreadableError, KeyError, ValueError) as error:
            lane.down = True
            self._refuse_all(lane, str(error), clock)
            return
        while chunk := lane.take():
            answers = self._hand_over(provider, chunk, parcels, clock)
            if answers and all(answer.code in _UNREACHABLE for answer in answers.values()):
                lane.down = True

    def _hand_over(
        self, provider: Provider, chunk: list[Claimed], parcels: dict[int, Parcel], clock: Clock
    ) -> dict[int, Result]:
        started_at = clock()
        by_id = {message.id: message for message in chunk}
        marked: set[int] = set()

        def mark(batch: Sequence[Parcel]) -> list[Parcel]:
            held = delivery_record.transmitting([by_id[parcel.message_id] for parcel in batch], clock())
            marked.update(held)
            return [parcel for parcel in batch if parcel.message_id in held]

        batch = [parcels[message.id] for message in chunk]
        try:
            answers = provider.send(batch, mark, started_at)
        except Exception as error:  # noqa: BLE001 (a provider's fault ends its chunk, not the others')
            # What was marked may have left; the rest cannot have.
            detail = f"{type(error).__name__}: {error}"[:500]
            answers = every(batch, Result(Outcome.TRY_LATER, "fault", detail))
            answers |= {one: Result(Outcome.UNCERTAIN, "fault", detail) for one in marked}
        delivery_record.results(
            chunk, answers, provider.account_id, started_at, clock(), honours_key=provider.honours_key
        )
        return answers

    def _refuse_all(self, lane: _Lane, words: str, clock: Clock) -> None:
        while lane.chunks:
            chunk = lane.chunks.pop()
            answers = {message.id: Result(Outcome.TRY_LATER, "settings", words) for message in chunk}
            delivery_record.results(chunk, answers, lane.account.id, clock(), clock(), honours_key=False)

    def _provider(self, account: ProviderAccount) -> Provider:
        """This thread's provider for ``account``, made anew when its settings have changed."""
        known: dict[int, tuple[object, Provider]] | None = getattr(self._own, "providers", None)
        if known is None:
            known = self._own.providers = {}
        version = (account.kind, account.secrets, repr(sorted(account.settings.items())))
        held = known.get(account.id)
        if held is not None and held[0] == version:
            return held[1]
        if held is not None:
            held[1].close()
        provider = PROVIDERS[account.kind](account.id, sealing.values_of(account))
        known[account.id] = (version, provider)
        with self._lock:
            self._opened.append(provider)
        return provider


def deliver_batch(clock: Clock, *, limit: int = 256) -> int:
    """One batch in the caller's thread, on any clock; returns how many messages were claimed."""
    crew = Crew(connections=1)
    try:
        return crew.deliver(clock, limit=limit, share=False)
    finally:
        crew.close()


def _lanes(messages: Sequence[Claimed], by_message: dict[int, ProviderAccount]) -> list[_Lane]:
    grouped: dict[int, list[Claimed]] = {}
    for message in messages:
        grouped.setdefault(by_message[message.id].id, []).append(message)
    lanes = []
    for group in grouped.values():
        account = by_message[group[0].id]
        size = PROVIDERS[account.kind].chunk if account.kind in PROVIDERS else 16
        lanes.append(_Lane(account, [group[at : at + size] for at in range(0, len(group), size)]))
    return lanes
