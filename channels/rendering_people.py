"""What a template may know: the person, what started the message, and the links every message needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q

from channels.rendering_liquid import plain
from contacts.models import Contact, Prediction

#: Names that a journey's variables cannot take, because every template relies on them.
_OURS = frozenset({"contact", "message", "organisation"})
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
    suggested: dict[int, list[Any]] = {
        contact_id: value.get("products", [])
        for contact_id, value in Prediction.objects.filter(
            Q(contact_id__in=contact_ids), name=PRODUCTS
        ).values_list("contact_id", "value")
    }
    found = {}
    for contact in Contact.objects.filter(id__in=contact_ids).iterator():
        values = {
            **plain(contact.inferred),
            **plain(contact.attributes),
            **{name: plain(getattr(contact, name)) for name in _COLUMNS if getattr(contact, name)},
        }
        found[contact.id] = Person(
            contact.id, contact.public_id, contact.language, values, plain(suggested.get(contact.id, []))
        )
    return found


def context(
    person: Person,
    message: Written,
    links: Mapping[str, str],
    organisation: Mapping[str, str],
    best_sellers: Sequence[Any] = (),
) -> dict[str, Any]:
    """The names that the message's template may use. ``products`` is always a list, to loop over."""
    own = {key: value for key, value in message.variables.items() if key not in _OURS}
    return {
        "products": person.products or plain(best_sellers),
        "event": {},
        **plain(own),
        "contact": dict(person.values),
        "message": {"id": message.id, **links},
        "organisation": dict(organisation),
    }
