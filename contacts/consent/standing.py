"""What stands after lines of the ledger: how one line changes it, and the table that keeps it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from contacts import permission, slots, statements
from contacts.permission import EVERY, TRACKING

EXPIRED, PENDING = "expired", "pending"


@dataclass(slots=True)
class Standing:
    """What holds for one purpose on one channel, and which line says so.

    ``why`` says why nothing is allowed although nobody refused: ``expired`` or ``pending``.
    """

    allowed: bool
    entry_id: int
    since: datetime
    expires_at: datetime | None = None
    why: str = ""
    changed: bool = False

    def at(self, now: datetime) -> tuple[bool, str]:
        """Whether it allows at ``now``, and why not if it has ended."""
        if self.allowed and self.expires_at is not None and self.expires_at <= now:
            return False, EXPIRED
        return self.allowed, self.why

    @property
    def refused(self) -> bool:
        """Whether the person said no, as against having said nothing that still holds."""
        return not self.allowed and not self.why


#: (contact, channel) to purpose to what holds.
Standings = dict[tuple[int, str], dict[str, Standing]]


def apply(purposes: dict[str, Standing], purpose: str, new: Standing) -> None:
    """Let one line change what holds on its channel.

    Withdrawing ``*`` closes every purpose that was open; giving it opens again only what ``*`` had closed.
    Where ``*`` just ends by itself, what was allowed by its own name stays.
    """
    if purpose == EVERY and not new.why:
        before = purposes.get(EVERY)
        for own, held in purposes.items():
            closed_by_every = before is not None and not before.allowed and held.entry_id == before.entry_id
            if own != EVERY and held.allowed is not new.allowed and (not new.allowed or closed_by_every):
                purposes[own] = _copy(new)
    purposes[purpose] = _copy(new)


def fold(into: dict[str, Standing], other: Mapping[str, Standing]) -> None:
    """Two people turn out to be one: of two answers the stricter stays.

    A refusal of everything also closes what only the other one had allowed.
    """
    every = other.get(EVERY)
    if every is not None and every.refused:
        for purpose, held in into.items():
            kept = other.get(purpose)
            if purpose != EVERY and held.allowed and not (kept and kept.allowed):
                into[purpose] = _copy(every)
    own_every = into.get(EVERY)
    for purpose, theirs in other.items():
        mine = into.get(purpose)
        if mine is None:
            closed = theirs.allowed and purpose != EVERY and own_every is not None and own_every.refused
            into[purpose] = _copy(own_every if closed and own_every else theirs)
        elif _rank(theirs) < _rank(mine):
            into[purpose] = _copy(theirs)


def answers(purposes: Mapping[tuple[str, str], Standing], now: datetime) -> permission.Consents:
    return {key: held.at(now)[0] for key, held in purposes.items()}


def load(contact_ids: Collection[int]) -> Standings:
    found: Standings = {}
    for contact_id, channel, purpose, *values in statements.rows(
        "SELECT contact_id, channel, purpose, allowed, entry_id, since, expires_at, why"
        " FROM contacts_consentstate WHERE contact_id = ANY(%b::int8[])",
        [list(contact_ids)],
    ):
        found.setdefault((contact_id, channel), {})[purpose] = Standing(*values)
    return found


def write(standings: Standings) -> None:
    """Keep what changed. A withdrawal of measuring reaches back: ``settled`` asks others to follow it."""
    changed = [
        (
            slots.of(contact_id), contact_id, channel, purpose, held.allowed, held.entry_id, held.since,
            held.expires_at, held.why, held.allowed or purpose != TRACKING,
        )
        for (contact_id, channel), purposes in standings.items()
        for purpose, held in purposes.items()
        if held.changed
    ]  # fmt: skip
    if not changed:
        return
    statements.run(
        "INSERT INTO contacts_consentstate (slot, contact_id, channel, purpose, allowed, entry_id, since,"
        " expires_at, why, settled)"
        " SELECT * FROM unnest(%b::int2[], %b::int8[], %b::text[], %b::text[], %b::bool[], %b::int8[],"
        " %b::timestamptz[], %b::timestamptz[], %b::text[], %b::bool[])"
        " ON CONFLICT (contact_id, channel, purpose) DO UPDATE SET allowed = excluded.allowed,"
        " entry_id = excluded.entry_id, since = excluded.since, expires_at = excluded.expires_at,"
        " why = excluded.why, settled = excluded.settled",
        [list(column) for column in zip(*changed, strict=True)],
    )


def _copy(held: Standing) -> Standing:
    return Standing(held.allowed, held.entry_id, held.since, held.expires_at, held.why, changed=True)


def _rank(held: Standing) -> int:
    """The lower the stricter: refused, allowed, then what nobody said."""
    return 2 if held.why else int(held.allowed)
