"""Names for the ids and slugs on one page of the timeline, loaded in a constant number of statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from channels.models import Decision, Message, Survey, Template
from channels.models.provider import Channel
from config.timeline import Placed
from contacts.models import ConsentEntry, Event, Purpose, Segment, Source
from journeys.models import Journey, JourneyVersion, StepEntry


def channel_label(channel: str) -> str:
    """``Email``, ``SMS``: a channel's name as the first word of a line."""
    label = str(dict(Channel.choices).get(channel, channel))
    return label[:1].upper() + label[1:]


@dataclass(frozen=True, slots=True)
class Names:
    """What to call things. A name that is gone falls back to the slug or id the row carries."""

    journeys: Mapping[Any, str] = field(default_factory=dict)
    versions: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    purposes: Mapping[str, str] = field(default_factory=dict)
    surveys: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    messages: Mapping[int, Message] = field(default_factory=dict)

    def journey(self, key: Any) -> str:
        return self.journeys.get(key) or str(key or "")

    def template(self, key: Any) -> str:
        return self.templates.get(str(key)) or str(key or "")

    def step_type(self, version_id: int, step: str) -> str:
        """``send``, ``wait``, …; empty where the version does not know the step."""
        steps = self.versions.get(version_id, {}).get("steps", {})
        definition = steps.get(step) if isinstance(steps, dict) else None
        return str(definition.get("type", "")) if isinstance(definition, dict) else ""


_A_TIME = re.compile(r"\d{4}-\d\d-\d\d ")


def step_label(step: str) -> str:
    """A step's id made readable: ``day-1`` is ``day 1``. A campaign's is the time it was for, and stays."""
    if _A_TIME.match(step):
        return step
    return step.replace("_", " ").replace("-", " ")


def load(placed: Iterable[Placed]) -> Names:
    """Names for what the rows mention."""
    rows = [one.row for one in placed]
    versions = {row.version_id for row in rows if isinstance(row, StepEntry)}
    decided = {row.message_id for row in rows if isinstance(row, Decision)}
    decided |= {message for row in rows if isinstance(row, Event) and (message := _message_of(row))}
    journeys: dict[Any, str] = {}
    for journey_id, slug, name in Journey.objects.values_list("id", "slug", "name"):
        journeys[journey_id] = journeys[slug] = name
    templates: dict[str, str] = {}
    for template_id, slug, name in Template.objects.values_list("id", "slug", "name"):
        templates[str(template_id)] = templates[slug] = name
    kinds = {type(row) for row in rows}
    return Names(
        journeys=journeys,
        versions=dict(JourneyVersion.objects.filter(pk__in=versions).values_list("id", "graph")),
        templates=templates,
        segments=dict(Segment.objects.values_list("slug", "name")) if Event in kinds else {},
        purposes=dict(Purpose.objects.values_list("slug", "name"))
        if kinds & {ConsentEntry, Message, Event}
        else {},
        surveys=dict(Survey.objects.values_list("slug", "name")) if _tells_answers(rows) else {},
        sources=dict(Source.objects.values_list("id", "name")) if Event in kinds else {},
        messages=Message.objects.in_bulk(list(decided)) if decided else {},
    )


def _tells_answers(rows: Iterable[Any]) -> bool:
    return any(isinstance(row, Event) and row.name == "Survey Answered" for row in rows)


def _message_of(event: Event) -> int | None:
    if event.kind != Event.Kind.SYSTEM or not isinstance(event.properties, dict):
        return None
    message = event.properties.get("message")
    return message if isinstance(message, int) else None
