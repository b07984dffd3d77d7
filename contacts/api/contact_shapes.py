"""How a contact looks from outside, and how programs name and describe one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts import finding
from contacts.api.errors import bad_request
from contacts.api.fields import Fields
from contacts.models import Contact, Identifier
from contacts.upsert_checks import NAMED, Fault
from contacts.upserting import CREATED, REJECTED, UNCHANGED, UPDATED


class IdentifierShape(Fields):
    kind = serializers.ChoiceField(choices=Identifier.Kind.values)
    value = serializers.CharField()


class ContactShape(Fields):
    id = serializers.UUIDField(
        help_text="Public id; it stays, also when others are merged into this contact."
    )
    email = serializers.CharField(help_text="Empty where it is not known, as all texts.")
    phone = serializers.CharField(help_text="E.164.")
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    language = serializers.CharField()
    timezone = serializers.CharField(help_text="IANA name.")
    country = serializers.CharField(help_text="ISO 3166, two letters.")
    known = serializers.BooleanField(help_text="Has a user id, an email or a phone.")
    attributes = serializers.DictField(help_text="Declared: told by the person or by you.")
    inferred = serializers.DictField(help_text="Concluded from what the person did; declared wins.")
    identifiers = IdentifierShape(many=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ContactWithSegments(ContactShape):
    segments = serializers.ListField(child=serializers.CharField(), help_text="Slugs.")


class ContactBody(Fields):
    """A contact to create or change. At least one identifier; null removes, what is absent stays."""

    user_id = serializers.CharField(required=False, allow_null=True, max_length=512)
    email = serializers.CharField(required=False, allow_null=True)
    phone = serializers.CharField(required=False, allow_null=True, help_text="With its country code.")
    anonymous_id = serializers.CharField(required=False, allow_null=True, max_length=512)
    first_name = serializers.CharField(required=False, allow_null=True, max_length=200)
    last_name = serializers.CharField(required=False, allow_null=True, max_length=200)
    language = serializers.CharField(required=False, allow_null=True)
    timezone = serializers.CharField(required=False, allow_null=True)
    country = serializers.CharField(required=False, allow_null=True)
    attributes = serializers.DictField(required=False, help_text="Values of your own; null removes one.")


# What is in an item is checked by the act that stores it, item by item, not by a serializer for all.
@extend_schema_field(ContactBody)
class ContactItem(serializers.JSONField):
    pass


class FaultShape(Fields):
    field = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()


class OutcomeShape(Fields):
    status = serializers.ChoiceField(choices=[CREATED, UPDATED, UNCHANGED, REJECTED])
    id = serializers.UUIDField(allow_null=True)
    not_kept = serializers.ListField(
        child=serializers.CharField(), help_text="Attributes for which the contact has no room left."
    )
    errors = FaultShape(many=True, help_text="Why it was rejected.")  # type: ignore[assignment]


class Who(Fields):
    """One contact, by exactly one of its names."""

    id = serializers.CharField(required=False, help_text="Public id.")
    user_id = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False, help_text="With its country code.")
    anonymous_id = serializers.CharField(required=False)
    device_id = serializers.CharField(required=False)


#: The names by which a contact can be asked for.
NAMES = ("id", *finding.KINDS)


def name_of(given: dict[str, Any]) -> finding.Name | None:
    """The one name in what a ``Who`` let through. Raises Refused for none and for several."""
    called = [name for name in NAMES if name in given]
    if len(called) != 1:
        raise bad_request("one_name_needed", f"Name exactly one of {', '.join(NAMES)}.", "id")
    return finding.name(called[0], given[called[0]])


def draw(contacts: Iterable[Contact]) -> list[dict[str, Any]]:
    """Contacts as they look from outside. One statement, whatever the number."""
    rows = list(contacts)
    held = identifiers_of([row.pk for row in rows])
    return [
        {
            "id": row.public_id,
            **{name: getattr(row, name) for name in NAMED},
            "known": row.known,
            "attributes": row.attributes,
            "inferred": row.inferred,
            "identifiers": held.get(row.pk, []),
            "first_seen_at": row.first_seen_at,
            "last_seen_at": row.last_seen_at,
            "updated_at": row.updated_at,
        }
        for row in rows
    ]


def identifiers_of(contact_ids: Collection[int]) -> dict[int, list[dict[str, str]]]:
    found: dict[int, list[dict[str, str]]] = {}
    rows = Identifier.objects.filter(contact_id__in=contact_ids).order_by("kind", "value")
    for contact_id, kind, value in rows.values_list("contact_id", "kind", "value"):
        found.setdefault(contact_id, []).append({"kind": kind, "value": value})
    return found


def draw_faults(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [fault._asdict() for fault in faults]
