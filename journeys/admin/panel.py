"""The form of one step, or of the journey's own settings, as the builder's panel shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from channels.models import Audience, Survey, Template
from contacts.models import Purpose, Segment
from journeys.building import settings
from journeys.building.sketch import Sketched
from journeys.fields import Form, Input
from journeys.models import Journey
from journeys.steps import KINDS

Choices = list[tuple[str, str]]


@dataclass(slots=True)
class Asked:
    """One input with what it holds, ready for a template. ``path`` is where it stands inside the step."""

    name: str
    path: str
    kind: str
    label: str
    help: str
    value: Any = ""
    choices: Choices = field(default_factory=list)
    required: bool = False
    least: float | None = None
    most: float | None = None
    seldom: bool = False
    entries: list[list[Asked]] = field(default_factory=list)
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    #: For rule-like inputs: the event whose properties they filter.
    event: str = ""
    address: str = ""


@dataclass(slots=True)
class Section:
    """A form with its modes."""

    prefix: str
    label: str
    help: str
    mode: str
    modes: Choices
    inputs: list[Asked]


def of_step(step: Sketched, raw: Mapping[str, Any], steps: Mapping[str, Sketched]) -> Section | None:
    """The form of a step; none for a kind that nobody knows."""
    known = KINDS.get(step.kind)
    return _section(known.form, raw, "f", "", _steps(steps)) if known else None


def of_journey(data: Mapping[str, Any]) -> list[Section]:
    """The forms of a journey's own settings."""
    found = []
    for key, form in settings.PARTS:
        had = data.get(key) if key else data
        part = had if isinstance(had, Mapping) else {}
        found.append(_section(form, part, f"f.{key}" if key else "f", f"{key}." if key else "", []))
    return found


def _section(form: Form, raw: Mapping[str, Any], prefix: str, path: str, steps: Choices) -> Section:
    mode = form.mode(raw)
    inputs = [_asked(each, raw, prefix, path, steps) for each in form.shown(mode) if each.name != "note"]
    if len(inputs) == 1:
        inputs[0].seldom = False
    modes = [(name, _(words)) for name, words in form.modes]
    return Section(prefix, _(form.label), _(form.help) if form.help else "", mode, modes, inputs)


def _asked(each: Input, raw: Mapping[str, Any], prefix: str, path: str, steps: Choices) -> Asked:
    value = raw.get(each.name)
    asked = Asked(
        name=f"{prefix}.{each.name}",
        path=f"{path}{each.name}",
        kind=each.kind,
        label=_(each.label),
        help=_(each.help) if each.help else "",
        value=each.default if value is None else value,
        required=each.required,
        least=each.least,
        most=each.most,
        seldom=not each.required and value is None and each.kind in _SELDOM,
        choices=_choices(each, value, steps),
    )
    if each.kind in ("rule", "where"):
        asked.value = "" if value is None else json.dumps(value, ensure_ascii=False)
        asked.event = str(raw.get("event") or "")
    elif each.kind == "entries":
        inner = Form("", "", each.inner)
        asked.entries = [
            _section(inner, entry, f"{asked.name}[{number}]", f"{asked.path}[{number}].", steps).inputs
            for number, entry in enumerate(value if isinstance(value, list) else [])
            if isinstance(entry, Mapping)
        ]
    elif each.kind == "values":
        asked.rows = [_row(name, one) for name, one in value.items()] if isinstance(value, Mapping) else []
    elif each.kind == "templates":
        asked.entries = _templates(asked, raw, value if isinstance(value, Mapping) else {})
    elif each.kind == "numbers":
        asked.value = ", ".join(map(str, asked.value)) if isinstance(asked.value, list) else ""
    elif each.kind == "flag":
        asked.value = "true" if asked.value else "false"
    return asked


_SELDOM = {"rule", "where", "span", "whole", "number", "choice", "choices", "text", "property", "flag"}


def _row(name: str, value: Any) -> tuple[str, str, str]:
    """(attribute, act, value as text) of one change of the profile."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((act, inner),) = value.items()
        return name, str(act), inner if isinstance(inner, str) else json.dumps(inner)
    is_text = isinstance(value, str) and not _reads_otherwise(value)
    return name, "value", str(value) if is_text else json.dumps(value, ensure_ascii=False)


def _reads_otherwise(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _templates(asked: Asked, raw: Mapping[str, Any], chosen: Mapping[str, Any]) -> list[list[Asked]]:
    """A choice of templates for each channel that is switched on."""
    channels = raw.get("channels")
    found = []
    for channel in channels if isinstance(channels, list) else []:
        templates = list(Template.objects.filter(channel=channel).prefetch_related("versions"))
        slug = str(chosen.get(channel) or "")
        choices = [("", _("choose …")), *((each.slug, each.name) for each in templates)]
        one = next((each for each in templates if each.slug == slug), None)
        if slug and one is None:
            choices.append((slug, slug))
        found.append(
            Asked(
                f"{asked.name}.{channel}",
                f"{asked.path}.{channel}",
                str(channel),
                _(channel),
                "",
                slug,
                choices,
                required=True,
                address=_preview(one),
            )
        )
    return [found]


def _preview(template: Template | None) -> str:
    """Where the newest version of a template can be looked at as somebody would get it."""
    version = max(template.versions.all(), key=lambda each: each.number, default=None) if template else None
    if template is None or version is None:
        return ""
    return reverse("admin:channels_template_preview", args=[template.pk, version.pk])


def _steps(steps: Mapping[str, Sketched]) -> Choices:
    return [(each.id, f"{each.words or each.kind} ({each.id})") for each in steps.values()]


def _named(rows: Sequence[tuple[str, str]]) -> Choices:
    return [(slug, name) for slug, name in rows]


_SOURCES: dict[str, Callable[[], Choices]] = {
    "purpose": lambda: _named(list(Purpose.objects.order_by("name").values_list("slug", "name"))),
    "audience": lambda: _named(list(Audience.objects.order_by("name").values_list("slug", "name"))),
    "segment": lambda: _named(
        list(Segment.objects.filter(archived_at=None).order_by("name").values_list("slug", "name"))
    ),
    "list": lambda: _named(
        list(
            Segment.objects.filter(archived_at=None, kind=Segment.Kind.STATIC)
            .order_by("name")
            .values_list("slug", "name")
        )
    ),
    "survey": lambda: _named(list(Survey.objects.order_by("name").values_list("slug", "name"))),
    "journey": lambda: _named(list(Journey.objects.order_by("name").values_list("slug", "name"))),
}


def _choices(each: Input, value: Any, steps: Choices) -> Choices:
    """What can be chosen, with what is chosen now even where it is gone."""
    if each.kind == "choices":
        words = dict(each.choices)
        first = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
        order = [*first, *(one for one in words if one not in first)]
        return [(one, _(words.get(one, one))) for one in order]
    if each.kind == "step":
        return [("", _("the end")), *steps]
    if each.kind in _SOURCES:
        found = [("", _("choose …")), *_SOURCES[each.kind]()]
    elif each.choices:
        found = [(one, _(words)) for one, words in each.choices]
        if not each.required and each.default is None and each.kind == "choice":
            found.insert(0, ("", "–"))
    else:
        return []
    known = {one for one, _words in found}
    return found if not isinstance(value, str) or value in known else [*found, (value, value)]
