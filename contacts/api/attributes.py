"""Attributes: which names contacts have values under, and of what type they are."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields
from contacts.segmentation import vocabulary


class AttributeShape(Fields):
    name = serializers.CharField()
    type = serializers.CharField(help_text="text, number, flag, date, list or object.")
    column = serializers.BooleanField(help_text="A field of its own, not among attributes.")


class Attributes(Endpoint):
    scopes = {"GET": "contacts:read"}

    @operation("list_attributes", "Names that contacts have values under", answer=AttributeShape, many=True)
    def get(self, call: Call) -> Any:
        """Fields first, then your own by how many contacts have them, as seen in a sample of contacts."""
        return [
            {"name": term.name, "type": term.type, "column": term.column} for term in vocabulary.attributes()
        ]
