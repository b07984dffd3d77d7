"""The copy that a person asks for (GDPR art. 15 and 20): one archive for machines and one page for people.

The archive holds a file of JSON lines for each table that knows the person, ``manifest.json`` (what is in
it, why it is kept and how long), ``schema.json`` (what each column means), and ``index.html``, which shows
the same without any program. It is kept in the database in pieces, for some days.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import IO, Any

import msgspec
from django.db import transaction
from django.http import StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from contacts.crashpoints import crashpoint
from contacts.models import PrivacyFile, PrivacyRequest
from contacts.privacy import people, requests, tombstones
from contacts.privacy.inventory import Table, inventory
from contacts.privacy.inventory_kinds import BASIS_WORDS, KIND_WORDS
from contacts.privacy.people import People

Kind, State = PrivacyRequest.Kind, PrivacyRequest.State

_PIECE = 1_000_000
_SHOWN = 500
"Rows of one table on the page; the files hold all."
_MACHINE = "Segue"


def pulse(now: datetime) -> int:
    """Make the copies that are due and delete those whose time is over; returns how many were made."""
    expire(now)
    due = PrivacyRequest.objects.filter(
        kind=Kind.ACCESS, state__in=[State.WAITING, State.RUNNING], begins_at__lte=now
    )
    made = 0
    for pk in due.order_by("begins_at").values_list("pk", flat=True)[:20]:
        made += make(pk, now)
    return made


def make(request_id: int, now: datetime) -> bool:
    """Make one copy; False where another worker is at it. After a crash the next one begins anew."""
    with transaction.atomic():
        # Held until the end: the lock is the lease, and dies with its worker.
        found = PrivacyRequest.objects.select_for_update(skip_locked=True).filter(pk=request_id)
        request = found.filter(state__in=[State.WAITING, State.RUNNING]).first()
        if request is None:
            return False
        somebody = people.known([request.contact_id])
        with tempfile.TemporaryFile() as file, translation.override(request.language or "en"):
            write(file, request, somebody, now)
            request.size = file.tell()
            file.seek(0)
            PrivacyFile.objects.filter(request=request).delete()
            for number, piece in enumerate(iter(lambda: file.read(_PIECE), b"")):
                PrivacyFile.objects.create(request=request, number=number, data=piece)
        crashpoint("copying.before_commit")
        request.state, request.settled_at, request.begins_at, request.progress = State.DONE, now, None, 100
        request.until = now + timedelta(days=tombstones.policy().copy_days)
        request.save()
        requests.note_down(request, now, _MACHINE, "copy made", f"{request.size} bytes")
    return True


def expire(now: datetime) -> int:
    """Delete copies that nobody may fetch any more; returns how many."""
    over = PrivacyRequest.objects.filter(kind=Kind.ACCESS, until__lte=now)
    done = 0
    for request in over:
        with transaction.atomic():
            PrivacyFile.objects.filter(request=request).delete()
            PrivacyRequest.objects.filter(pk=request.pk).update(until=None, size=0)
            requests.note_down(request, now, _MACHINE, "copy deleted")
        done += 1
    return done


def pieces(request: PrivacyRequest) -> Iterator[bytes]:
    """The archive, piece by piece."""
    for data in request.pieces.order_by("number").values_list("data", flat=True).iterator(chunk_size=4):
        yield bytes(data)


def answer(request: PrivacyRequest) -> StreamingHttpResponse:
    """The archive as a file to save."""
    found = StreamingHttpResponse(pieces(request), content_type="application/zip")
    found["Content-Disposition"] = f'attachment; filename="my-data-{str(request.reference)[:8]}.zip"'
    found["Content-Length"] = str(request.size)
    found["Cache-Control"] = "no-store"
    found["X-Content-Type-Options"] = "nosniff"
    return found


def write(file: IO[bytes], request: PrivacyRequest, somebody: People, now: datetime) -> None:
    """Write the archive in the present language."""
    listed: list[dict[str, Any]] = []
    sections: list[dict[str, Any]] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in inventory().people:
            count, digest, first = _write_table(archive, table, somebody, now)
            if count:
                listed.append(_about(table, count, digest))
                sections.append(_section(table, count, first))
        manifest = {
            "reference": str(request.reference),
            "made_at": now.isoformat(),
            "format": "one JSON object a line, UTF-8",
            "inventory": inventory().fingerprint(),
            "files": listed,
        }
        archive.writestr("manifest.json", _pretty(manifest))
        archive.writestr("schema.json", _pretty(_schema(listed)))
        page = {"sections": sections, "made_at": now, "reference": request.reference, "shown": _SHOWN}
        archive.writestr("index.html", render_to_string("contacts/privacy/copy.html", page))


def _write_table(
    archive: zipfile.ZipFile, table: Table, somebody: People, now: datetime
) -> tuple[int, str, list[dict[str, Any]]]:
    """Returns how many rows, the digest of the file, and the first rows for the page."""
    found = people.rows(table, somebody, now)
    first = list(islice(found, _SHOWN))
    if not first:
        return 0, "", []
    count, digest = 0, hashlib.sha256()
    with archive.open(f"{_file(table)}", "w", force_zip64=True) as out:
        for some in (first, found):
            for row in some:
                line = msgspec.json.encode(row) + b"\n"
                out.write(line)
                digest.update(line)
                count += 1
    return count, digest.hexdigest(), first


def _about(table: Table, count: int, digest: str) -> dict[str, Any]:
    kinds = table.classed()
    return {
        "file": _file(table),
        "heading": table.title,
        "rows": count,
        "sha256": digest,
        "legal_basis": str(BASIS_WORDS[table.basis]),
        "erasure": str(table.act),
        "kept_because": table.why,
        "columns": [
            {"name": name, "means": table.labels().get(name, name), "kind": str(kinds.get(name, "technical"))}
            for name in table.shown()
        ],
    }


def _section(table: Table, count: int, first: list[dict[str, Any]]) -> dict[str, Any]:
    labels, columns = table.labels(), table.shown()
    kinds = {table.classed().get(column) for column in columns} - {None}
    return {
        "title": table.title,
        "count": count,
        "file": _file(table),
        "basis": BASIS_WORDS[table.basis],
        "kinds": sorted(str(KIND_WORDS[kind]) for kind in kinds if kind),
        "headings": [labels.get(column, column) for column in columns],
        "rows": [[_shown(row[column]) for column in columns] for row in first],
    }


def _shown(value: Any) -> str:
    if value is None or value == "" or value == {} or value == []:
        return ""
    if isinstance(value, dict | list):
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return str(value)


def _schema(listed: list[dict[str, Any]]) -> dict[str, Any]:
    """JSON Schema of each file's lines: which names, and what they mean."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {
            one["file"]: {
                "title": one["heading"],
                "type": "object",
                "properties": {column["name"]: {"description": column["means"]} for column in one["columns"]},
            }
            for one in listed
        },
    }


def _file(table: Table) -> str:
    return f"{table.name}.jsonl"


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2)
