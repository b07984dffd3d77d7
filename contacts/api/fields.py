"""Bodies and filters as serializers that know their fields: an unknown one is refused by name."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

PAGE, LARGEST_PAGE = 50, 500
_NAMED = 100
"Characters of an unknown name that are repeated in the answer."


# Base of every body and every set of filters. (A docstring would appear in the schema.)
class Fields(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            writable = {field.field_name for field in self._writable_fields}
            unknown = [name for name in data if name not in writable]
            if unknown:
                message = "There is no such field here."
                if (first := unknown[0]) in self.fields:
                    message = "This field cannot be set."
                raise ValidationError({str(first)[:_NAMED]: message}, "unknown_field")
        return super().to_internal_value(data)


class PageQuery(Fields):
    cursor = serializers.CharField(required=False, help_text="`next` of the page before.")
    limit = serializers.IntegerField(
        required=False, default=PAGE, min_value=1, max_value=LARGEST_PAGE, help_text="Items of a page."
    )


def read_query(serializer: type[Fields], request: Request) -> dict[str, Any]:
    """The checked parameters of an address. Names of lists may come several times, others once."""
    fields = serializer().fields
    given: dict[str, Any] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        if isinstance(fields.get(name), serializers.ListField):
            given[name] = values
        elif len(values) > 1 and name in fields:
            raise ValidationError({name: "This parameter may come once."}, "repeated_parameter")
        else:
            given[name] = values[0]
    found = serializer(data=given)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)
