"""Files in: sent as they are, mapped, tried out, started and followed."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.http import StreamingHttpResponse
from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.exchange import files, importing, mapping, rejected, words
from contacts.models import Import

_PIECE = 1 << 20
_COUNTS = ("lines", "created", "updated", "unchanged", "rejected", "merged", "consents")


class UploadQuery(Fields):
    what = serializers.ChoiceField(choices=Import.What.values, default=Import.What.CONTACTS)
    name = serializers.CharField(default="api.csv", max_length=200, help_text="What people know the file by.")


class MappingBody(Fields):
    mapping = serializers.DictField(help_text="As the import shows it: columns, mode, match, region …")


class ActBody(Fields):
    act = serializers.ChoiceField(choices=["check", "start", "pause", "resume", "cancel", "undo"])


class ImportShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    what = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField()
    fault = serializers.CharField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())
    format = serializers.DictField()
    mapping = serializers.DictField()
    forecast = serializers.DictField(help_text="Of the dry run; empty before it.")
    made_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class Imports(Endpoint):
    scopes: ClassVar = {"GET": "imports:read", "POST": "imports:write"}
    commits_itself = True

    @operation("list_imports", "Imports, the newest first", answer=ImportShape, paged=True)
    def get(self, call: Call) -> Any:
        return call.page(Import.objects.all(), ("id",), lambda rows: [draw(row) for row in rows])

    @operation("upload_import", "Send a file", query=UploadQuery, answer=ImportShape, status=201)
    def post(self, call: Call) -> Any:
        """The body is the file itself, CSV or XLSX, under any content type. Its columns are guessed.

        Nothing is written before `start`.
        """
        body = call.request._request
        pieces = iter(lambda: body.read(_PIECE), b"")
        try:
            job = importing.begin(
                call.query["what"], call.query["name"], pieces, call.acting_user_id, call.now
            )
        except files.TooLargeError as error:
            raise Refused(413, "too_large", "The file is larger than this installation takes.") from error
        call.audit(job, f"Uploaded {job.name}, {job.size} bytes")
        call.wake("exchange")
        return draw(job)


class ImportDetail(Endpoint):
    scopes: ClassVar = {"GET": "imports:read", "PUT": "imports:write", "POST": "imports:write"}

    @operation("get_import", "One import: its state, counts and forecast", answer=ImportShape)
    def get(self, call: Call, key: UUID) -> Any:
        return draw(_find(key))

    @operation("map_import", "Say what the columns mean", body=MappingBody, answer=ImportShape)
    def put(self, call: Call, key: UUID) -> Any:
        job = _find(key)
        if job.state not in {Import.State.MAPPING, Import.State.CHECKED}:
            raise Refused(409, "not_now", f"The import is {job.state}.")
        try:
            found = mapping.decode(job.mapping | call.body["mapping"])
            mapping.check(job.what, found)
        except mapping.MappingError as error:
            message = str(words.PROBLEMS.get(str(error), error))
            raise bad_request("bad_mapping", message, "mapping") from error
        job.mapping, job.state = msgspec.to_builtins(found), Import.State.MAPPING
        job.save(update_fields=["mapping", "state"])
        return draw(job)

    @operation("move_import", "Check, start, pause, resume, cancel or undo", body=ActBody, answer=ImportShape)
    def post(self, call: Call, key: UUID) -> Any:
        """`check` tries it out and writes nothing; `start` needs a check before it."""
        job, act = _find(key), call.body["act"]
        if act == "check":
            try:
                mapping.check(job.what, mapping.decode(job.mapping))
            except mapping.MappingError as error:
                message = str(words.PROBLEMS.get(str(error), error))
                raise bad_request("bad_mapping", message, "mapping") from error
        try:
            importing.move(job, act)
        except importing.NotNowError as error:
            raise Refused(409, "not_now", f"The import is {job.state}.") from error
        call.audit(job, f"Import: {act}")
        call.wake("exchange")
        return draw(job)


class ImportRejects(Endpoint):
    scopes: ClassVar = {"GET": "imports:write"}

    @operation("get_import_rejects", "The rejected lines with their reasons, as CSV")
    def get(self, call: Call, key: UUID) -> Any:
        return StreamingHttpResponse(
            rejected.rejected_csv(_find(key)), content_type="text/csv; charset=utf-8"
        )


def _find(key: UUID) -> Import:
    job = Import.objects.filter(key=key).first()
    if job is None:
        raise not_found("import")
    return job


def draw(job: Import) -> dict[str, Any]:
    return {
        "id": job.key,
        "what": job.what,
        "name": job.name,
        "state": job.state,
        "fault": job.fault or None,
        "counts": {name: getattr(job, name) for name in _COUNTS},
        "format": job.format,
        "mapping": job.mapping,
        "forecast": job.forecast,
        "made_at": job.made_at,
        "ended_at": job.ended_at,
    }
