"""From the cells of a row to what it says about a person, or to the reason why it cannot be used. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from contacts import normalise, profile
from contacts.directory import ANONYMOUS, EMAIL, PHONE, USER, Identifier
from contacts.exchange import cells, guarding
from contacts.exchange.cells import Unreadable
from contacts.exchange.mapping import EVENTS, SUPPRESSIONS, Column, Mapping
from contacts.exchange.sheets import Broken, Format, Row

_KINDS = {"user_id": USER, "email": EMAIL, "phone": PHONE, "anonymous_id": ANONYMOUS}
_TRAITS = frozenset({"name", *profile.COLUMNS})
_KEPT = ("attribute:", "property:", "consent:")
_REPEATED = frozenset({"first_name", "last_name", "language", "timezone", "country", "event"})
_SHORT = 64
_MOST_KNOWN = 20_000
"Cells of all columns together that a reader remembers."
_NOTHING = object()
_LONGEST_NAME = 200


class Wish(NamedTuple):
    """What a line says about one channel and purpose."""

    channel: str
    purpose: str
    given: bool


@dataclass(slots=True)
class Line:
    """One line that can be used. ``event`` is (name, message id, properties) where events are imported."""

    number: int
    cells: list[str]
    identifiers: tuple[Identifier, ...]
    traits: dict[str, Any]
    occurred_at: datetime
    wishes: list[Wish] = field(default_factory=list)
    wished_at: datetime | None = None
    wording: str = ""
    proof: str = ""
    event: tuple[str, str, dict[str, Any]] | None = None
    note: str = ""
    origin: str = ""
    normal: bool = False
    "Whether traits that have a column are in their one form."

    @property
    def surroundings(self) -> dict[str, Any]:
        return {}


class Refused(NamedTuple):
    """A line that is not imported, and why."""

    number: int
    cells: list[str]
    code: str
    column: str = ""


class _Column(NamedTuple):
    """How a column's cells are read. ``known`` keeps what short ones came to: many lines say the same."""

    place: int
    to: str
    name: str
    convert: cells.Convert
    check: Callable[[Any, Sequence[str]], Any] | None
    known: dict[str, Any] | None


