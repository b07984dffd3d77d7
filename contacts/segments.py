"""Segments kept current: recomputed as a difference, followed from the log, moved on by the clock.

``refresh`` computes one segment whole. ``follow`` judges the contacts that events touched, and ``tick``
those for whom a time window opened or closed. The three give the same members as computing all anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from contacts import (
    event_log,
    rules,
    rules_past,
    segment_members,
    segment_news,
    segment_order,
    sizing,
    slots,
    whole_base,
)
from contacts.event_log import LogEvent
from contacts.models import Contact, Segment
from contacts.rules import Rule, RuleError
from contacts.rules_clock import any_event_counts, clocked, crossed, latest_ahead
from contacts.rules_sql import Subject, matching, verdicts
from contacts.segment_members import Change

READER = "segments"
BATCH = 5_000
_SLACK = timedelta(seconds=10)
"The clock looks back a little, in case an event was judged a moment before it."
_SKEW = timedelta(minutes=1)
"Events dated up to this much after the pulse's own clock happened now: they were read after it was."
_RECOUNTED = timedelta(minutes=15)
"Sizes are counted again so long after a merge: no transaction that began before it is still running then."
_SAMPLE = 10
_PREVIEW_SECONDS = 15
_REFRESH_SECONDS = 120

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """How many contacts a rule holds for, and some of the newest among them.

    Of a day in the past, ``unsure`` is for how many contacts the answer rests on what is known today.
    """

    size: int
    sample: list[Contact]
    unsure: int = 0


@dataclass(frozen=True, slots=True)
class _Watched:
    """A live segment, its rule, and the names of the events after which a contact is judged again."""

    segment: Segment
    rule: Rule
    names: frozenset[str]


def refresh(segment: Segment, now: datetime) -> Change:
    """Compute the members of ``segment`` whole, as of ``now``, and write the difference.

    Raises ``RuleError`` where the stored rule cannot be used. A segment by hand is only counted.
    """
    with transaction.atomic():
        segment_members.hold(range(slots.SLOTS))
        segment = Segment.objects.select_for_update().get(pk=segment.pk)
        change = Change()
        if segment.kind == Segment.Kind.DYNAMIC:
            rule = rules.parse(segment.rule, in_journey=False)
            whole_base.prepare(seconds=_REFRESH_SECONDS)
            change = segment_members.replace(segment, matching(rule, as_of=now), now)
            segment.ahead_until = latest_ahead(rule, now)
        segment.size = segment.memberships.count()
        segment.stale, segment.computed_at = False, now
        segment.save(update_fields=["size", "stale", "computed_at", "ahead_until"])
        segment_members.note_day({segment.pk: change}, now)
    return change


def ensure_current(now: datetime) -> int:
    """Refresh the live segments whose rule changed, those asked about first; returns how many."""
    stale = Segment.objects.filter(stale=True, active=True)
    done = 0
    for segment in segment_order.asked_first(stale):
        try:
            refresh(segment, now)
        except (RuleError, OperationalError) as error:
            if isinstance(error, OperationalError) and not isinstance(error.__cause__, QueryCanceled):
                raise
            # The form refuses an unreadable rule, and a preview one that takes too long; whatever came
            # another way must not stop the others.
            logger.error("segment %s is switched off: %s", segment.slug, error)
            Segment.objects.filter(pk=segment.pk).update(stale=False, active=False)
        else:
            done += 1
    return done


def follow(now: datetime, limit: int = BATCH) -> int:
    """Read on in the log and judge the touched contacts; returns how many events were read.

    The number of statements depends on the number of segments the events may concern, not on contacts.
    """
    with transaction.atomic():
        events = event_log.read_after(READER, limit)
        if not events:
            return 0
        watched = _watched()
        if watched:
            segment_members.hold(slots.of(event.contact_id) for event in events)
            # Read again under the locks: the clock may have moved a segment on meanwhile.
            _react(_watched(), events, now)
        event_log.advance(READER, events)
    return len(events)


def tick(now: datetime) -> int:
    """Judge the contacts for whom a boundary passed since the last tick; returns how many came and went.

    Where a segment asks about another, since when somebody is in that one is a boundary too, so those
    that are asked about go first.
    """
    moved = 0
    watched = {each.segment.pk: each for each in _watched()}
    for segment in segment_order.asked_first(each.segment for each in watched.values()):
        turned_back = segment.computed_at is not None and now < segment.computed_at
        if clocked(watched[segment.pk].rule) or _waits_for_future(segment) or turned_back:
            moved += _pass_time(watched[segment.pk], now)
    segment_members.recount(now - _RECOUNTED)
    return moved


def preview(rule: Rule, as_of: datetime, *, past: bool = False) -> Preview:
    """Size and sample of a rule that need not be stored, at ``as_of``; ``past`` where that is not now.

    Stops a query that takes too long.
    """
    with transaction.atomic():
        size, ids = sizing.sized(rule, as_of, seconds=_PREVIEW_SECONDS, most=_SAMPLE, past=past)
        sample = list(Contact.objects.filter(id__in=ids).order_by("-id"))
        return Preview(size, sample, rules_past.unsure(rule, as_of) if past else 0)


def add(segment: Segment, contact_ids: Iterable[int], now: datetime, *, history: bool = False) -> int:
    """Put contacts into a segment kept by hand; returns how many were not in it.

    ``history``: a file does so, and no journey shall start from it.
    """
    return len(_by_hand(segment, contact_ids, True, now, history=history).entered)


def remove(segment: Segment, contact_ids: Iterable[int], now: datetime) -> int:
    """Take contacts out of a segment kept by hand; returns how many were in it."""
    return len(_by_hand(segment, contact_ids, False, now).left)


def _by_hand(
    segment: Segment, contact_ids: Iterable[int], wanted: bool, now: datetime, *, history: bool = False
) -> Change:
    if segment.kind != Segment.Kind.STATIC:
        raise ValueError(f"{segment.slug} is kept by its rule")
    with transaction.atomic():
        found = set(Contact.objects.filter(id__in=set(contact_ids)).values_list("id", flat=True))
        segment_members.hold(slots.of(contact_id) for contact_id in found)
        quiet = {segment.pk: found} if history else {}
        changes = segment_members.judge({segment: (found, found if wanted else set())}, now, history=quiet)
    return changes.get(segment, Change())


def _watched() -> list[_Watched]:
    found = []
    for segment in Segment.objects.filter(kind=Segment.Kind.DYNAMIC, active=True, stale=False):
        try:
            rule = rules.parse(segment.rule, in_journey=False)
        except RuleError:
            continue
        found.append(_Watched(segment, rule, rules.event_names(rule) | {"Contact Created"}))
    return found


def _react(watched: Sequence[_Watched], events: Sequence[LogEvent], now: datetime) -> None:
    by_name = segment_news.by_name(events)
    everybody = set().union(*by_name.values())
    merged = _merged(everybody, min(event.received_at for event in events))
    latest = max(event.occurred_at for event in events)
    together: dict[tuple[frozenset[str], datetime], list[_Watched]] = {}
    for each in watched:
        as_of = _not_before(now, latest, each.segment.computed_at)
        names = frozenset(by_name) if any_event_counts(each.rule) else each.names & frozenset(by_name)
        together.setdefault((names, as_of), []).append(each)
        if latest > as_of:
            _note_future(each, events, as_of)
    judged: dict[Segment, tuple[set[int], set[int]]] = {}
    history: dict[int, set[int]] = {}
    told = any(event.is_history for event in events)
    for (names, as_of), group in together.items():
        # Segments that the same events concern are asked about in one statement.
        if asked := merged.union(*(by_name[name] for name in names)):
            held = _held([each.rule for each in group], asked, as_of)
            judged |= {each.segment: (asked, found) for each, found in zip(group, held, strict=True)}
            quiet = asked - segment_news.moved(events, by_name, names) if told else set()
            history |= {each.segment.pk: quiet for each in group}
    segment_members.judge(judged, now, history=history)


def _merged(contacts: set[int], since: datetime) -> set[int]:
    """Contacts that took over another's history, or gave it back: any answer about them may differ."""
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT winner_id FROM contacts_merge WHERE winner_id = ANY(%b::int8[])"
            " AND greatest(merged_at, undone_at) >= %b"
            " UNION SELECT loser_id FROM contacts_merge WHERE loser_id = ANY(%b::int8[]) AND undone_at >= %b",
            [list(contacts), since, list(contacts), since],
        )
        return {row[0] for row in cursor.fetchall()}


