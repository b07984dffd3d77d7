"""Files out: asked for, followed, fetched by whoever asked."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse
from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.exchange import exporting, files
from contacts.models import Export, Segment


class ExportBody(Fields):
    what = serializers.CharField(help_text="contacts, events, consents, suppressions or messages.")
    columns = serializers.ListField(
        child=serializers.CharField(max_length=300),
        default=list,
        max_length=500,
        help_text="Names such as email or attribute:plan; by default the usual ones.",
    )
    format = serializers.ChoiceField(choices=Export.Format.values, default=Export.Format.CSV)
    segment = serializers.SlugField(required=False)
    event = serializers.CharField(required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class ExportShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    what = serializers.CharField()
    state = serializers.CharField()
    format = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    filters = serializers.DictField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class Exports(Endpoint):
    scopes: ClassVar = {"GET": "exports:read", "POST": "exports:write"}

    @operation("list_exports", "Exports", answer=ExportShape, paged=True)
    def get(self, call: Call) -> Any:
        return call.page(Export.objects.all(), ("id",), lambda rows: [draw(row) for row in rows])

    @operation("make_export", "Ask for a file", body=ExportBody, answer=ExportShape, status=201)
    def post(self, call: Call) -> Any:
        body = call.body
        filters: dict[str, Any] = {
            name: body[name].isoformat() for name in ("since", "until") if name in body
        }
        if "event" in body:
            filters["event"] = body["event"]
        if "segment" in body:
            segment = Segment.objects.filter(slug=body["segment"]).first()
            if segment is None:
                raise bad_request("unknown_segment", "No segment has this slug.", "segment")
            filters["segment"] = segment.pk
        try:
            export = exporting.ask(
                body["what"], body["columns"], body["format"], filters, call.acting_user_id, call.now
            )
        except exporting.UnknownColumnError as error:
            raise bad_request("unknown_column", f"{error} is not on offer.", "columns") from error
        call.audit(export, f"Asked for {export.what}: {', '.join(export.columns)}")
        call.wake("exchange")
        return draw(export)


class ExportDetail(Endpoint):
    scopes: ClassVar = {"GET": "exports:read"}

    @operation("get_export", "One export and how far it is", answer=ExportShape)
    def get(self, call: Call, key: UUID) -> Any:
        return draw(_find(key))


class ExportFile(Endpoint):
    scopes: ClassVar = {"GET": "exports:write"}

    @operation("get_export_file", "The file itself, for whoever asked for it")
    def get(self, call: Call, key: UUID) -> Any:
        export, user = _find(key), call.acting_user_id
        if export.by_id != user:
            raise not_found("export")
        if export.state != Export.State.READY:
            raise Refused(409, "not_ready", f"The export is {export.state}.")
        found = exporting.redeem(exporting.ticket(export, user), user, call.now)
        if found is None:
            raise not_found("export")
        call.audit(export, f"Took {export.rows} {export.what} along, columns: {', '.join(export.columns)}")
        name = f"{export.what}-{export.pk}.{export.format}"
        return FileResponse(
            files.path_of(export.key, export.format).open("rb"), as_attachment=True, filename=name
        )


def _find(key: UUID) -> Export:
    export = Export.objects.filter(key=key).first()
    if export is None:
        raise not_found("export")
    return export


def draw(export: Export) -> dict[str, Any]:
    return {
        "id": export.key,
        "what": export.what,
        "state": export.state,
        "format": export.format,
        "columns": export.columns,
        "filters": export.filters,
        "rows": export.rows,
        "bytes": export.size,
        "made_at": export.made_at,
        "expires_at": export.expires_at,
    }
