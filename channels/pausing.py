"""Holding a way out back by hand: one provider account, or every account of a channel."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from channels.models import ProviderAccount
from contacts import pulse, statements

#: Messages touched by one statement.
BATCH = 5_000
_LONGEST = 3.0


def pause(accounts: Sequence[ProviderAccount]) -> list[ProviderAccount]:
    """Let the messages of these accounts wait; returns those that were not paused yet."""
    return _move(accounts, paused=True)


def resume(accounts: Sequence[ProviderAccount], now: datetime) -> list[ProviderAccount]:
    """Let them send again, at once also what was held for them; returns those that were paused."""
    moved = _move(accounts, paused=False)
    if moved:
        look_again({account.channel for account in moved}, now)
    return moved


def look_again(channels: set[str], now: datetime) -> None:
    """Let what waits for a paused provider of these channels be decided about and handed over now.

    For a few seconds at most, so that nothing is locked for long: what is left then is looked at within a
    quarter of an hour, as if nobody had said so.
    """
    end = time.monotonic() + _LONGEST
    more = True
    while more and time.monotonic() < end:
        more = statements.run(_LOOK_AGAIN, [now, sorted(channels), BATCH, now]) == BATCH
    for name in ("decide", "deliver"):
        transaction.on_commit(partial(pulse.wake, name))


def _move(accounts: Sequence[ProviderAccount], *, paused: bool) -> list[ProviderAccount]:
    concerned = [account for account in accounts if account.paused is not paused]
    ids = [account.pk for account in concerned]
    ProviderAccount.objects.filter(pk__in=ids).update(paused=paused)
    for account in concerned:
        account.paused = paused
    return concerned


# Who decides about one of them just now does not wait for us, nor we for them: it is looked at anyway.
_LOOK_AGAIN = """
WITH held AS (
    SELECT m.id, m.created_at FROM channels_message m
    WHERE m.slot BETWEEN 0 AND 63 AND m.state = 2 AND m.due_at > %b AND m.reason = 'paused'
      AND m.channel = ANY(%b::text[])
    ORDER BY m.id LIMIT %b FOR UPDATE SKIP LOCKED)
UPDATE channels_message m SET due_at = %b FROM held
WHERE m.id = held.id AND m.created_at = held.created_at AND m.state = 2
"""
