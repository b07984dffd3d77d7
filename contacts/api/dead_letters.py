"""Dead letters: events that could not be taken in, to be read and replayed."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields
from contacts.intake_replay import replay
from contacts.models import DeadLetter

_MOST = 1_000
_LARGEST_ID = 2**63 - 1


class LetterFilters(Fields):
    source = serializers.SlugField(required=False, help_text="Slug.")  # type: ignore[assignment]
    code = serializers.CharField(required=False, max_length=64)
    replayed = serializers.BooleanField(required=False)


class LetterShape(Fields):
    id = serializers.IntegerField()
    source = serializers.CharField(help_text="Slug.")  # type: ignore[assignment]
    received_at = serializers.DateTimeField()
    code = serializers.CharField()
    reason = serializers.CharField()
    payload = serializers.CharField(help_text="The event as it came, as text: it may be no JSON.")
    replayed_at = serializers.DateTimeField(allow_null=True)


class ReplayBody(Fields):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=_LARGEST_ID), min_length=1, max_length=_MOST
    )


class ReplayAnswer(Fields):
    stored = serializers.IntegerField(help_text="That wait in the inbox again.")
    rejected = serializers.IntegerField(help_text="That were rejected again, with the reason of today.")


class DeadLetters(Endpoint):
    scopes = {"GET": "events:write"}

    @operation(
        "list_dead_letters",
        "Events that were not taken in",
        query=LetterFilters,
        answer=LetterShape,
        paged=True,
    )
    def get(self, call: Call) -> Any:
        """The newest first."""
        rows = DeadLetter.objects.select_related("source")
        if "source" in call.query:
            rows = rows.filter(source__slug=call.query["source"])
        if "code" in call.query:
            rows = rows.filter(code=call.query["code"])
        if "replayed" in call.query:
            rows = rows.filter(replayed_at__isnull=not call.query["replayed"])
        return call.page(rows, ("-id",), _draw)


class DeadLettersReplay(Endpoint):
    scopes = {"POST": "events:write"}

    @operation("replay_dead_letters", "Take events in again", body=ReplayBody, answer=ReplayAnswer)
    def post(self, call: Call) -> Any:
        """Through the same checks as at first, with their own message ids: no event counts twice."""
        done = replay(call.body["ids"], call.now)
        call.wake("ingest")
        return {"stored": done.stored, "rejected": done.rejected}


def _draw(rows: list[DeadLetter]) -> list[dict[str, Any]]:
    names = ("id", "received_at", "code", "reason", "payload", "replayed_at")
    return [{**{name: getattr(row, name) for name in names}, "source": row.source.slug} for row in rows]
