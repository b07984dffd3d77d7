"""What contacts allow, now and at any instant before; and everything they ever said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contacts import permission, statements
from contacts.consent import standing
from contacts.consent.standing import EXPIRED, PENDING, Standing
from contacts.models import ConsentEntry, Purpose

_States = dict[int, dict[tuple[str, str], bool]]
_Chains = defaultdict[int, dict[str, dict[str, Standing]]]
_Merges = defaultdict[int, list[tuple[int, datetime]]]
#: Where a line has the instant at which it was written down.
_RECORDED = 6


@dataclass(frozen=True, slots=True)
class Held:
    """What one person allows at an instant; ``why`` is told where nothing holds though nobody refused."""

    consents: permission.Consents = field(default_factory=dict)
    why: dict[tuple[str, str], str] = field(default_factory=dict)


def states(contact_ids: Collection[int], now: datetime | None = None) -> _States:
    """Per contact that ever said something: (channel, purpose) to allowed. ``permission.of`` reads it.

    With ``now`` a consent that has ended by then allows nothing; without, the pulse that lets consents
    lapse may be a minute behind.
    """
    found: _States = {}
    for (contact_id, channel), purposes in standing.load(contact_ids).items():
        found.setdefault(contact_id, {}).update(
            {(channel, name): one.at(now)[0] if now else one.allowed for name, one in purposes.items()}
        )
    return found


def held(contact_ids: Collection[int], now: datetime) -> dict[int, Held]:
    """Per contact that ever said something: what holds at ``now``, with what has ended or waits."""
    consents: defaultdict[int, dict[tuple[str, str], bool]] = defaultdict(dict)
    why: defaultdict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    for (contact_id, channel), purposes in standing.load(contact_ids).items():
        for purpose, one in purposes.items():
            consents[contact_id][channel, purpose], reason = one.at(now)
            if reason:
                why[contact_id][channel, purpose] = reason
    return {contact_id: Held(own, why[contact_id]) for contact_id, own in consents.items()}


def allowed(
    wanted: Collection[tuple[int, str, str]], now: datetime | None = None
) -> set[tuple[int, str, str]]:
    """Of the (contact, channel, purpose) triples, those that may be written to: service or consented."""
    consents = states({contact_id for contact_id, _channel, _purpose in wanted}, now)
    service = transactional_purposes()
    return {
        (contact_id, channel, purpose)
        for contact_id, channel, purpose in wanted
        if purpose in service or permission.of(consents.get(contact_id, {}), channel, purpose)
    }


def transactional_purposes() -> frozenset[str]:
    """Slugs of the purposes that need no marketing consent."""
    return frozenset(Purpose.objects.filter(transactional=True).values_list("slug", flat=True))


def as_of(contact_ids: Collection[int], at: datetime) -> _States:
    """What was on record at ``at``, replayed from the ledger: (channel, purpose) to allowed, per contact.

    A statement for the lines and one for the merges, whatever the number of contacts. People who were
    merged by then are one, and the stricter answer of the two holds until a later one.
    """
    chains = _replayed(contact_ids, at)
    # Lines of people who were merged only later are on their own chains and speak for nobody else.
    return {
        contact_id: {
            (channel, purpose): one.at(at)[0]
            for channel, purposes in chains[contact_id].items()
            for purpose, one in purposes.items()
        }
        for contact_id in contact_ids
        if contact_id in chains
    }


def rebuild(contact_ids: Collection[int], now: datetime) -> None:
    """Make the state follow from the ledger anew, for people of whom a merge was undone.

    What waits for its confirmation has no line yet and stays. Call with the contacts locked.
    """
    chains = _replayed(contact_ids, now)
    statements.run(
        "DELETE FROM contacts_consentstate WHERE contact_id = ANY(%b::int8[]) AND why <> %b",
        [list(contact_ids), PENDING],
    )
    rebuilt: standing.Standings = {}
    for contact_id in contact_ids:
        for channel, purposes in chains.get(contact_id, {}).items():
            for held in purposes.values():
                held.changed = True
            rebuilt[contact_id, channel] = purposes
    standing.write(rebuilt)


def _replayed(contact_ids: Collection[int], at: datetime) -> _Chains:
    lines = statements.rows(_LINES, [list(contact_ids), at])
    return _replay([line[1:] for line in lines], _merges(contact_ids, at), at)


def _replay(lines: Iterable[tuple[Any, ...]], merged: _Merges, at: datetime) -> _Chains:
    """What the lines, in their order, and the merges come to at ``at``. Uses up ``merged``."""
    chains: _Chains = defaultdict(dict)
    for chain, channel, purpose, action, entry_id, occurred, recorded, ends, origin in lines:
        _fold_merged(chains, merged, chain, recorded)
        given = action == ConsentEntry.Action.GIVEN
        new = Standing(given, entry_id, occurred, ends, EXPIRED if origin == EXPIRED else "")
        standing.apply(chains[chain].setdefault(channel, {}), purpose, new)
    for winner in list(merged):
        _fold_merged(chains, merged, winner, at)
    return chains


class Past:
    """What some people allowed at any instant until ``until``, from the ledger. Three statements in all.

    Of people without a line, what stands now is taken.
    """

    def __init__(self, contact_ids: Collection[int], until: datetime) -> None:
        ids = list(contact_ids)
        self._lines: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for contact_id, *line in statements.rows(_LINES, [ids, until]):
            self._lines[contact_id].append(tuple(line))
        self._merged = _merges(ids, until)
        self._standing: dict[int, dict[tuple[str, str], Standing]] = defaultdict(dict)
        silent = [contact_id for contact_id in ids if contact_id not in self._lines]
        for (contact_id, channel), purposes in standing.load(silent).items():
            for purpose, one in purposes.items():
                self._standing[contact_id][channel, purpose] = one
        self._kept: dict[tuple[int, int, int], dict[tuple[str, str], Standing]] = {}

    def held(self, contact_id: int, at: datetime) -> Held:
        """What holds for one person at ``at``, with what has ended by then."""
        consents, why = {}, {}
        for key, one in self._at(contact_id, at).items():
            consents[key], reason = one.at(at)
            if reason:
                why[key] = reason
        return Held(consents, why)

    def _at(self, contact_id: int, at: datetime) -> dict[tuple[str, str], Standing]:
        if contact_id not in self._lines:
            return self._standing.get(contact_id, {})
        lines = [line for line in self._lines[contact_id] if line[_RECORDED] <= at]
        merged = self._merges_of(contact_id, at)
        key = (contact_id, len(lines), sum(map(len, merged.values())))
        if key not in self._kept:
            self._kept[key] = {
                (channel, purpose): one
                for channel, purposes in _replay(lines, merged, at)[contact_id].items()
                for purpose, one in purposes.items()
            }
        return self._kept[key]

    def _merges_of(self, contact_id: int, at: datetime) -> _Merges:
        found: _Merges = defaultdict(list)
        waiting = [contact_id]
        while waiting:
            winner = waiting.pop()
            for loser, merged_at in self._merged.get(winner, ()) if winner not in found else ():
                if merged_at <= at:
                    found[winner].append((loser, merged_at))
                    waiting.append(loser)
        return found


def history(contact_id: int) -> list[ConsentEntry]:
    """All lines of a person, the newest first, with their proof."""
    return list(ConsentEntry.objects.filter(contact_id=contact_id).order_by("-id"))


def _merges(contact_ids: Collection[int], at: datetime) -> _Merges:
    """The merges that made these contacts, those into losers among them, by winner and in their order."""
    found: _Merges = defaultdict(list)
    for winner, loser, merged_at in statements.rows(_MERGES, [list(contact_ids), at]):
        found[winner].append((loser, merged_at))
    return found


def _fold_merged(chains: _Chains, merged: _Merges, winner: int, by: datetime) -> None:
    """Make the merges into ``winner`` that had happened by then part of what it holds, once."""
    waiting = merged.get(winner)
    while waiting and waiting[0][1] <= by:
        loser, merged_at = waiting.pop(0)
        _fold_merged(chains, merged, loser, merged_at)
        for channel, purposes in chains.pop(loser, {}).items():
            standing.fold(chains[winner].setdefault(channel, {}), purposes)


_MERGES = """
WITH RECURSIVE made AS (
    SELECT m.winner_id, m.loser_id, m.merged_at, m.id FROM contacts_merge m
    WHERE m.winner_id = ANY(%b::int8[]) AND m.undone_at IS NULL
    UNION
    SELECT m.winner_id, m.loser_id, m.merged_at, m.id
    FROM made JOIN contacts_merge m ON m.winner_id = made.loser_id WHERE m.undone_at IS NULL
)
SELECT winner_id, loser_id, merged_at FROM made WHERE merged_at <= %b::timestamptz ORDER BY merged_at, id
"""

_LINES = """
SELECT contact_id, coalesce(chain, contact_id), channel, purpose, action, id, occurred_at, recorded_at,
       expires_at, origin
FROM contacts_consententry WHERE contact_id = ANY(%b::int8[]) AND recorded_at <= %b::timestamptz
ORDER BY id
"""
