"""What is known about one contact, and how traits and merges change it. Pure; see ``profile_rows``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from contacts import normalise, permission, places

_V = TypeVar("_V")

MOST_KEYS = 500
LONGEST_KEY = 255
MOST_BYTES = 65_536
"Size of all attributes of one contact as JSON. What would exceed it stays in the event log only."
_LONGEST_NAME = 200

COLUMNS = ("email", "phone", "first_name", "last_name", "language", "timezone", "country")
"What has a place of its own in the table and is not among the free attributes."
_COLUMNS = {
    "firstname": "first_name",
    "first_name": "first_name",
    "given_name": "first_name",
    "lastname": "last_name",
    "last_name": "last_name",
    "family_name": "last_name",
    "email": "email",
    "phone": "phone",
    "language": "language",
    "locale": "language",
    "timezone": "timezone",
    "time_zone": "timezone",
    "country": "country",
}
PERSON = "person"
"The origin of what somebody declared on their own pages."
_IN_ADDRESS = ("city", "state", "postalCode", "postal_code", "region")


def column_of(name: str) -> str | None:
    """The column in which a trait of this name is kept; None for a free attribute."""
    return _COLUMNS.get(name.lower())


class Origin(NamedTuple):
    """Where a value came from, and when in Unix seconds: ``Origin("source:3", 1760000000)``.

    The first word is one of source, import, api, staff, journey, person, device, place, model; what follows
    the colon names it more exactly.
    """

    of: str
    at: int

    @classmethod
    def told(cls, of: str, at: datetime) -> Origin:
        return cls(of, int(at.timestamp()))


class Origins(msgspec.Struct, omit_defaults=True):
    """The origin of each value that a profile holds; a value that is told again as it was keeps its own."""

    declared: dict[str, Origin] = {}
    inferred: dict[str, Origin] = {}


class Parted(NamedTuple):
    """What a profile gave up when a merge was undone: columns, and names of declared and inferred values."""

    columns: frozenset[str]
    declared: frozenset[str]
    inferred: frozenset[str]


class Profile(msgspec.Struct):
    """One row of contacts. Empty strings mean "not known"; ``inferred`` gives way to what was declared."""

    id: int
    slot: int
    first_seen_at: datetime
    last_seen_at: datetime
    updated_at: datetime
    public_id: str | None = None
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    timezone: str = ""
    country: str = ""
    known: bool = False
    attributes: dict[str, Any] = {}
    inferred: dict[str, Any] = {}
    origins: Origins = msgspec.field(default_factory=Origins)

    def copy(self) -> Self:
        """Its values are replaced, never changed in place; so a shallow copy keeps the state of now."""
        return msgspec.structs.replace(self)

    def differences(self, before: Self | None) -> dict[str, Any]:
        """Names and values of what is not as it was ``before``, apart from when the contact was seen."""
        return {
            name: value
            for name in _TOLD
            if (value := getattr(self, name)) != (getattr(before, name) if before else None)
        }

    def see(self, at: datetime) -> None:
        self.first_seen_at = min(self.first_seen_at, at)
        self.last_seen_at = max(self.last_seen_at, at)

    def declared(self) -> dict[str, Any]:
        """Everything that was said of the person, under the names by which rules ask for it."""
        columns = {name: value for name in COLUMNS if (value := getattr(self, name))}
        return self.attributes | columns

    def take(
        self, traits: Mapping[str, Any], now: datetime, origin: Origin | None = None, *, normal: bool = False
    ) -> None:
        """Write traits: a value replaces, null removes, what cannot be used changes nothing.

        ``normal`` says that ``read`` has brought those that have a column into their one form before.
        """
        if not traits:
            return
        before = self.declared()
        region = None if normal else normalise.region(traits) or self.country or None
        own: dict[str, Any] = {}
        for key, value in traits.items():
            column = _COLUMNS.get(key.lower())
            if column is None:
                if key not in permission.OWN:
                    own[key] = value
            elif value is None:
                setattr(self, column, "")
            elif normal:
                setattr(self, column, value)
            elif (text := read(column, value, region)) is not None:
                setattr(self, column, text)
        self._take_name(own)
        self._take_address(own)
        self._keep(own)
        self.known = self.known or bool(self.email or self.phone)
        if (after := self.declared()) != before:
            declared = _traced(self.origins.declared, before, after, origin)
            self.origins = Origins(declared, self.origins.inferred)
        self._infer(now)

    def notice(self, surroundings: Mapping[str, Any], origin: Origin | None = None) -> None:
        """Keep what the sender's device tells by itself: its time zone and language."""
        if not surroundings:
            return
        zone = normalise.time_zone(surroundings.get("timezone"))
        language = normalise.language(surroundings.get("locale"))
        found = {"timezone": zone, "language": language}
        self.conclude({key: value for key, value in found.items() if value}, origin)

    def conclude(self, values: Mapping[str, Any], origin: Origin | None = None) -> None:
        """Add inferred values, unless the person objects to that."""
        if permission.OBJECTION in self.attributes:
            return
        before, self.inferred = self.inferred, {**self.inferred, **values}
        if self.inferred != before:
            inferred = _traced(self.origins.inferred, before, self.inferred, origin)
            self.origins = Origins(self.origins.declared, inferred)

    def absorb(self, other: Self) -> None:
        """Take over what ``other`` knows and this profile does not: the two are one person."""
        mine, theirs = self.declared(), other.declared()
        self.origins = Origins(
            _added(self.origins.declared, mine, other.origins.declared, theirs),
            _added(self.origins.inferred, self.inferred, other.origins.inferred, other.inferred),
        )
        for column in COLUMNS:
            setattr(self, column, getattr(self, column) or getattr(other, column))
        self.attributes = other.attributes | self.attributes
        self.inferred = other.inferred | self.inferred
        if permission.OBJECTION in self.attributes:
            self.inferred = {}
        self.known = self.known or other.known
        self.see(other.first_seen_at)
        self.see(other.last_seen_at)

    def part(self, was: Self, joined: Self) -> Parted:
        """Give up what an absorption brought, unless it changed since; returns what was given up.

        ``was`` is this profile before it, ``joined`` right after it.
        """
        columns = {
            name for name in COLUMNS if getattr(was, name) != getattr(joined, name) == getattr(self, name)
        }
        for name in columns:
            setattr(self, name, getattr(was, name))
        declared = _brought(was.attributes, joined.attributes, self.attributes)
        inferred = _brought(was.inferred, joined.inferred, self.inferred)
        self.attributes = _without(self.attributes, declared, was.attributes)
        self.inferred = _without(self.inferred, inferred, was.inferred)
        self.origins = Origins(
            _without(self.origins.declared, columns | declared, was.origins.declared),
            _without(self.origins.inferred, inferred, was.origins.inferred),
        )
        if self.first_seen_at == joined.first_seen_at:
            self.first_seen_at = was.first_seen_at
        if self.last_seen_at == joined.last_seen_at:
            self.last_seen_at = was.last_seen_at
        return Parted(frozenset(columns), frozenset(declared), frozenset(inferred))

    def refill(self, other: Self, given_up: Parted) -> None:
        """Take over from ``other`` again, of what was given up: it knew too what another had known first."""
        mine = msgspec.structs.replace(
            other,
            first_seen_at=self.first_seen_at,
            last_seen_at=self.last_seen_at,
            attributes={key: value for key, value in other.attributes.items() if key in given_up.declared},
            inferred={key: value for key, value in other.inferred.items() if key in given_up.inferred},
            **{name: "" for name in COLUMNS if name not in given_up.columns},
        )
        self.absorb(mine)

    def _take_name(self, own: Mapping[str, Any]) -> None:
        name = own.get("name")
        if isinstance(name, str) and not (self.first_name or self.last_name):
            first, _space, last = name.strip().partition(" ")
            self.first_name, self.last_name = first[:_LONGEST_NAME], last.strip()[:_LONGEST_NAME]

    def _take_address(self, own: dict[str, Any]) -> None:
        address = own.get("address")
        if not isinstance(address, dict):
            return
        self.country = normalise.country(address.get("country")) or self.country
        for key in _IN_ADDRESS:
            if isinstance(address.get(key), str) and key not in own:
                own[key] = address[key]

    def _keep(self, own: Mapping[str, Any]) -> None:
        kept = dict(self.attributes)
        for key, value in own.items():
            if value is None:
                kept.pop(key, None)
            elif 0 < len(key) <= LONGEST_KEY and (key in kept or len(kept) < MOST_KEYS):
                kept[key] = value
        if len(msgspec.json.encode(kept)) <= MOST_BYTES:
            self.attributes = kept

    def _infer(self, now: datetime) -> None:
        if self.timezone:
            return
        zone = places.zone_of_phone(self.phone, now) or places.zone_of_country(self.country, now)
        if zone and "timezone" not in self.inferred:
            self.conclude({"timezone": zone}, Origin.told("place", now))


