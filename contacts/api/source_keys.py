"""Keys of sources: made, followed by others, revoked. A key is shown once, to whoever makes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from rest_framework import serializers

from contacts import intake_keys
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from contacts.api.fields import Fields
from contacts.api.sources import source_of
from contacts.models import SourceKey

_LARGEST_ID = 2**63 - 1
_SHOWN = ("id", "prefix", "scope", "created_at", "ends_at", "revoked_at")
_LONGEST_OVERLAP = 24 * 30


class SourceKeyShape(Fields):
    id = serializers.IntegerField()
    prefix = serializers.CharField(help_text="How it begins; the rest is not kept.")
    scope = serializers.ChoiceField(choices=SourceKey.Scope.values)
    created_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class MadeKey(SourceKeyShape):
    key = serializers.CharField(help_text="Shown this once.")


class SourceKeyBody(Fields):
    scope = serializers.ChoiceField(
        choices=SourceKey.Scope.values,
        required=False,
        default=SourceKey.Scope.WRITE,
        help_text="write is safe in a browser; server may say what only servers may.",
    )


class RotateBody(Fields):
    hours = serializers.IntegerField(
        required=False,
        default=24,
        min_value=0,
        max_value=_LONGEST_OVERLAP,
        help_text="How long the old key goes on beside its successor.",
    )


class SourceKeys(Endpoint):
    scopes = {"GET": "sources:read", "POST": "sources:write"}
    # An answer that is kept for an Idempotency-Key would keep the key as well.
    commits_itself = True

    @operation("list_source_keys", "Keys of a source", answer=SourceKeyShape, paged=True)
    def get(self, call: Call, slug: str) -> Any:
        return call.page(source_of(slug).keys.all(), ("id",), lambda rows: [_draw(row) for row in rows])

    @operation("make_source_key", "Make a key", body=SourceKeyBody, answer=MadeKey, status=201)
    def post(self, call: Call, slug: str) -> Any:
        """It is shown in this answer and never again. If the answer was lost, revoke it and make another."""
        source = source_of(slug)
        with transaction.atomic():
            key, text = intake_keys.issue(source, call.body["scope"])
            call.audit(source, f"made the key {key}")
        return {**_draw(key), "key": text}


class SourceKeyRotate(Endpoint):
    scopes = {"POST": "sources:write"}
    commits_itself = True

    @operation(
        "rotate_source_key", "Make the key that follows another", body=RotateBody, answer=MadeKey, status=201
    )
    def post(self, call: Call, slug: str, key_id: int) -> Any:
        """The old one goes on for some hours, so that senders can change over."""
        with transaction.atomic():
            old = _key(slug, key_id)
            if old.revoked_at or (old.ends_at and old.ends_at <= call.now):
                raise Refused(409, "not_in_use", "This key is not in use any more.")
            key, text = intake_keys.rotate(old, timedelta(hours=call.body["hours"]), call.now)
            call.audit(old.source, f"made the key {key} in the place of {old}")
        return {**_draw(key), "key": text}


class SourceKeyRevoke(Endpoint):
    scopes = {"POST": "sources:write"}

    @operation("revoke_source_key", "Revoke a key", answer=SourceKeyShape)
    def post(self, call: Call, slug: str, key_id: int) -> Any:
        """It is refused within seconds. Revoking again changes nothing."""
        key = _key(slug, key_id)
        if key.revoked_at is None:
            key.revoked_at = call.now
            key.save(update_fields=["revoked_at"])
            call.audit(key.source, f"revoked the key {key}")
        return _draw(key)


def _key(slug: str, key_id: int) -> SourceKey:
    rows = SourceKey.objects.select_related("source").select_for_update(of=("self",))
    key = rows.filter(source__slug=slug, pk=key_id).first() if key_id <= _LARGEST_ID else None
    if key is None:
        raise not_found("key")
    return key


def _draw(key: SourceKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in _SHOWN}
