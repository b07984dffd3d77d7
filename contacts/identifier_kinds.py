"""Kinds of identifiers as configuration: how strong, how many a contact may hold, which values mean nobody.

Pure. ``identity_rules`` keeps versions of it; every batch works by one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

USER, EMAIL, PHONE, CARD, ANONYMOUS, DEVICE = "user", "email", "phone", "card", "anonymous", "device"
BUILT_IN = frozenset({USER, EMAIL, PHONE, CARD, ANONYMOUS, DEVICE})

LEAVE_OUT, OLDEST_FALLS = "leave_out", "oldest_falls"
MOST_KINDS, MOST_BLOCKED, HIGHEST_LIMIT = 20, 500, 100
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,15}")


class IdentifierKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind. ``full`` says what becomes of one too many: it is left out, or the oldest falls off.

    ``known`` kinds tell who somebody is, not just which browser came back. Those that are not for
    ``browsers`` are only taken from server keys: with a card's number anybody could become its owner.
    ``blocked`` values find nobody, whatever their case; one that ends in ``*`` stands for all that begin so.
    """

    slug: str
    name: str
    limit: int = 5
    full: str = LEAVE_OUT
    known: bool = False
    browsers: bool = True
    active: bool = True
    blocked: tuple[str, ...] = ()


DEFAULTS = (
    IdentifierKind(USER, "User id", limit=1, known=True),
    IdentifierKind(EMAIL, "Email", known=True),
    IdentifierKind(PHONE, "Phone", known=True),
    IdentifierKind(CARD, "Card", known=True, browsers=False),
    IdentifierKind(ANONYMOUS, "Anonymous id", full=OLDEST_FALLS),
    IdentifierKind(DEVICE, "Device", full=OLDEST_FALLS),
)


class KindsError(ValueError):
    """These kinds cannot be worked by; the text says why."""


@dataclass(frozen=True)
class Kinds:
    """All kinds, strongest first, as of one version; 0 is what an installation begins with."""

    kinds: tuple[IdentifierKind, ...] = DEFAULTS
    version: int = 0

    @cached_property
    def by_slug(self) -> Mapping[str, IdentifierKind]:
        return {kind.slug: kind for kind in self.kinds}

    @cached_property
    def _ranks(self) -> Mapping[str, int]:
        return {kind.slug: rank for rank, kind in enumerate(self.kinds)}

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(kind.slug for kind in self.kinds if kind.known)

    @cached_property
    def _blocked(self) -> Mapping[str, tuple[frozenset[str], tuple[str, ...]]]:
        return {
            kind.slug: (
                frozenset(value.casefold() for value in kind.blocked if not value.endswith("*")),
                tuple(value[:-1].casefold() for value in kind.blocked if value.endswith("*")),
            )
            for kind in self.kinds
            if kind.blocked
        }

    def rank(self, kind: str) -> int:
        """0 is the strongest. Kinds that are no more are the weakest."""
        return self._ranks.get(kind, MOST_KINDS)

    def accepts(self, kind: str, value: str, *, server: bool) -> bool:
        """Whether a value may name somebody; ``server`` if it came with a server key."""
        rule = self.by_slug.get(kind)
        if rule is None or not rule.active or not (rule.browsers or server):
            return False
        if kind not in self._blocked:
            return True
        whole, beginnings = self._blocked[kind]
        folded = value.casefold()
        return folded not in whole and not (beginnings and folded.startswith(beginnings))


def checked(kinds: Sequence[IdentifierKind]) -> tuple[IdentifierKind, ...]:
    """``kinds`` if a batch can be worked by them. Raises ``KindsError``."""
    slugs = [kind.slug for kind in kinds]
    if missing := BUILT_IN - set(slugs):
        raise KindsError(f"{', '.join(sorted(missing))} cannot be taken away; switch it off instead")
    if len(set(slugs)) < len(slugs) or len(slugs) > MOST_KINDS:
        raise KindsError(f"at most {MOST_KINDS} kinds, each with its own short name")
    if slugs[0] != USER or kinds[0].limit != 1 or kinds[0].full != LEAVE_OUT or not kinds[0].active:
        # Two people who are signed in are two people, whatever else they share.
        raise KindsError("the user id stays the strongest kind, and one contact has one")
    for kind in kinds:
        if not _SLUG.fullmatch(kind.slug):
            raise KindsError(f"{kind.slug!r}: a short name has up to 16 of a–z, 0–9 and _, a letter first")
        if not kind.name.strip():
            raise KindsError(f"{kind.slug} needs a name")
        if not 1 <= kind.limit <= HIGHEST_LIMIT:
            raise KindsError(f"{kind.slug}: the limit is from 1 to {HIGHEST_LIMIT}")
        if kind.full not in (LEAVE_OUT, OLDEST_FALLS):
            raise KindsError(f"{kind.slug}: unknown way with one too many")
        if len(kind.blocked) > MOST_BLOCKED or not all(
            0 < len(one.strip("* ")) <= 512 for one in kind.blocked
        ):
            raise KindsError(f"{kind.slug}: up to {MOST_BLOCKED} blocked values, none of them empty")
    return tuple(kinds)