class LineReader:
    """Reads rows by a mapping. One for a file; holds no rows."""

    def __init__(self, what: str, form: Format, mapping: Mapping, now: datetime, origin: str) -> None:
        self._what, self._mapping, self._now, self._origin = what, mapping, now, origin
        self._width = len(form.columns)
        self._zone, self._dates = ZoneInfo(mapping.zone), form.dates
        self._leave_out = mapping.faulty == "leave_out"
        self._clear = mapping.empty == "clear"
        columns = [*mapping.columns][: self._width]
        self._plan = [self._column(place, column, form) for place, column in enumerate(columns) if column.to]
        self._constants = [
            (one.to, self._convert(one.to, "text", form)(one.value)) for one in mapping.constants if one.value
        ]
        # Asked for with each phone number: it says how those without a country code are meant.
        self._country = next((column.place for column in self._plan if column.to == "country"), None)
        targets = [one.to for one in mapping.constants] + [column.to for column in self._plan]
        self._identifiers = [
            (to, kind) for to, kind in _KINDS.items() if to in mapping.match and to in targets
        ]
        self._traits = [(to, name) for to in targets if (name := _trait(to))]
        self._wishes = [(to, *to.split(":")[1:3]) for to in targets if to.startswith("consent:")]
        # An attribute whose name belongs to a column would come unread.
        self._normal = not mapping.constants and not any(
            to.startswith("attribute:") and profile.column_of(name) for to, name in self._traits
        )

    def _column(self, place: int, column: Column, form: Format) -> _Column:
        to = column.to
        own = to.startswith(_KEPT) or to in _REPEATED
        return _Column(
            place,
            to,
            form.columns[place],
            self._convert(to, column.kind, form),
            self._check(to),
            {} if own else None,
        )

    def _convert(self, to: str, kind: str, form: Format) -> cells.Convert:
        if to.startswith("consent:"):
            return cells.boolean
        if to in {"time", "consent_at"}:
            return lambda text: cells.moment(text, self._dates, self._zone)
        if not to.startswith(("attribute:", "property:")):
            kind = "text"
        return cells.converter(kind, decimal=form.decimal, dates=form.dates, zone=self._zone)

    def _check(self, to: str) -> Callable[[Any, Sequence[str]], Any] | None:
        """What is asked of the values that ``to`` means, and the one form they get."""
        if to == "phone":
            return lambda value, texts: normalise.phone(value, self._region(texts))
        if to in {"user_id", "anonymous_id"}:
            return lambda value, _texts: normalise.identifier(value)
        if to == "name":
            return lambda value, _texts: _not_too_long(value)
        if to in {"first_name", "last_name"}:
            return lambda value, _texts: profile.read(to, _not_too_long(value), None)
        if to in profile.COLUMNS:
            return lambda value, _texts: profile.read(to, value, None)
        return None

    def read(self, row: Row | Broken) -> Line | Refused:
        if isinstance(row, Broken):
            return Refused(row.line, row.cells, row.code)
        texts = row.cells
        count = len(texts)
        if count > self._width and any(texts[self._width :]):
            return Refused(row.line, texts, "columns")
        found: dict[str, Any] = dict(self._constants)
        for column in self._plan:
            place, to, name, _convert, _check, known = column
            # A line may be shorter: spreadsheets leave out empty cells at its end.
            text = texts[place] if place < count else ""
            if known is None or (value := known.get(text)) is None:
                try:
                    value = self._value(column, text.strip(), texts)
                except Unreadable as problem:
                    if not self._leave_out or str(problem) == "nul":
                        return Refused(row.line, texts, str(problem), name)
                    continue
                if known is not None and len(text) < _SHORT and len(known) < _MOST_KNOWN // len(self._plan):
                    known[text] = value
            if value is not _NOTHING:
                found[to] = value
            elif self._clear:
                found[to] = None
        return self._line(row, found)

    def _value(self, column: _Column, text: str, texts: Sequence[str]) -> Any:
        """What a cell says. Raises Unreadable."""
        if not text:
            return _NOTHING
        if "\0" in text:
            raise Unreadable("nul")
        if text[0] == "'":
            text = guarding.unguard(text)
        value = column.convert(text)
        if column.check and (value := column.check(value, texts)) is None:
            raise Unreadable("bad_id" if column.to in {"user_id", "anonymous_id"} else f"bad_{column.to}")
        return value

    def _region(self, texts: Sequence[str]) -> str | None:
        own = texts[self._country] if self._country is not None and self._country < len(texts) else ""
        return (normalise.country(own) if own else None) or self._mapping.region or None

    def _line(self, row: Row, found: dict[str, Any]) -> Line | Refused:
        identifiers = tuple(
            [Identifier(kind, value) for to, kind in self._identifiers if (value := found.get(to))]
        )
        if not identifiers:
            return Refused(row.line, row.cells, "no_identifier")
        line = Line(row.line, row.cells, identifiers, {}, self._now, origin=self._origin, normal=self._normal)
        if self._what == EVENTS:
            return self._event(line, found)
        if self._what == SUPPRESSIONS:
            line.note = found.get("note") or ""
            return line
        self._person(line, found)
        return line

    def _person(self, line: Line, found: dict[str, Any]) -> None:
        line.traits = {name: found[to] for to, name in self._traits if to in found}
        line.wishes = [
            Wish(channel, purpose, found[to])
            for to, channel, purpose in self._wishes
            if found.get(to) is not None
        ]
        if line.wishes:
            line.wished_at = found.get("consent_at")
            line.proof = found.get("consent_proof") or ""
            line.wording = (found.get("consent_wording") or self._mapping.wording)[:60]

    def _event(self, line: Line, found: dict[str, Any]) -> Line | Refused:
        name, at = found.get("event"), found.get("time")
        if not name or at is None:
            return Refused(line.number, line.cells, "no_event" if not name else "no_time")
        if len(name) > 200:
            return Refused(line.number, line.cells, "too_long", "event")
        if at > self._now:
            return Refused(line.number, line.cells, "in_future", "time")
        properties = {
            to[9:]: value for to, value in found.items() if to.startswith("property:") and value is not None
        }
        line.occurred_at = at
        line.traits = {to: found[to] for to in ("email", "phone") if found.get(to)}
        line.event = (name, found.get("message_id") or _digest(line, name, properties), properties)
        return line


def _digest(line: Line, name: str, properties: dict[str, Any]) -> str:
    """What makes a line without an id of its own the same line again."""
    said = [line.identifiers, name, line.occurred_at, sorted(properties.items())]
    return "line-" + hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:40]


def _trait(to: str) -> str:
    """The name under which a profile takes what ``to`` means; empty if it is no trait."""
    head, _colon, name = to.partition(":")
    return name if head == "attribute" else to if to in _TRAITS else ""


def _not_too_long(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise Unreadable("too_long")
    return name
