"""Answers of a provider that nobody has written down yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.conf import settings

from channels import delivery_record
from channels.delivery_claim import Claimed
from channels.providers.base import Provider, Result
from contacts import contention
from contacts.crashpoints import crashpoint

Clock = Callable[[], datetime]

#: Seconds for which a database that is away is waited for: less than a lease.
PATIENCE = min(20.0, settings.SEGUE_LEASE / 2)


class Answered:
    """What a provider has answered and nobody has written down yet: at most one chunk.

    It waits for the commit that marks the next chunk, so that a chunk costs one commit and not two. What was
    not simply accepted does not wait.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._kept: list[tuple[list[Claimed], dict[int, Result], datetime]] = []

    def keep(self, chunk: list[Claimed], answers: dict[int, Result], started_at: datetime) -> None:
        self._kept.append((chunk, answers, started_at))

    def write_in(self, clock: Clock) -> None:
        """Write it down in the caller's transaction; ``forget`` it once that is committed."""
        for chunk, answers, started_at in self._kept:
            delivery_record.results(
                chunk, answers, self._provider.account_id, started_at, clock(),
                honours_key=self._provider.honours_key, schedules=self._provider.schedules,
            )  # fmt: skip

    def forget(self) -> None:
        self._kept.clear()

    def write(self, clock: Clock) -> None:
        """Write it down; a database that is away for a moment is waited for, since nobody else knows."""
        contention.outlast(partial(self.write_in, clock), PATIENCE)
        crashpoint("deliver.recorded")
        self.forget()