def _held(asked: Sequence[Rule], contacts: set[int], as_of: datetime) -> list[set[int]]:
    """For each rule those of ``contacts`` for whom it holds."""
    ordered = sorted(contacts)
    subjects = [Subject(contact, slots.of(contact)) for contact in ordered]
    return [{ordered[position] for position in found} for found in verdicts(asked, subjects, as_of)]


def _not_before(now: datetime, *instants: datetime | None) -> datetime:
    """``now``, or the latest of ``instants`` that lies just after it."""
    return max([now, *(instant for instant in instants if instant and now < instant <= now + _SKEW)])


def _note_future(watched: _Watched, events: Sequence[LogEvent], as_of: datetime) -> None:
    ahead = [
        event.occurred_at for event in events if event.occurred_at > as_of and event.name in watched.names
    ]
    segment = watched.segment
    if ahead and (segment.ahead_until is None or segment.ahead_until < max(ahead)):
        Segment.objects.filter(pk=segment.pk).update(ahead_until=max(ahead))


def _waits_for_future(segment: Segment) -> bool:
    return bool(
        segment.ahead_until and segment.computed_at and segment.ahead_until > segment.computed_at - _SLACK
    )


def _pass_time(watched: _Watched, now: datetime) -> int:
    segment = watched.segment
    then = segment.computed_at or now
    # A clock that was turned back makes the future of what had already happened.
    ahead_until = max(filter(None, (segment.ahead_until, then if now < then else None)), default=None)
    ahead = now < then or _waits_for_future(segment)
    found = crossed(watched.rule, min(then, now) - _SLACK, max(then, now) + _SLACK, ahead=ahead)
    with transaction.atomic(), connection.cursor() as cursor:
        contacts: set[int] = set()
        if found:
            cursor.execute(found.text, found.params)
            contacts = {row[0] for row in cursor.fetchall()}
        segment_members.hold(slots.of(contact) for contact in contacts)
        current = Segment.objects.filter(pk=segment.pk, stale=False, computed_at=segment.computed_at)
        if not current.update(computed_at=now, ahead_until=ahead_until):
            return 0  # Refreshed or moved on by another meanwhile.
        (held,) = _held([watched.rule], contacts, now)
        changes = segment_members.judge({segment: (contacts, held)}, now)
        return sum(len(change.entered) + len(change.left) for change in changes.values())
