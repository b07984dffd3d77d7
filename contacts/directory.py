"""Who is found by which identifier: the rules of creating, adding and merging, without a database.

The search is flat. No contact found: create one. One: the event is theirs, and its new identifiers too.
Several: merge them, unless a limit forbids it. A limit that would be exceeded drops the weakest identifier
of the event, and the search repeats; so two contacts with different user ids never become one. Of kinds that
come and go, such as a browser's id, the contact's oldest falls off instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from contacts.identifier_kinds import (
    ANONYMOUS,
    CARD,
    DEFAULTS,
    DEVICE,
    EMAIL,
    OLDEST_FALLS,
    PHONE,
    USER,
    Kinds,
)

__all__ = ["ANONYMOUS", "CARD", "DEVICE", "EMAIL", "KNOWN_BY", "PHONE", "USER", "Directory", "Identifier"]

#: Kinds that tell who somebody is, in every installation.
KNOWN_BY = frozenset(kind.slug for kind in DEFAULTS if kind.known)
_USUAL = Kinds()


class Identifier(NamedTuple):
    kind: str
    value: str


def strongest_first(identifiers: Iterable[Identifier], kinds: Kinds = _USUAL) -> tuple[Identifier, ...]:
    return tuple(sorted(set(identifiers), key=lambda one: (kinds.rank(one.kind), one.value)))


class Directory:
    """Identifiers and their contacts, as far as one batch needs them, and what the batch changed.

    ``owners`` are the stored contacts of the batch's identifiers. ``held`` has every identifier of the
    contacts that may change, the oldest first, or each with its age (the less the older). A contact made
    here has a negative id until it is stored.
    """

    def __init__(
        self,
        owners: Mapping[Identifier, int],
        held: Mapping[int, Iterable[Identifier] | Mapping[Identifier, float]] | None = None,
        kinds: Kinds = _USUAL,
    ) -> None:
        self._kinds = kinds
        self._owners = dict(owners)
        self._held = {contact: _aged(identifiers) for contact, identifiers in (held or {}).items()}
        self._stored = {one: contact for contact, mine in self._held.items() for one in mine}
        self._winners: dict[int, int] = {}
        self._place = float(2**52)
        #: New identifiers and the contact that each was given to (follow it with ``final``).
        self.added: dict[Identifier, int] = {}
        #: Stored identifiers that fell off, and the contact that held each before the batch.
        self.fallen: dict[Identifier, int] = {}
        self.created = 0

    def find(self, identifiers: tuple[Identifier, ...]) -> int:
        """The contact of an event with these identifiers (strongest first, at least one)."""
        owners = {self._owners.get(identifier) for identifier in identifiers}
        if len(owners) == 1 and (only := owners.pop()) is not None:
            return only
        while True:
            matched = {self._owners[one] for one in identifiers if one in self._owners}
            together = self._together(matched, identifiers)
            fallen = self._too_many(together, matched, identifiers)
            if len(identifiers) == 1 or fallen is not None:
                break
            identifiers = identifiers[:-1]
        contact = min(matched, key=self._precedence) if matched else self._create()
        for one in fallen or ():
            self._drop(one)
            del together[one]
        for loser in sorted(matched - {contact}):
            self._winners[loser] = contact
            del self._held[loser]
        self.added.update((one, contact) for one in identifiers if one not in self._owners)
        self._owners.update((one, contact) for one in together)
        self._held[contact] = together
        return contact

    def final(self, contact: int) -> int:
        """The contact that ``contact`` has become through merges."""
        while contact in self._winners:
            contact = self._winners[contact]
        return contact

    def merged(self) -> dict[int, int]:
        """Stored contacts that lost themselves in another, and the one that remains."""
        return {loser: self.final(loser) for loser in self._winners if loser > 0}

    def _create(self) -> int:
        self.created += 1
        return -self.created

    def _together(
        self, matched: Collection[int], identifiers: Iterable[Identifier]
    ) -> dict[Identifier, float]:
        together: dict[Identifier, float] = {}
        for contact in matched:
            together.update(self._held[contact])
        for one in identifiers:
            if one not in together:
                self._place += 1
                together[one] = self._place
        return together

    def _too_many(
        self, together: Mapping[Identifier, float], matched: Iterable[int], event: Collection[Identifier]
    ) -> list[Identifier] | None:
        """What falls off so that the limits hold; None if they forbid the joining.

        What one contact held already may stay, though the limit was lowered since.
        """
        if not matched and len({one.kind for one in together}) == len(together):
            return []  # Every kind may have one.
        counts = Counter(one.kind for one in together)
        fallen: list[Identifier] = []
        for kind, count in counts.items():
            rule = self._kinds.by_slug.get(kind)
            limit = rule.limit if rule else count
            if count <= limit:
                continue
            had = max(
                (sum(one.kind == kind for one in self._held[contact]) for contact in matched), default=0
            )
            if count <= had:
                continue
            old = sorted((age, one) for one, age in together.items() if one.kind == kind and one not in event)
            if rule is None or rule.full != OLDEST_FALLS or len(old) < count - limit:
                return None
            fallen += [one for _age, one in old[: count - limit]]
        return fallen

    def _drop(self, identifier: Identifier) -> None:
        self._owners.pop(identifier, None)
        self.added.pop(identifier, None)
        if identifier in self._stored:
            self.fallen[identifier] = self._stored[identifier]

    def _precedence(self, contact: int) -> tuple[int, bool, int]:
        """The one with the strongest identifier stays; among equals the oldest."""
        strongest = min(self._kinds.rank(identifier.kind) for identifier in self._held[contact])
        return strongest, contact < 0, abs(contact)


def _aged(identifiers: Iterable[Identifier] | Mapping[Identifier, float]) -> dict[Identifier, float]:
    if isinstance(identifiers, Mapping):
        return dict(identifiers)
    return {one: float(age) for age, one in enumerate(identifiers)}
