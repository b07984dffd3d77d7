"""Take accepted events from the inbox into profiles and the log, a batch at a time.

One batch is one short transaction with a constant number of statements: lease lanes, take items out,
keep the first of each message id, find or create the contacts, merge traits, append to the log, set aside
what cannot be read, count. A crash anywhere before the commit leaves the items in the inbox.
"""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from contacts import (
    carried_consent,
    contention,
    event_log,
    identity_rules,
    inbox,
    once,
    pulse,
    visits,
)
from contacts.arrivals import Arrival, InboxItem, read
from contacts.crashpoints import crashpoint
from contacts.event_log import NewEvent
from contacts.identifier_kinds import Kinds
from contacts.identity import Resolved
from contacts.intake_event import Rejection, rejection_parts
from contacts.plan import observing, touchpoints
from contacts.privacy import tombstones
from contacts.recognising import People, recognise

BATCH = 1_000
MOST_LANES = 32
"Of the lanes with work, so that other workers find some too."
_TRIES = 8
_LONGEST_PAUSE = 0.05
"Seconds before a contended batch is taken again."

logger = logging.getLogger(__name__)


class _PoisonedError(Exception):
    """Taking these items in failed for a reason that lies in at least one of them."""

    def __init__(self, items: Sequence[InboxItem], error: Exception) -> None:
        super().__init__(f"{len(items)} items: {error}")
        self.ids = [item.id for item in items]
        self.error = error


def take_in(now: datetime, *, limit: int = BATCH) -> int:
    """Take in one batch of about ``limit`` items; returns how many. 0: no work, or all in other hands.

    Raises what the database raises when it is away; the items stay in the inbox.
    """

    def choose() -> list[InboxItem]:
        lanes = inbox.lease(MOST_LANES)
        return inbox.take(lanes, limit) if lanes else []

    try:
        return _attempt(choose, now)
    except _PoisonedError as poisoned:
        return _take_apart(poisoned, now)


def drain(now: Callable[[], datetime], *, seconds: float, limit: int = BATCH) -> int:
    """Take in batches until nothing is left or ``seconds`` have passed; returns how many items."""
    return pulse.drain(lambda: take_in(now(), limit=limit), seconds=seconds)


def _attempt(choose: Callable[[], list[InboxItem]], now: datetime) -> int:
    """Take in what ``choose`` takes out of the inbox, in one transaction; again if others were in the way."""
    for _try in range(_TRIES):
        items: list[InboxItem] = []
        try:
            with transaction.atomic():
                items = choose()
                if items:
                    _handle(items, now)
                crashpoint("ingest.before_commit")
            crashpoint("ingest.after_commit")
            return len(items)
        except Exception as error:
            if contention.lost_a_race(error):
                time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 (no secret)
            elif not items or not contention.lies_in_the_data(error):
                raise
            else:
                raise _PoisonedError(items, error) from error
    logger.warning("A batch met other workers %s times; it is left for the next pulse.", _TRIES)
    return 0


def _take_apart(poisoned: _PoisonedError, now: datetime) -> int:
    """Halve a failing batch until the poison stands alone; it becomes a dead letter, the others go in."""
    logger.warning("Looking for the event that spoils a batch of %s", poisoned)
    if len(poisoned.ids) == 1:
        return _set_aside(poisoned, now)
    middle = len(poisoned.ids) // 2
    done = 0
    for half in (poisoned.ids[:middle], poisoned.ids[middle:]):
        try:
            done += _attempt(lambda half=half: inbox.take_these(half), now)  # type: ignore[misc]
        except _PoisonedError as smaller:
            done += _take_apart(smaller, now)
    return done


def _set_aside(poisoned: _PoisonedError, now: datetime) -> int:
    with transaction.atomic():
        items = inbox.take_these(poisoned.ids)
        reason = Rejection("ingest_error", f"{type(poisoned.error).__name__}: {poisoned.error}")
        inbox.set_aside((item, reason) for item in items)
        inbox.count((item, "rejected") for item in items)
    return len(items)


def _handle(items: Sequence[InboxItem], now: datetime) -> None:
    kinds = identity_rules.current()
    readable, rejected = _read(items, kinds)
    places = touchpoints.load({item.source_id for item in items})
    present, erased = _without_the_erased(readable)
    judged = observing.judge(present, places)
    arrivals = judged.admitted
    first = _first_of_each(arrivals, now)
    accepted = [arrival for arrival in arrivals if arrival.item.id in first]
    if accepted:
        visits.name_messages(accepted)
        people = recognise(accepted, now, kinds)
        crashpoint("ingest.inside")
        event_log.append(
            itertools.chain(_log_lines(accepted, people.resolved), _log_changes(accepted, people, now))
        )
        doubts = carried_consent.record(accepted, people.resolved.contacts, places, now)
        for item_id, problems in doubts.items():
            judged.problems.setdefault(item_id, []).extend(problems)
    observing.keep(judged, first, rejected)
    rejected += judged.letters()
    inbox.set_aside(rejected)
    outcomes = [
        (arrival.item, "accepted" if arrival.item.id in first else "duplicate") for arrival in arrivals
    ]
    # Of who was erased nothing is kept, not even the reason.
    inbox.count(outcomes + [(item, "rejected") for item in [*(item for item, _reason in rejected), *erased]])


def _without_the_erased(arrivals: Sequence[Arrival]) -> tuple[list[Arrival], list[InboxItem]]:
    """Arrivals with the identifiers by which they may be written, and the items of people who were erased."""
    allowed = tombstones.screen([one.candidate() for one in arrivals])
    kept, erased = [], []
    for arrival, identifiers in zip(arrivals, allowed, strict=True):
        if identifiers:
            arrival.identifiers = identifiers
            kept.append(arrival)
        else:
            erased.append(arrival.item)
    return kept, erased


def _read(
    items: Iterable[InboxItem], kinds: Kinds
) -> tuple[list[Arrival], list[tuple[InboxItem, Rejection]]]:
    arrivals, rejected = [], []
    for item in items:
        found = Rejection(*rejection_parts(item.rejection)) if item.rejection else read(item, kinds)
        if isinstance(found, Arrival):
            arrivals.append(found)
        else:
            rejected.append((item, found))
    return arrivals, rejected


def _first_of_each(arrivals: Sequence[Arrival], now: datetime) -> set[int]:
    """Item ids of the arrivals whose message id was never seen before from their source."""
    keys = [once.key("event", one.item.source_id, one.event.message_id) for one in arrivals]
    unseen = once.claim(keys, now)
    first = set()
    for key, arrival in zip(keys, arrivals, strict=True):
        if key in unseen:
            unseen.remove(key)
            first.add(arrival.item.id)
    return first


def _log_changes(arrivals: Sequence[Arrival], people: People, now: datetime) -> Iterable[NewEvent]:
    """Lines for profiles that changed by an event that does not say so: a first user id on a track."""
    said = {
        contact
        for contact, one in zip(people.resolved.contacts, arrivals, strict=True)
        if one.event.type in {"identify", "alias"}
    }
    for contact in sorted(people.changes.keys() - said):
        yield NewEvent(contact, "Identified", now, now, properties=people.changes[contact])


def _log_lines(arrivals: Sequence[Arrival], resolved: Resolved) -> Iterable[NewEvent]:
    new = set(resolved.created)
    for contact, arrival in zip(resolved.contacts, arrivals, strict=True):
        if contact in new:
            new.remove(contact)
            yield NewEvent(contact, "Contact Created", arrival.occurred_at, arrival.item.received_at)
        yield arrival.as_new_event(contact)
