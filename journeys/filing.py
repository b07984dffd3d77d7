"""Journeys as files: one YAML each, named by its slug, to keep under version control and to promote.

What is written is the draft, or a version, with the journey's name and description, always in one order; so
a file changes where the journey changed and nowhere else. What a journey names (templates, audiences,
purposes, segments) it names by slug, and what is missing here is a problem with its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import transaction

from journeys import comparing, graph, notation, publishing
from journeys.comparing import Change
from journeys.fields import Problem
from journeys.models import Journey

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
Act = Literal["create", "update", "same"]


@dataclass(frozen=True, slots=True)
class File:
    """A journey as a file says it. ``data`` is None where the text cannot be read."""

    slug: str
    data: dict[str, Any] | None
    problems: list[Problem] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str((self.data or {}).get("name") or self.slug)

    @property
    def description(self) -> str:
        return str((self.data or {}).get("description") or "").strip()


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a file would do. A plan with ``faults`` is not carried out."""

    file: File
    act: Act
    changes: list[Change]
    problems: list[Problem]
    faults: list[Problem]


def write(journey: Journey, number: int | None = None) -> str:
    """The draft, or the version with this number, as YAML. Raises LookupError if there is none such."""
    data: Any = journey.draft
    if number is not None:
        data = journey.versions.filter(number=number).values_list("graph", flat=True).first()
        if data is None:
            raise LookupError(f"{journey.slug} has no version {number}")
    return notation.write(_whole(journey, data))


def _whole(journey: Journey, data: Any) -> dict[str, Any]:
    whole = dict(data) if isinstance(data, dict) else {}
    whole["name"] = journey.name
    if journey.description or "description" in whole:
        whole["description"] = journey.description
    return whole


def read(slug: str, text: str) -> File:
    """A file's text; what is wrong with its form is noted, what it names is not looked up."""
    data, problems = notation.read(text)
    if problems or not isinstance(data, dict):
        return File(slug, None, problems or [Problem("", "must be a mapping of names to values")])
    return named(File(slug, data))


def named(file: File) -> File:
    """The file, with a problem if its name is no slug."""
    if _SLUG.fullmatch(file.slug):
        return file
    problem = Problem("", f"“{file.slug[:60]}” is no slug: small letters, digits and hyphens")
    return File(file.slug, None, [*file.problems, problem])


def lint(file: File, *, offline: bool = False) -> list[Problem]:
    """Everything that is wrong with a file; ``offline`` without looking up what it names."""
    if file.data is None:
        return file.problems
    _graph, problems = graph.check(file.data) if offline else publishing.check(file.data)
    return problems


def plan(files: Iterable[File]) -> list[Plan]:
    """What applying ``files`` would do, in their order."""
    wanted = list(files)
    known = {
        journey.slug: journey for journey in Journey.objects.filter(slug__in=[one.slug for one in wanted])
    }
    named = dict(Journey.objects.values_list("name", "slug"))
    return [_plan(file, known.get(file.slug), named) for file in wanted]


def _plan(file: File, journey: Journey | None, named: dict[str, str]) -> Plan:
    faults = list(file.problems)
    if named.get(file.name, file.slug) != file.slug:
        faults.append(Problem("name", f"another journey is named “{file.name}”"))
    if file.data is not None and not _storable(file.data):
        faults.append(Problem("", f"must be plain JSON of at most {graph.LARGEST // 1024} KB, without NUL"))
    if len(file.name) > 120:
        faults.append(Problem("name", "must be a text of 1 to 120 characters"))
    if journey is not None and journey.kind == Journey.Kind.CAMPAIGN:
        faults.append(Problem("", f"“{file.slug}” is a campaign"))
    if journey is not None and journey.status == Journey.Status.ARCHIVED:
        faults.append(Problem("", "this journey is archived"))
    before = _whole(journey, journey.draft) if journey else {}
    changes = comparing.compare(before, file.data or {})
    act: Act = "create" if journey is None else "update" if changes else "same"
    return Plan(file, act, changes, lint(file), faults)


def _storable(data: Any) -> bool:
    try:
        text = json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return len(text) <= graph.LARGEST and "\\u0000" not in text


def apply(plans: Sequence[Plan]) -> list[Journey]:
    """Store the drafts of all plans or of none; returns the journeys that changed. Publishes nothing.

    Raises ValueError if a plan has faults. A draft that is not in order yet is stored as it is.
    """
    if any(each.faults for each in plans):
        raise ValueError("some of the files cannot be applied")
    changed = []
    with transaction.atomic():
        for each in plans:
            if each.act == "same":
                continue
            journey, _new = Journey.objects.select_for_update().get_or_create(
                slug=each.file.slug, defaults={"name": each.file.name}
            )
            journey.name, journey.description = each.file.name, each.file.description
            journey.draft = each.file.data
            journey.save()
            changed.append(journey)
    return changed
