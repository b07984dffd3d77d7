"""Merge two contacts because a person says that they are one, and show beforehand what that would make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction

from contacts import consent, contention, event_log, merging, profile_rows, pulse
from contacts.event_log import NewEvent
from contacts.models import Contact, Identifier
from contacts.privacy import requests
from contacts.profile import Profile

COUNTED_TO = 1_000


class GoneError(Exception):
    """One of the two is no contact any more, or not for long: merged or erased by somebody else meanwhile."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value of both, and what remains of it."""

    name: str
    of_winner: Any
    of_loser: Any
    result: Any

    @property
    def given_up(self) -> bool:
        """Whether something that the other one had is not kept on the profile."""
        return self.of_loser not in (None, "") and self.of_loser != self.result


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a merge would do. ``moves`` counts rows per table, up to ``COUNTED_TO`` and one."""

    winner: Contact
    loser: Contact
    lines: list[Line]
    moves: Mapping[str, int]
    #: Both are verified people: each has a user id of its own.
    two_user_ids: bool


def compare(winner_id: int, loser_id: int) -> Comparison:
    """Both side by side and the contact that they would become; nothing is written."""
    found = Contact.objects.in_bulk([winner_id, loser_id])
    with transaction.atomic():
        profiles = profile_rows.load([winner_id, loser_id])
    if len(found) < 2 or len(profiles) < 2:
        raise GoneError
    winner, loser = profiles[winner_id], profiles[loser_id]
    result = winner.copy()
    result.absorb(loser)
    sides = [_values(one) for one in (winner, loser, result)]
    names = [name for name in sides[2] if any(side.get(name) for side in sides)]
    return Comparison(
        found[winner_id],
        found[loser_id],
        [Line(name, *(side.get(name) for side in sides)) for name in names],
        _moves(loser_id),
        two_user_ids(winner_id, loser_id),
    )


def merge_two(winner_id: int, loser_id: int, now: datetime, *, by: str) -> None:
    """Make ``loser_id`` part of ``winner_id``. Raises ``GoneError`` and ``contention.ContendedTooLong``."""

    def act() -> None:
        erased = requests.being_erased([winner_id, loser_id])
        consent.lock([winner_id, loser_id])
        profiles = profile_rows.load([winner_id, loser_id])
        if erased or len(profiles) < 2:
            raise GoneError
        merging.merge({loser_id: winner_id}, profiles, now, reason=f"by hand: {by}"[:200])
        merged = profiles[winner_id].copy()
        merged.absorb(profiles[loser_id])
        merged.updated_at = now
        profile_rows.save([merged])
        # Segments judge the contact anew, and journeys see what it is now.
        event_log.append([NewEvent(winner_id, "Identified", now, now)])
        transaction.on_commit(partial(pulse.wake, "segments"))

    contention.again(act)


def _values(profile: Profile) -> dict[str, Any]:
    own = profile.declared()
    return {
        **dict(sorted(own.items())),
        **{f"inferred {name}": value for name, value in sorted(profile.inferred.items())},
    }


def _moves(loser_id: int) -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in merging.tables():
            cursor.execute(
                f"SELECT count(*) FROM (SELECT FROM {table.name} WHERE contact_id = %s LIMIT %s) AS found",  # noqa: S608
                [loser_id, COUNTED_TO + 1],
            )
            (counts[table.name],) = cursor.fetchone() or (0,)
    return {name: count for name, count in counts.items() if count}


def two_user_ids(winner_id: int, loser_id: int) -> bool:
    """Whether both are verified people: each has a user id of its own."""
    own = Identifier.objects.filter(kind=Identifier.Kind.USER, contact_id__in=[winner_id, loser_id])
    return own.values("contact_id").distinct().count() == 2