def _brought(was: Mapping[str, Any], joined: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """Names whose value of now is the one that joining brought."""
    changed = {name for name in {**was, **joined} if was.get(name) != joined.get(name)}
    return {name for name in changed if now.get(name) == joined.get(name)}


def _without(values: Mapping[str, _V], names: Collection[str], was: Mapping[str, _V]) -> dict[str, _V]:
    """``values`` with those of ``names`` as they were."""
    kept = {name: value for name, value in values.items() if name not in names}
    return kept | {name: was[name] for name in names if name in was}


_TOLD = [
    name
    for name in Profile.__struct_fields__
    if not name.endswith("_at") and name not in {"id", "slot", "public_id", "origins"}
]


def _traced(
    origins: Mapping[str, Origin],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    origin: Origin | None,
) -> dict[str, Origin]:
    """Origins once ``before`` has become ``after``: what changed has ``origin``, what is gone has none."""
    if not before:
        return dict.fromkeys(after, origin) if origin else {}
    kept = {name: of for name, of in origins.items() if name in after and before.get(name) == after[name]}
    if origin is None:
        return kept
    return kept | {name: origin for name, value in after.items() if before.get(name) != value}


def _added(
    origins: Mapping[str, Origin],
    held: Mapping[str, Any],
    others: Mapping[str, Origin],
    theirs: Mapping[str, Any],
) -> dict[str, Origin]:
    taken = {name: of for name, of in others.items() if name in theirs and name not in held}
    return {**origins, **taken}


def _text(value: object) -> str | None:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text[:_LONGEST_NAME] or None


_READERS: dict[str, Callable[[object], str | None]] = {
    "first_name": _text,
    "last_name": _text,
    "email": normalise.email,
    "language": normalise.language,
    "timezone": normalise.time_zone,
    "country": normalise.country,
}


def read(column: str, value: object, region: str | None) -> str | None:
    """The one form of a column's value; None where it cannot be used."""
    return normalise.phone(value, region) if column == "phone" else _READERS[column](value)
