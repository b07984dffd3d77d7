"""Who is found by which identifier: the rules of creating, adding and merging, without a database.

The search is flat. No contact found: create one. One: the event is theirs, and its new identifiers too.
Several: merge them, unless a limit forbids it. A limit that would be exceeded drops the weakest identifier
of the event, and the search repeats; so two contacts with different user ids never become one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

USER, EMAIL, PHONE, ANONYMOUS, DEVICE = "user", "email", "phone", "anonymous", "device"
#: Strongest first.
STRENGTH = {USER: 0, EMAIL: 1, PHONE: 2, ANONYMOUS: 3, DEVICE: 4}
#: How many identifiers of one kind a contact may hold.
LIMITS = {USER: 1, EMAIL: 5, PHONE: 5, ANONYMOUS: 5, DEVICE: 5}
#: Kinds that tell who somebody is, not just which browser came back.
KNOWN_BY = frozenset({USER, EMAIL, PHONE})


class Identifier(NamedTuple):
    kind: str
    value: str


def strongest_first(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(
        sorted(set(identifiers), key=lambda identifier: (STRENGTH[identifier.kind], identifier.value))
    )


class Directory:
    """Identifiers and their contacts, as far as one batch needs them, and what the batch changed.

    ``owners`` are the stored contacts of the batch's identifiers. ``held`` has every identifier of the
    contacts that may change. A contact made here has a negative id until it is stored.
    """

    def __init__(
        self, owners: Mapping[Identifier, int], held: Mapping[int, Iterable[Identifier]] | None = None
    ) -> None:
        self._owners = dict(owners)
        self._held = {contact: set(identifiers) for contact, identifiers in (held or {}).items()}
        self._winners: dict[int, int] = {}
        #: New identifiers and the contact that each was given to (follow it with ``final``).
        self.added: dict[Identifier, int] = {}
        self.created = 0

    def find(self, identifiers: tuple[Identifier, ...]) -> int:
        """The contact of an event with these identifiers (strongest first, at least one)."""
        owners = {self._owners.get(identifier) for identifier in identifiers}
        if len(owners) == 1 and (only := owners.pop()) is not None:
            return only
        while True:
            matched = {self._owners[one] for one in identifiers if one in self._owners}
            together = set(identifiers).union(*(self._held[contact] for contact in matched))
            if len(identifiers) == 1 or _within_limits(together):
                break
            identifiers = identifiers[:-1]
        contact = min(matched, key=self._precedence) if matched else self._create()
        for loser in matched - {contact}:
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

    def _precedence(self, contact: int) -> tuple[int, bool, int]:
        """The one with the strongest identifier stays; among equals the oldest."""
        strongest = min(STRENGTH[identifier.kind] for identifier in self._held[contact])
        return strongest, contact < 0, abs(contact)


def _within_limits(identifiers: Iterable[Identifier]) -> bool:
    counts = Counter(identifier.kind for identifier in identifiers)
    return all(count <= LIMITS[kind] for kind, count in counts.items())
