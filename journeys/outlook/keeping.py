"""Works out what is to come now and then, and keeps it: the calendar shows it with its time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, transaction

from channels.flow_rules import Warmup
from channels.models import ProviderAccount
from contacts import pulse, slots
from contacts.models import Contact, Segment
from journeys.backtest.forecast import AHEAD
from journeys.backtest.playing import only_read
from journeys.models import Outlook
from journeys.outlook import clashes, counting, expecting, house_clock, pressing
from journeys.outlook.clashes import Carrier
from journeys.outlook.expected import Gathered, Stopped

DAYS = AHEAD.days
#: It is worked out anew when it is older than this.
STALE = timedelta(hours=1)
#: About so many people are looked at: everybody, or a sample.
PEOPLE = 20_000
_SIZES = (64, 16, 4, 1)
_SECONDS = 120.0
"Seconds of playing after which the rest of the journeys is left out, and said to be."
_SEGMENTS = 30
_LOCK = 0x0CA1E


def chosen(people: int, most: int = PEOPLE) -> list[int]:
    """The lots to look at, spread over all of them, so that there are about ``most`` people at most."""
    lots = next((size for size in _SIZES if people * size / slots.SLOTS <= most), 1)
    step = slots.SLOTS // lots
    return [lot * step for lot in range(lots)]


def latest() -> Outlook | None:
    """What was last worked out."""
    return Outlook.objects.filter(pk=1, computed_at__isnull=False).first()


def ask(now: datetime) -> None:
    """Have it worked out anew soon."""
    Outlook.objects.update_or_create(pk=1, defaults={"asked_at": now})
    transaction.on_commit(lambda: pulse.wake("outlook"))


def work(now: datetime) -> bool:
    """Work it out where it is too old or somebody asked; returns whether it was done."""
    kept = Outlook.objects.filter(pk=1).first()
    if kept and kept.computed_at:
        fresh = kept.computed_at > now - STALE
        if fresh and not (kept.asked_at and kept.asked_at > kept.computed_at):
            return False
    if not _alone():
        return False
    try:
        began = time.monotonic()
        with transaction.atomic():
            only_read()
            lots, result = work_out(now)
        took = round(time.monotonic() - began, 2)
        told_anew = {"computed_at": now, "lots": len(lots), "seconds": took, "result": result}
        Outlook.objects.update_or_create(pk=1, defaults=told_anew)
    finally:
        _let_go()
    return True


def _alone() -> bool:
    """Whether nobody else is at it. The lock ends with the session, whatever happens."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        return bool((cursor.fetchone() or (False,))[0])


def _let_go() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def work_out(now: datetime, seconds: float = _SECONDS) -> tuple[list[int], dict[str, Any]]:
    """The lots that were looked at, and what the coming days bring, as for everybody. Reads alone."""
    lots = chosen(Contact.objects.count())
    gathered = expecting.gather(now, lots, seconds)
    return lots, told(gathered, now, slots.SLOTS // len(lots))


def told(gathered: Gathered, now: datetime, factor: int, *, alone: bool = False) -> dict[str, Any]:
    """``gathered`` as figures, ``factor`` times as many.

    Of one that is looked at ``alone``, what others send is known from the time that was played.
    """
    first = house_clock.today(now)
    segments, members = _members({one.contact_id for one in gathered.messages})
    rows = counting.by_segment(gathered.messages, members, factor)
    stopped = pressing.stopped(gathered.messages, now)
    if alone:
        known = {one.message for one in stopped}
        pressed = (one for one in gathered.messages if one.pressed and one not in known)
        stopped += [Stopped(one, "cap", "others") for one in pressed]
    return {
        "days": [f"{first + timedelta(days=number)}" for number in range(DAYS)],
        "origins": [origin.told() for origin in gathered.origins],
        "loads": counting.loads(gathered.messages, factor),
        "people": counting.people(gathered.messages, factor),
        "segments": [
            {"slug": slug, "name": name, "loads": rows.get(number, [])} for number, slug, name in segments
        ],
        "clashes": clashes.find(gathered.messages, stopped, carriers(first), factor),
        "unplayed": gathered.unplayed,
    }


def carriers(first: date) -> dict[str, Carrier]:
    """Channel -> how much its provider takes from ``first`` on: the first that is active carries it."""
    found: dict[str, Carrier] = {}
    days = [first + timedelta(days=number) for number in range(DAYS + 1)]
    for account in ProviderAccount.objects.filter(active=True).order_by("channel", "position", "name"):
        carrier = Carrier(account.rate_per_second, account.paused, _warming(account, days))
        found.setdefault(account.channel, carrier)
    return found


def _warming(account: ProviderAccount, days: Sequence[date]) -> dict[date, int]:
    """How many an account may send on each of these days on which it still warms up."""
    if account.warmup_from is None:
        return {}
    ramp = Warmup(account.warmup_from, account.warmup_first, account.warmup_growth, account.warmup_target)
    return {day: most for day in days if (most := ramp.allowed(day)) is not None}


def _members(contact_ids: set[int]) -> tuple[list[tuple[int, str, str]], dict[int, list[int]]]:
    """The largest segments, and to which of them people belong."""
    kept = Segment.objects.filter(active=True, archived_at__isnull=True).order_by("-size", "id")
    segments = list(kept.values_list("id", "slug", "name")[:_SEGMENTS])
    members: dict[int, list[int]] = {}
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT contact_id, segment_id FROM contacts_segmentmembership"
            " WHERE contact_id = ANY(%b::int8[]) AND segment_id = ANY(%b::int8[])",
            [sorted(contact_ids), [number for number, _slug, _name in segments]],
        )
        for contact_id, segment_id in cursor.fetchall():
            members.setdefault(contact_id, []).append(segment_id)
    return segments, members
