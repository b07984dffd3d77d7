"""From the cells of a row to what it says about a person, or to the reason why it cannot be used. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from contacts import normalise
from contacts.directory import ANONYMOUS, EMAIL, PHONE, USER, Identifier
from contacts.exchange import cells, guarding
from contacts.exchange.cells import Unreadable
from contacts.exchange.mapping import EVENTS, SUPPRESSIONS, Mapping
from contacts.exchange.sheets import Broken, Format, Row

_KINDS = {"user_id": USER, "email": EMAIL, "phone": PHONE, "anonymous_id": ANONYMOUS}
_TRAITS = frozenset({"first_name", "last_name", "name", "language", "timezone", "country"})
_CHECKED: dict[str, Callable[[object], str | None]] = {
    "language": normalise.language,
    "timezone": normalise.time_zone,
    "country": normalise.country,
}
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

    @property
    def surroundings(self) -> dict[str, Any]:
        return {}


class Refused(NamedTuple):
    """A line that is not imported, and why."""

    number: int
    cells: list[str]
    code: str
    column: str = ""


class LineReader:
    """Reads rows by a mapping. One for a file; holds no rows."""

    def __init__(self, what: str, form: Format, mapping: Mapping, now: datetime, origin: str) -> None:
        self._what, self._mapping, self._now, self._origin = what, mapping, now, origin
        self._width = len(form.columns)
        self._zone, self._dates = ZoneInfo(mapping.zone), form.dates
        self._leave_out = mapping.faulty == "leave_out"
        self._clear = mapping.empty == "clear"
        columns = [*mapping.columns][: self._width]
        self._plan = [
            (place, column.to, self._convert(column.to, column.kind, form), form.columns[place])
            for place, column in enumerate(columns)
            if column.to
        ]
        self._constants = [
            (one.to, self._convert(one.to, "text", form)(one.value)) for one in mapping.constants if one.value
        ]
        # Read before the others: it says how phone numbers without a country code are meant.
        self._country = next((place for place, to, _convert, _name in self._plan if to == "country"), None)

    def _convert(self, to: str, kind: str, form: Format) -> cells.Convert:
        if to.startswith("consent:"):
            return cells.boolean
        if to in {"time", "consent_at"}:
            return lambda text: cells.moment(text, self._dates, self._zone)
        if not to.startswith(("attribute:", "property:")):
            kind = "text"
        return cells.converter(kind, decimal=form.decimal, dates=form.dates, zone=self._zone)

    def read(self, row: Row | Broken) -> Line | Refused:
        if isinstance(row, Broken):
            return Refused(row.line, row.cells, row.code)
        texts = row.cells
        if len(texts) > self._width and any(texts[self._width :]):
            return Refused(row.line, texts, "columns")
        found: dict[str, Any] = dict(self._constants)
        for place, to, convert, name in self._plan:
            # A line may be shorter: spreadsheets leave out empty cells at its end.
            text = texts[place].strip() if place < len(texts) else ""
            if not text:
                if self._clear:
                    found[to] = None
                continue
            if "\0" in text:
                return Refused(row.line, texts, "nul", name)
            if text[0] == "'":
                text = guarding.unguard(text)
            try:
                found[to] = self._checked(to, convert(text), texts)
            except Unreadable as problem:
                if not self._leave_out:
                    return Refused(row.line, texts, str(problem), name)
        return self._line(row, found)

    def _checked(self, to: str, value: Any, texts: Sequence[str]) -> Any:
        if to == "email":
            return _or_unreadable(normalise.email(value), "bad_email")
        if to == "phone":
            return _or_unreadable(normalise.phone(value, self._region(texts)), "bad_phone")
        if to in _CHECKED:
            return _or_unreadable(_CHECKED[to](value), f"bad_{to}")
        if to in {"user_id", "anonymous_id"}:
            return _or_unreadable(normalise.identifier(value), "bad_id")
        if to in _TRAITS and len(value) > _LONGEST_NAME:
            raise Unreadable("too_long")
        return value

    def _region(self, texts: Sequence[str]) -> str | None:
        own = texts[self._country] if self._country is not None and self._country < len(texts) else ""
        return (normalise.country(own) if own else None) or self._mapping.region or None

    def _line(self, row: Row, found: dict[str, Any]) -> Line | Refused:
        identifiers = tuple(
            Identifier(_KINDS[to], value)
            for to in ("user_id", "email", "phone", "anonymous_id")
            if to in self._mapping.match and (value := found.get(to))
        )
        if not identifiers:
            return Refused(row.line, row.cells, "no_identifier")
        line = Line(row.line, row.cells, identifiers, {}, self._now, origin=self._origin)
        if self._what == EVENTS:
            return self._event(line, found)
        if self._what == SUPPRESSIONS:
            line.note = found.get("note") or ""
            return line
        self._person(line, found)
        return line

    def _person(self, line: Line, found: dict[str, Any]) -> None:
        traits = line.traits
        for to, value in found.items():
            head, _colon, name = to.partition(":")
            if to in _TRAITS or to in {"email", "phone"}:
                traits[to] = value
            elif head == "attribute":
                traits[name] = value
            elif head == "consent" and value is not None:
                channel, _colon, purpose = name.partition(":")
                line.wishes.append(Wish(channel, purpose, value))
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


def _or_unreadable(value: str | None, code: str) -> str:
    if value is None:
        raise Unreadable(code)
    return value
