"""Merges: which contacts turned out to be one person, and the way back."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts import contention, finding
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, contended, not_found
from contacts.api.fields import Fields
from contacts.models import Contact, Merge
from contacts.unmerging import NotUndoableError, undo

_LARGEST_ID = 2**63 - 1


class MergeFilters(Fields):
    contact = serializers.UUIDField(required=False, help_text="Public id: merges into this contact.")
    undone = serializers.BooleanField(required=False)


class MergeShape(Fields):
    id = serializers.IntegerField()
    former = serializers.UUIDField(help_text="Public id of the contact that became part of another.")
    remaining = serializers.UUIDField(allow_null=True, help_text="Public id; null if it is no more itself.")
    reason = serializers.CharField()
    merged_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


class Merges(Endpoint):
    scopes = {"GET": "contacts:read"}

    @operation("list_merges", "Merges, the newest first", query=MergeFilters, answer=MergeShape, paged=True)
    def get(self, call: Call) -> Any:
        rows = Merge.objects.defer("snapshot")
        if "contact" in call.query:
            rows = rows.filter(winner_id=finding.find_one(call.query["contact"]) or 0)
        if "undone" in call.query:
            rows = rows.filter(undone_at__isnull=not call.query["undone"])
        return call.page(rows, ("-id",), _draw)


class MergeUndo(Endpoint):
    scopes = {"POST": "merges:write"}

    @operation("undo_merge", "Make two contacts of one again", answer=MergeShape)
    def post(self, call: Call, merge_id: int) -> Any:
        """Both have back what was theirs before; what came since stays with the one that remained."""
        if merge_id > _LARGEST_ID:
            raise not_found("merge")
        try:
            undo(merge_id, call.now)
        except Merge.DoesNotExist:
            raise not_found("merge") from None
        except NotUndoableError as error:
            raise Refused(409, "not_undoable", str(error)) from None
        except contention.ContendedTooLong:
            raise contended() from None
        merge = Merge.objects.defer("snapshot").get(pk=merge_id)
        call.audit(merge, "undone")
        call.wake("segments")
        return _draw([merge])[0]


def _draw(rows: list[Merge]) -> list[dict[str, Any]]:
    winners = {row.winner_id for row in rows}
    publics = dict(Contact.objects.filter(pk__in=winners).values_list("pk", "public_id"))
    return [
        {
            "id": row.pk,
            "former": row.loser_public_id,
            "remaining": publics.get(row.winner_id),
            "reason": row.reason,
            "merged_at": row.merged_at,
            "undone_at": row.undone_at,
        }
        for row in rows
    ]
