"""Take what a source really sends over into the plan, and lay the two side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contacts.models import PlannedEvent, PlanViolation, SeenEvent, Source
from contacts.plan import catalogue

CALLS = frozenset({"Identified", "Page Viewed", "Screen Viewed", "Group Joined", "Aliased"})
"Names that stand for calls, not for events of the sender's choosing: never unknown."
_MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a source: as planned, as seen, or both."""

    name: str
    planned: PlannedEvent | None
    seen: SeenEvent | None
    violations: int

    @property
    def unknown(self) -> bool:
        return self.planned is None and self.name not in CALLS


def adopt(seen: SeenEvent, *, for_all: bool = False) -> PlannedEvent | None:
    """Plan the event with the properties it was seen with, none of them required; None if it is planned.

    A whole number is planned as a number: the next price may have cents.
    """
    properties = [
        {"name": name, "type": "number" if kind == "integer" else kind}
        for name, kind in sorted(seen.properties.items())
        if catalogue.plannable(name)
    ][: catalogue.MOST_PROPERTIES]
    planned, made = PlannedEvent.objects.get_or_create(
        source=None if for_all else seen.source,
        name=seen.name,
        defaults={"properties": catalogue.checked(properties)},
    )
    return planned if made else None


def side_by_side(source: Source) -> list[Line]:
    """Events of a source: those that the plan does not know first, then by how often they came."""
    planned: dict[str, PlannedEvent] = {}
    every, own = PlannedEvent.objects.filter(source=None), PlannedEvent.objects.filter(source=source)
    for one in [*every[:_MOST_LINES], *own[:_MOST_LINES]]:
        planned[one.name] = one
    seen = {one.name: one for one in source.seen.order_by("-accepted", "name")[:_MOST_LINES]}
    counts: dict[str, int] = {}
    for violation in source.violations.exclude(code=PlanViolation.Code.CONSENT)[:_MOST_LINES]:
        counts[violation.event] = counts.get(violation.event, 0) + violation.count
    lines = [
        Line(name, planned.get(name), seen.get(name), counts.get(name, 0)) for name in {**seen, **planned}
    ]
    return sorted(lines, key=_order)


def _order(line: Line) -> tuple[bool, int, str]:
    return not line.unknown, -(line.seen.accepted if line.seen else 0), line.name


def written(properties: list[dict[str, Any]]) -> str:
    """A planned event's properties as people write them, one a line: ``total: number, required``."""
    return "\n".join(
        f"{one['name']}: {one.get('type', catalogue.ANY)}" + (", required" if one.get("required") else "")
        for one in properties
    )


def parsed(text: str) -> list[dict[str, Any]]:
    """Properties out of such lines. Raises ``catalogue.PlanError``."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, rest = line.rpartition(":")
        kind, comma, must = rest.partition(",")
        if not colon:
            name, kind = line, catalogue.ANY
        if comma and must.strip() not in ("required", "optional"):
            raise catalogue.PlanError(f"{line}: after the type comes nothing or “, required”")
        found.append({"name": name.strip(), "type": kind.strip(), "required": must.strip() == "required"})
    return catalogue.checked(found)
