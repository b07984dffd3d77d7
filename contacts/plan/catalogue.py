"""What the plan expects of an event's properties, and where a given event differs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

TYPES = ("text", "number", "integer", "boolean", "time", "list", "object")
"Of a planned property. An integer is a number, and a time is a text in ISO 8601."
ANY = "any"
MOST_PROPERTIES = 200
LONGEST_NAME = 256
_MOST_LEARNED = 60
_LONGEST_EXAMPLE = 80
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?", re.ASCII)

MISSING, WRONG_TYPE, SERVER_ONLY = "missing", "wrong_type", "server_only"


class Property(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One expected property."""

    name: str
    type: str = ANY
    required: bool = False


class Planned(NamedTuple):
    """One expected event."""

    properties: tuple[Property, ...] = ()
    server_only: bool = False


class Problem(NamedTuple):
    """How an event differs from the plan: a code of ``PlanViolation``, the property, and what was found."""

    code: str
    property: str = ""
    example: str = ""

    def words(self) -> str:
        match self.code:
            case "missing":
                return f"{self.property} is required and missing"
            case "wrong_type":
                return f"{self.property} is of another type: {self.example}"
            case "server_only":
                return "the plan takes this event from server keys only"
        return f"{self.property}: {self.example}"


def problems(planned: Planned, properties: Mapping[str, Any]) -> list[Problem]:
    """Where ``properties`` differ from what is planned. Properties beyond the plan are no problem."""
    found = []
    for expected in planned.properties:
        value = properties.get(expected.name)
        if value is None:
            if expected.required:
                found.append(Problem(MISSING, expected.name))
        elif expected.type != ANY and not fits(value, expected.type):
            found.append(Problem(WRONG_TYPE, expected.name, _shown(value)))
    return found


def fits(value: object, wanted: str) -> bool:
    """Whether a JSON value is of the type ``wanted``, one of ``TYPES``."""
    match wanted:
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "integer":
            return (isinstance(value, int) and not isinstance(value, bool)) or (
                isinstance(value, float) and value.is_integer()
            )
        case "time":
            return isinstance(value, str) and _TIME.fullmatch(value) is not None
    return type_of(value) == wanted


def type_of(value: object) -> str:
    """The type that a value shows by itself; a text that is a time counts as one."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "object"
    return ANY


def learned(properties: Mapping[str, Any]) -> dict[str, str]:
    """Names and types of an event's properties, as far as one may wish to plan them."""
    shapes: dict[str, str] = {}
    for name, value in properties.items():
        if len(shapes) == _MOST_LEARNED:
            break
        if value is not None and 0 < len(name) <= LONGEST_NAME:
            shapes[name] = "time" if fits(value, "time") else type_of(value)
    return shapes


class PlanError(ValueError):
    """A planned event's properties are not what a plan can hold; the text says what is wrong."""


def checked(properties: object) -> list[dict[str, Any]]:
    """``properties`` in the form in which they are stored. Raises ``PlanError``."""
    try:
        found = msgspec.convert(properties, list[Property])
    except msgspec.ValidationError as error:
        raise PlanError(str(error)) from None
    names = [one.name.strip() for one in found]
    if len(found) > MOST_PROPERTIES:
        raise PlanError(f"at most {MOST_PROPERTIES} properties of an event can be planned")
    for one, name in zip(found, names, strict=True):
        if not plannable(name):
            raise PlanError(f"a property's name is one line of 1 to {LONGEST_NAME} characters")
        if one.type not in (*TYPES, ANY):
            raise PlanError(f"{name}: the type is one of {', '.join((*TYPES, ANY))}")
        if names.count(name) > 1:
            raise PlanError(f"{name} is listed twice")
    return [
        {"name": name, "type": one.type, "required": one.required}
        for one, name in zip(found, names, strict=True)
    ]


def plannable(name: str) -> bool:
    """Whether a property of this name can be planned: a plan is edited as lines."""
    return (
        0 < len(name) <= LONGEST_NAME
        and name.strip() == name
        and [name] == name.splitlines()
        and "\0" not in name
    )


@lru_cache(maxsize=2_000)
def planned(properties: str, server_only: bool) -> Planned:
    """A planned event out of its stored JSON text."""
    return Planned(tuple(_PROPERTIES.decode(properties)), server_only)


_PROPERTIES: msgspec.json.Decoder[Sequence[Property]] = msgspec.json.Decoder(list[Property])


def _shown(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"
