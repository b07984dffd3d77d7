"""Delivery: claim, write, mark, hand over, record. The network is never inside a transaction.

A crash at any point leaves one of three things: a message that was not begun (its lease ends and it is
queued again), one that was recorded, or one marked ``transmitting``, of which nobody knows and which is
never sent again in silence (see channels.rescue).
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from django.db import connection, transaction

from channels import (
    delivery_answers,
    delivery_claim,
    delivery_parcels,
    delivery_record,
    flow,
    lifecycle,
    sealing,
)
from channels.delivery_answers import Answered, Clock
from channels.delivery_claim import Claimed
from channels.delivery_lanes import PATIENCE, Lane, Pace, lanes
from channels.models import ProviderAccount
from channels.providers import PROVIDERS
from channels.providers.base import Outcome, Parcel, Provider, Result, every
from contacts import contention
from contacts.crashpoints import crashpoint

#: Seconds after which a busy thread lets another one of its process go on.
_TURN = 0.0005
#: How long what the store failed to mark is left alone.
_STORE_PAUSE = timedelta(seconds=2)


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
        self._aside: ThreadPoolExecutor | None = None
        self._slow: Future[None] | None = None
        self._late: list[Future[None]] = []
        self._own = threading.local()
        self._opened: list[Provider] = []
        self._lock = threading.Lock()

    def deliver(self, clock: Clock, *, limit: int = 512, share: bool = True) -> int:
        """One batch of due messages; returns how many were claimed. ``share`` leaves slots to others.

        Nothing but silent providers may be left to wait for when it returns.
        """
        # What is claimed must not wait for threads that wait for somebody silent: others can take it.
        self._free()
        now = clock()
        by_channel = delivery_claim.accounts()
        known = delivery_claim.gates(by_channel)
        messages = delivery_claim.claim(now, limit, by_channel, share=share, known=known)
        if not messages:
            return 0
        by_message = {
            message.id: account
            for message in messages
            if (account := delivery_claim.account_for(message, by_channel))
        }
        parcels, faults = delivery_parcels.pack(messages, by_message, now)
        delivery_record.faults(messages, faults, now)
        going = [message for message in messages if message.id in parcels]
        self._run(lanes(going, by_message, known, self._hushed()), parcels, clock)
        return len(messages)

    def waits(self, seconds: float) -> bool:
        """Whether, after so many seconds at most, threads still wait for a provider that is silent."""
        return bool(wait(self._late, seconds).not_done)

    def close(self) -> None:
        """End the threads and let go of every connection."""
        for pool in (self._pool, self._aside):
            if pool is not None:
                pool.shutdown()
        with self._lock:
            for provider in self._opened:
                provider.close()
            self._opened.clear()

    def _run(self, every: Sequence[Lane], parcels: dict[int, Parcel], clock: Clock) -> None:
        if self._pool is None:
            for lane in every:
                self._work(lane, parcels, clock)
                self._leave(lane, clock)
            return
        quick = [lane for lane in every if not lane.slow and lane.waiting]
        for lane in every:
            if lane.slow:
                self._work_aside(lane, parcels, clock)
        # Each account gets its share of threads, so that a slow provider does not hold up the others. They
        # join where those at work wait for the provider: where it is quick, one alone is never in the way.
        share = max(1, self._free() // max(1, len(quick)))
        futures = [self._pool.submit(self._work_apart, lane, parcels, clock) for lane in quick]
        joined = Counter(lane.account.id for lane in quick)
        while left := wait(futures, PATIENCE).not_done:
            if not any(lane.open or lane.fresh for lane in quick):
                # Only a provider is waited for, and nobody else has to wait for it.
                self._late += left
                futures = [future for future in futures if future not in left]
                break
            for lane in quick:
                if lane.stuck and joined[lane.account.id] < share:
                    joined[lane.account.id] += 1
                    futures.append(self._pool.submit(self._work_apart, lane, parcels, clock))
        for future in futures:
            future.result()
        for lane in quick:
            self._leave(lane, clock)

    def _free(self) -> int:
        """How many threads are free; one at least, when need be after a while."""
        for future in self._late:
            if future.done():
                future.result()  # what went wrong there is told here
        self._late = [future for future in self._late if not future.done()]
        if len(self._late) >= self._connections:
            wait(self._late, return_when=FIRST_COMPLETED)
            return self._free()
        return self._connections - len(self._late)

    def _hushed(self) -> set[tuple[int, str]]:
        """Receiving domains, by account, that keep connections of this worker silent just now."""
        now = time.monotonic()
        with self._lock:
            opened = list(self._opened)
        return {
            (provider.account_id, domain)
            for provider in opened
            for domain, until in list(provider.silent.items())
            if until > now
        }

    def _work_aside(self, lane: Lane, parcels: dict[int, Parcel], clock: Clock) -> None:
        """Let a thread of its own work a slow lane off while others go on; one such lane at a time."""

        def work() -> None:
            try:
                self._work(lane, parcels, clock)
                self._leave(lane, clock)
            finally:
                # It is seldom needed, so it keeps no connection to the database.
                connection.close()

        if self._aside is None:
            self._aside = ThreadPoolExecutor(1, "deliver-slow")
        if self._slow is not None and not self._slow.done():
            delivery_record.give_back(lane.waiting, clock(), lane.pause)
            return
        if self._slow is not None:
            self._slow.result()  # what went wrong there is told here
        self._slow = self._aside.submit(work)

    @staticmethod
    def _leave(lane: Lane, clock: Clock) -> None:
        """Give back what a lane has not begun."""
        if lane.waiting:
            delivery_record.give_back(lane.waiting, clock(), lane.pause if lane.down else timedelta(0))

    def _work_apart(self, lane: Lane, parcels: dict[int, Parcel], clock: Clock) -> None:
        # A thread may have slept while the database began anew.
        if connection.connection is not None and not connection.is_usable():
            connection.close()
        try:
            self._work(lane, parcels, clock)
        except BaseException:
            # A thread's broken connection would stay with the thread.
            connection.close()
            raise

    def _work(self, lane: Lane, parcels: dict[int, Parcel], clock: Clock) -> None:
        try:
            provider, pace = self._provider(lane.account)
        except (sealing.SecretsUnreadableError, KeyError, ValueError) as error:
            lane.down = True
            self._refuse_all(lane, str(error), clock)
            return
        answered = Answered(provider)
        with lifecycle.prepared():
            try:
                while chunk := lane.take(pace.size):
                    began = time.monotonic()
                    answers = self._hand_over(provider, chunk, parcels, clock, answered)
                    pace.took(len(chunk), time.monotonic() - began)
                    addresses = {message.id: message.address for message in chunk}
                    flow.note(lane.account, answers, addresses, lane.known, clock())
                    lane.heed(answers.values())
            finally:
                answered.write(clock)

    def _hand_over(
        self,
        provider: Provider,
        chunk: list[Claimed],
        parcels: dict[int, Parcel],
        clock: Clock,
        answered: Answered,
    ) -> dict[int, Result]:
        started_at = clock()
        by_id = {message.id: message for message in chunk}
        marked: set[int] = set()

        def mark(batch: Sequence[Parcel]) -> list[Parcel]:
            going = [by_id[parcel.message_id] for parcel in batch]
            # What became of the chunk before is written down in the same commit.
            with transaction.atomic():
                answered.write_in(clock)
                held = delivery_record.transmitting(going, clock())
            answered.forget()
            crashpoint("deliver.transmitting")
            marked.update(held)
            return [parcel for parcel in batch if parcel.message_id in held]

        batch = [parcels[message.id] for message in chunk]
        try:
            answers = provider.send(batch, mark, started_at)
        except Exception as error:  # noqa: BLE001 (a provider's fault ends its chunk, not the others')
            # What was marked may have left; the rest cannot have.
            detail = f"{type(error).__name__}: {error}"[:500]
            if isinstance(error, contention.STORE_FAULTS):
                # Nor was it an attempt: the provider was not to blame, nor even asked.
                _return([message for message in chunk if message.id not in marked], clock)
                answers = {}
            else:
                answers = every(batch, Result(Outcome.TRY_LATER, "fault", detail))
            answers |= {one: Result(Outcome.UNCERTAIN, "fault", detail) for one in marked}
        answered.keep(chunk, answers, started_at)
        if any(answer.outcome is not Outcome.ACCEPTED for answer in answers.values()):
            answered.write(clock)
        return answers

    def _refuse_all(self, lane: Lane, words: str, clock: Clock) -> None:
        refused, lane.waiting = lane.waiting, []
        answers = {message.id: Result(Outcome.TRY_LATER, "settings", words) for message in refused}
        delivery_record.results(refused, answers, lane.account.id, clock(), clock(), honours_key=False)

    def _provider(self, account: ProviderAccount) -> tuple[Provider, Pace]:
        """This thread's provider for ``account``, made anew when its settings have changed, and its pace."""
        known: dict[int, tuple[object, Provider, Pace]] | None = getattr(self._own, "providers", None)
        if known is None:
            known = self._own.providers = {}
        version = (account.kind, account.secrets, repr(sorted(account.settings.items())))
        held = known.get(account.id)
        if held is not None and held[0] == version:
            return held[1:]
        if held is not None:
            held[1].close()
        provider = PROVIDERS[account.kind](account.id, sealing.values_of(account))
        pace = Pace(provider.chunk, provider.largest)
        known[account.id] = (version, provider, pace)
        with self._lock:
            self._opened.append(provider)
        return provider, pace


def _return(messages: Sequence[Claimed], clock: Clock) -> None:
    """Give back what the store's failure kept from being begun, even if it was marked without our knowing."""

    def act() -> None:
        delivery_record.give_back(messages, clock(), _STORE_PAUSE, marked=True)

    contention.outlast(act, delivery_answers.PATIENCE)


def deliver_batch(clock: Clock, *, limit: int = 256) -> int:
    """One batch in the caller's thread, on any clock; returns how many messages were claimed."""
    crew = Crew(connections=1)
    try:
        return crew.deliver(clock, limit=limit, share=False)
    finally:
        crew.close()
