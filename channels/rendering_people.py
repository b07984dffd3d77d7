"""What a template may know: the person, what started the message, and the links every message needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import msgspec
import psycopg
from django.db import connection

from channels.rendering_liquid import plain

#: Names that a journey's variables cannot take, because every template relies on them.
_OURS = frozenset({"contact", "message", "organisation", "feeds", "variants"})
#: What analytics suggests to a person, under the name that templates use.
PRODUCTS = "recommended_products"


class Written(Protocol):
    """The part of a message that its words depend on."""

    @property
    def id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def variables(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as plain values."""

    id: int
    public_id: UUID
    language: str
    values: Mapping[str, Any]
    products: list[Any]


_COLUMNS = ("email", "phone", "first_name", "last_name", "language", "timezone", "country")


def people(contact_ids: Collection[int]) -> dict[int, Person]:
    """The contacts by id, with what is predicted about them; two statements whatever the number."""
    ids = sorted(contact_ids)
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_SUGGESTED, [PRODUCTS, ids])
        suggested = {contact_id: _read(value).get("products", []) for contact_id, value in cursor.fetchall()}
        cursor.execute(_PEOPLE, [ids])
        return {row[0]: _person(row, suggested.get(row[0], [])) for row in cursor.fetchall()}


def _person(row: Sequence[Any], products: list[Any]) -> Person:
    contact_id, public_id, inferred, attributes, *columns = row
    values = {
        **plain(_read(inferred)),
        **plain(_read(attributes)),
        **{name: plain(value) for name, value in zip(_COLUMNS, columns, strict=True) if value},
    }
    return Person(contact_id, public_id, columns[_LANGUAGE], values, plain(products))


def _read(value: Any) -> dict[str, Any]:
    """Django's connections leave JSON as text."""
    found: dict[str, Any] = msgspec.json.decode(value) if isinstance(value, str | bytes) else value
    return found


_LANGUAGE = _COLUMNS.index("language")
_SUGGESTED = (
    "SELECT contact_id, value FROM contacts_prediction WHERE name = %b AND contact_id = ANY(%b::int8[])"
)
_PEOPLE = (
    f"SELECT id, public_id, inferred, attributes, {', '.join(_COLUMNS)}"  # noqa: S608 (our own names)
    " FROM contacts_contact WHERE id = ANY(%b::int8[])"
)


def variables(message: Written) -> dict[str, Any]:
    """What started the message, as templates may see it."""
    return {key: plain(value) for key, value in message.variables.items() if key not in _OURS}


def context(
    person: Person,
    message: Written,
    links: Mapping[str, str],
    organisation: Mapping[str, str],
    best_sellers: Sequence[Any] = (),
    own: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The names that the message's template may use. ``products`` is always a list, to loop over.

    ``best_sellers`` are plain already, and so is ``own``: the message's ``variables``, made before.
    """
    return {
        "products": person.products or best_sellers,
        "event": {},
        **(variables(message) if own is None else own),
        "contact": person.values,
        "message": {"id": message.id, **links},
        "organisation": organisation,
    }
