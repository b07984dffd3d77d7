"""One contact as a program describes it: read, checked, and brought to its one form. Pure.

Ingest takes what it can from an event, because its sender cannot be asked again. A program that writes a
contact can: whatever would not be kept exactly as told is an error that names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from contacts import normalise, permission, profile
from contacts.directory import ANONYMOUS, EMAIL, PHONE, USER, Identifier

#: Fields of a contact beside its free attributes.
NAMED = ("email", "phone", "first_name", "last_name", "language", "timezone", "country")
FIELDS = frozenset({"user_id", "anonymous_id", "attributes", *NAMED})
_LONGEST_NAME = 200


class Fault(NamedTuple):
    """What is wrong with one field."""

    field: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Said:
    """One readable contact, in the form in which ``contacts.recognising`` takes it."""

    identifiers: tuple[Identifier, ...]
    occurred_at: datetime
    traits: dict[str, Any]
    origin: str
    surroundings: dict[str, Any] = field(default_factory=dict)
    normal: bool = False


def read(item: Any, origin: str, now: datetime) -> Said | list[Fault]:
    """What ``item``, decoded JSON, says of a contact, or all that is wrong with it."""
    if not isinstance(item, dict):
        return [Fault(None, "invalid", "A contact is an object.")]
    faults: list[Fault] = []
    for name in item.keys() - FIELDS:
        message = "There is no such field here; values of your own belong into attributes."
        faults.append(Fault(name[: profile.LONGEST_KEY], "unknown_field", message))
    traits, identifiers = _named(item, faults)
    traits |= _attributes(item.get("attributes"), faults)
    if not faults and not identifiers:
        message = "One of user_id, email, phone and anonymous_id is needed."
        faults.append(Fault("user_id", "required", message))
    if faults:
        return sorted(faults, key=lambda fault: fault.field or "")
    return Said(tuple(identifiers), now, traits, origin)


def _named(item: Mapping[str, Any], faults: list[Fault]) -> tuple[dict[str, Any], list[Identifier]]:
    traits: dict[str, Any] = {}
    country = normalise.country(item.get("country"))
    readers: dict[str, Callable[[Any], str | None]] = {
        "email": normalise.email,
        "phone": lambda value: normalise.phone(value, country),
        "first_name": _name,
        "last_name": _name,
        "language": normalise.language,
        "timezone": normalise.time_zone,
        "country": normalise.country,
    }
    for name in NAMED:
        if name in item:
            value = item[name]
            traits[name] = None if value is None or value == "" else readers[name](value)
            if traits[name] is None and value not in (None, ""):
                faults.append(Fault(name, "invalid", _WRONG[name]))
    found = [Identifier(USER, _id(item, "user_id", faults))]
    found += [Identifier(kind, traits.get(kind) or "") for kind in (EMAIL, PHONE)]
    found.append(Identifier(ANONYMOUS, _id(item, "anonymous_id", faults)))
    return traits, [one for one in found if one.value]


def _id(item: Mapping[str, Any], name: str, faults: list[Fault]) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found = normalise.identifier(value) if isinstance(value, str) else None
    if found is None:
        message = f"At most {normalise.LONGEST_ID} characters, and none of the words that mean nobody."
        faults.append(Fault(name, "invalid", message))
    return found or ""


def _attributes(given: Any, faults: list[Fault]) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        faults.append(Fault("attributes", "invalid", "attributes is an object."))
        return {}
    for name in given:
        path = f"attributes.{name}"
        if not 0 < len(name) <= profile.LONGEST_KEY:
            message = f"A name has 1 to {profile.LONGEST_KEY} characters."
            faults.append(Fault(path[: profile.LONGEST_KEY], "invalid", message))
        elif profile.column_of(name) or name == permission.PAUSE:
            faults.append(Fault(path, "reserved", "This name stands for a field of its own."))
    if len(given) > profile.MOST_KEYS or len(msgspec.json.encode(given)) > profile.MOST_BYTES:
        size = f"{profile.MOST_KEYS} values and {profile.MOST_BYTES // 1024} KB"
        faults.append(Fault("attributes", "too_large", f"A contact has at most {size} of attributes."))
    return dict(given)


def _name(value: Any) -> str | None:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if 0 < len(text) <= _LONGEST_NAME else None


_WRONG = {
    "email": "This is no email address that mail can be sent to.",
    "phone": "This is no phone number; write it with its country code, as in +33612345678.",
    "first_name": f"A text of at most {_LONGEST_NAME} characters is needed.",
    "last_name": f"A text of at most {_LONGEST_NAME} characters is needed.",
    "language": "This is no language tag, such as fr or fr-CA.",
    "timezone": "This is no IANA time zone, such as Europe/Paris.",
    "country": "This is no country of ISO 3166, in two letters.",
}
