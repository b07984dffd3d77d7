"""The page on which a person says what the columns of a file mean: what it shows, and what came back."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from contacts import consent
from contacts.exchange import files, mapping, sniffing, words
from contacts.exchange.mapping import Column, Constant, Mapping
from contacts.exchange.sheets import Format
from contacts.models import Import, Purpose, Segment, Source

_NAMED = {"attribute": _("Attribute, named …"), "property": _("Property, named …")}


def columns(job: Import) -> list[dict[str, Any]]:
    """Per column its name, examples and what it is taken for."""
    form, current = msgspec.convert(job.format, Format), mapping.decode(job.mapping)
    rows = sniffing.sample(files.head_of(job.key), form, 200)
    found = []
    for place, name in enumerate(form.columns):
        chosen = current.columns[place] if place < len(current.columns) else Column()
        head, _colon, rest = chosen.to.partition(":")
        named = head in _NAMED
        values = dict.fromkeys(row[place] for row in rows if place < len(row) and row[place].strip())
        found.append(
            {
                "place": place,
                "name": name,
                "to": head if named else chosen.to,
                "key": rest if named else "",
                "kind": chosen.kind,
                "examples": list(values)[:3],
                "filled": sum(1 for row in rows if place < len(row) and row[place].strip()),
                "of": len(rows),
            }
        )
    return found


def targets(what: str) -> list[tuple[str, list[tuple[str, Any]]]]:
    """What a column may mean, in groups, for a choice field."""
    single = [(name, words.TARGETS[name]) for name in mapping.SINGLE[what]]
    ids = [one for one in single if one[0] in mapping.IDENTIFIERS]
    rest = [one for one in single if one[0] not in mapping.IDENTIFIERS]
    groups = [(str(_("Who")), ids), (str(_("What")), rest)]
    named = [(name, words) for name, words in _NAMED.items() if name in mapping.NAMED[what]]
    groups.append((str(_("Anything else")), named))
    if "consent" in mapping.NAMED[what]:
        groups.append((str(_("Consent")), _consents()))
    return [group for group in groups if group[1]]


def _consents() -> list[tuple[str, Any]]:
    purposes = list(Purpose.objects.filter(transactional=False).values_list("slug", "name"))
    return [
        (f"consent:{channel}:{slug}", f"{channel}: {name}")
        for channel in consent.CHANNELS
        for slug, name in [("*", _("everything")), *purposes]
    ]


def read(job: Import, posted: QueryDict) -> Mapping:
    """The mapping that a person sent. Raises MappingError."""
    width = len(job.format.get("columns", []))
    chosen = tuple(_column(posted, place) for place in range(width))
    constants = [
        Constant(target, posted.get(f"constant-{target}", "").strip())
        for target in ("event", "country", "language")
        if posted.get(f"constant-{target}", "").strip() and not any(column.to == target for column in chosen)
    ]
    matched = tuple(name for name in mapping.IDENTIFIERS if name in posted.getlist("match"))
    segment = posted.get("segment", "")
    found = mapping.decode(
        {
            "columns": msgspec.to_builtins(chosen),
            "constants": msgspec.to_builtins(constants),
            "mode": posted.get("mode", "upsert"),
            "match": matched or mapping.IDENTIFIERS,
            "empty": posted.get("empty", "keep"),
            "faulty": posted.get("faulty", "reject"),
            "region": posted.get("region", "").strip().upper(),
            "zone": posted.get("zone", "").strip() or "UTC",
            "basis": posted.get("basis", "").strip()[:40] or "consent",
            "wording": posted.get("wording", "").strip()[:60],
            "segment": int(segment) if segment.isdigit() else None,
            "journeys": posted.get("journeys") == "on",
            "source": posted.get("source", "").strip() or "imports",
        }
    )
    mapping.check(job.what, found)
    return found


def _column(posted: QueryDict, place: int) -> Column:
    to, key = posted.get(f"to-{place}", ""), posted.get(f"key-{place}", "").strip()[:200]
    return Column(f"{to}:{key}" if to in _NAMED else to, posted.get(f"kind-{place}", "text"))


def choices(job: Import) -> dict[str, Any]:
    """Everything else that the page lets people choose."""
    current = mapping.decode(job.mapping)
    return {
        "columns": columns(job),
        "targets": targets(job.what),
        "kinds": list(words.KINDS.items()),
        "current": current,
        "constants": {one.to: one.value for one in current.constants},
        "match": [
            (name, words.TARGETS[name], name in current.match)
            for name in mapping.IDENTIFIERS
            if name in mapping.SINGLE[job.what]
        ],
        "lists": Segment.objects.filter(kind=Segment.Kind.STATIC).order_by("name"),
        "sources": Source.objects.exclude(slug="imports").order_by("name"),
        "encodings": [name for name in sniffing.ENCODINGS if not name.startswith("utf-16")],
        "delimiters": [(",", ","), (";", ";"), ("\t", _("tab")), ("|", "|")],
        "orders": [
            ("dmy", _("day, month, year")),
            ("mdy", _("month, day, year")),
            ("ymd", _("year, month, day")),
        ],
    }
