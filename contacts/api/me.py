"""Who the API takes the caller for: the first request of every integration."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from contacts.api import callers
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields
from contacts.models import ApiKey


class Me(Fields):
    kind = serializers.ChoiceField(choices=["key", "person"])
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)


class MeEndpoint(Endpoint):
    scopes = {"GET": callers.ANY_CALLER}

    @operation("get_me", "Who you are and what you may do", answer=Me)
    def get(self, call: Call) -> Any:
        if isinstance(key := call.request.auth, ApiKey):
            return {"kind": "key", "name": key.name, "scopes": key.scopes, "expires_at": key.expires_at}
        user = call.request.user
        scopes = [name for name, one in settings.SEGUE_API_SCOPES.items() if user.has_perm(one.permission)]
        return {"kind": "person", "name": user.get_username(), "scopes": scopes, "expires_at": None}
