"""Learns how everybody answers, by channel and hour, and writes it to them as predictions.

A walk over all contacts once a day, some thousand in a transaction, taken up where it stopped. What people
are compared with are the sums of the walk before; the very first only sums, and another one follows at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from analytics.models import Learning
from analytics.predictions import people, rhythm
from analytics.predictions.people import Person
from analytics.predictions.sums import Rhythm, Sums, sums_from
from channels import smart
from contacts import predictions
from contacts.predictions import Learned

NAME = "engagement"
_REACH = timedelta(days=180)
_EVERY = timedelta(days=1)
_NAMES = (smart.CHANNELS, smart.HOURS)


def step(now: datetime, limit: int = 1_000) -> int:
    """Look at the next people, in one transaction and a constant number of statements; returns how many.

    0 when the walk has ended, none is due, or another worker is at it.
    """
    with transaction.atomic():
        if not _alone():
            return 0
        row, _new = Learning.objects.get_or_create(name=NAME)
        if row.started_at is None:
            if row.finished_at is not None and row.finished_at > now - _EVERY and row.sums:
                return 0
            row.started_at, row.after_contact, row.seen, row.written, row.collecting = now, 0, 0, 0, {}
        found, last = people.after(row.after_contact, limit, row.started_at - _REACH, row.started_at)
        collecting, compared = sums_from(row.collecting), sums_from(row.sums)
        rhythms = [_rhythm(person, row.started_at) for person in found]
        for person, own in zip(found, rhythms, strict=True):
            if person.messages or person.visits:
                collecting.add(person.group, own, person.counts)
        if row.sums:
            learned = [
                one
                for person, own in zip(found, rhythms, strict=True)
                for one in _learn(person, own, compared)
            ]
            row.written += predictions.write(learned, _NAMES, [person.id for person in found], now)
        row.seen += len(found)
        row.collecting, row.after_contact = collecting.plain(), last or row.after_contact
        if last is None:
            _finish(row, collecting, now)
        row.save()
    return len(found) or int(last is not None)


def _finish(row: Learning, collected: Sums, now: datetime) -> None:
    # After a walk that only summed the next one begins at once: ``finished_at`` says nothing was written.
    row.finished_at = now if row.sums else None
    row.sums, row.collecting, row.started_at = collected.plain(), {}, None


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('analytics.predictions.learning'))")
        return bool((cursor.fetchone() or (False,))[0])


def _rhythm(person: Person, now: datetime) -> Rhythm:
    if person.zone is None:
        return Rhythm()
    days = max((now - person.since) / timedelta(days=1), 1.0)
    return rhythm.read(person.zone, person.messages, person.visits, days)


def _learn(person: Person, own: Rhythm, compared: Sums) -> list[Learned]:
    """What is learned of one person: nothing of those to whom nothing was sent."""
    if not person.counts:
        return []
    found = [_channels(person, compared)]
    if person.zone is not None:
        found.append(_hours(person, own, compared))
    return found


def _channels(person: Person, compared: Sums) -> Learned:
    value, best = {}, 0.0
    # Also those that nobody has tried with this person, at the usual chance.
    known = {**dict.fromkeys(compared.tried.get("", {}), (0, 0)), **person.counts}
    for channel, (sent, answered) in sorted(known.items()):
        chance = compared.usual(person.group, channel).of(sent, answered)
        value[channel] = {"chance": round(chance, 5), "sent": sent, "answered": answered}
        best = max(best, chance)
    said = ", ".join(
        f"{channel} {answered} of {sent}" for channel, (sent, answered) in sorted(person.counts.items())
    )
    return Learned(person.id, smart.CHANNELS, round(best, 5), value, f"Clicked {said} in 180 days")


def _hours(person: Person, own: Rhythm, compared: Sums) -> Learned:
    hours, days = rhythm.weights(own, compared, person.group)
    answers = [int(own.answers[hour] + own.visits[hour]) for hour in range(len(hours))]
    best = max(range(len(hours)), key=hours.__getitem__)
    value = {
        "hours": [round(weight, 4) for weight in hours],
        "days": [round(weight, 3) for weight in days],
        "answers": answers,
    }
    whole = sum(answers)
    near = sum(answers[(best + step) % len(hours)] for step in (0, 1))
    said = f"{near} of {whole} answers and visits {best}–{(best + 2) % 24 or 24} h"
    reason = said if whole else "Nothing of their own is known: when people like them answer"
    return Learned(person.id, smart.HOURS, float(best), value, reason)
