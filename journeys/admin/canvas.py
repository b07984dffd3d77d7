"""The builder's picture with its figures and problems, as its templates want it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from contacts import clock
from journeys import figures, publishing
from journeys.admin.flow import ICONS
from journeys.building import picture, settings
from journeys.building.picture import Picture
from journeys.building.sketch import Sketched
from journeys.entering import Trigger, read_entry, read_goal, read_trigger
from journeys.fields import Fields, Form, checked
from journeys.figures import LEFT, AtStep
from journeys.models import Journey
from journeys.steps import KINDS

MORE_ICONS = {
    "smart_split": "psychology",
    "repeat": "repeat",
    "list": "playlist_add",
    "webhook": "webhook",
    "survey": "quiz",
}
GROUPS = {
    "message": _("Messages"),
    "time": _("Time"),
    "decision": _("Decisions"),
    "person": _("The person"),
    "outside": _("Outside"),
}


def icon(kind: str) -> str:
    """The sign of a kind of step."""
    return ICONS.get(kind) or MORE_ICONS.get(kind, "circle")


def palette() -> list[dict[str, Any]]:
    """Everything that can be added, in groups."""
    found: dict[str, list[dict[str, str]]] = {}
    for kind, step in KINDS.items():
        entry = {"kind": kind, "icon": icon(kind), "label": _(step.form.label), "help": _(step.form.help)}
        found.setdefault(step.form.group, []).append(entry)
    order = [*GROUPS, *(group for group in found if group not in GROUPS)]
    return [
        {"name": _(str(GROUPS.get(group, group))) if group else _("More"), "steps": found[group]}
        for group in order
        if group in found
    ]


def title(step: Sketched) -> str:
    """What a step is, where its fields cannot be put into words yet."""
    known = KINDS.get(step.kind)
    return step.words or (_(known.form.label) if known else step.kind)


def drawn(journey: Journey, data: Any) -> dict[str, Any]:
    """Everything that changes with the draft: picture, outline, problems."""
    shown = picture.picture(data)
    _graph, problems = publishing.check(data)
    by_step = _named(picture.by_step(problems, data), shown.steps)
    version = journey.versions.filter(pk=journey.live_version_id or 0).first()
    at_steps = figures.of_steps(journey, [version.pk], clock.now()) if version else {}
    nodes = {name: _node(step, by_step.get(name, []), at_steps) for name, step in shown.steps.items()}
    for chain in (shown.main, *shown.loose):
        _adorn(chain, nodes)
    context = {
        "picture": shown,
        "start": start(data),
        "start_problems": by_step.get("", []),
        "live": version,
        "all_ways": picture.ALL_WAYS,
        "problems": _listed(by_step, shown),
        "outline": _outline(shown),
    }
    return {
        "flow": render_to_string("journeys/build/flow.html", context),
        "outline": render_to_string("journeys/build/outline.html", context),
        "problems": by_step,
        "steps": {name: {"title": title(step), "kind": step.kind} for name, step in shown.steps.items()},
    }


def _named(
    by_step: dict[str, list[dict[str, str]]], steps: Mapping[str, Sketched]
) -> dict[str, list[dict[str, str]]]:
    """With the label of the field before each message: a path alone tells a marketer nothing."""
    for name, problems in by_step.items():
        known = KINDS.get(steps[name].kind) if name in steps else None
        for problem in problems:
            label = _label(known.form, problem["path"]) if known else _setting(problem["path"])
            problem["words"] = f"{label}: {problem['message']}" if label else problem["message"]
    return by_step


def _label(form: Form, path: str) -> str:
    head = re.split(r"[.\[]", path)[0]
    return next((_(each.label) for each in form.inputs if head and each.name == head), "")


def _setting(path: str) -> str:
    """The label of a journey's own setting."""
    key, _dot, rest = path.partition(".")
    for part, form in settings.PARTS:
        if part and part == key:
            return _label(form, rest) or _(form.label)
        if not part and (label := _label(form, path)):
            return label
    return {"start": _("First step"), "steps": _("Steps")}.get(key, key)


def _node(step: Sketched, problems: list[dict[str, str]], at_steps: Mapping[str, AtStep]) -> dict[str, Any]:
    known = KINDS.get(step.kind)
    at_step = at_steps.get(step.id)
    left = sum(count for outcome, count in at_step.outcomes.items() if outcome in LEFT) if at_step else 0
    return {
        "title": title(step),
        "label": _(known.form.label) if known else step.kind,
        "icon": icon(step.kind),
        "problems": problems,
        "figures": at_step,
        "left": left,
        "taken": at_step.outcomes if at_step else {},
    }


def _adorn(chain: list[picture.Line], nodes: Mapping[str, Mapping[str, Any]]) -> None:
    """Put figures and problems beside each step and way of a drawing."""
    for line in chain:
        if line.step is not None:
            line.shown = nodes[line.step.id]
        elif line.jump:
            line.shown = nodes.get(line.jump)
        for way in line.ways:
            way.taken = line.shown["taken"].get(way.port.outcome, 0) if line.shown else 0
            _adorn(way.lines, nodes)


def start(data: Any) -> dict[str, str]:
    """The first card: what starts the journey, who enters, what it is for and who leaves."""
    fields = Fields(data if isinstance(data, dict) else {}, "", [])
    trigger, goal = read_trigger(fields), read_goal(fields)
    entry = read_entry(fields, recurs=trigger.recurs)
    unread: list[Any] = []
    audience = checked(data.get("audience"), "", unread) if data.get("audience") else None
    leaves = checked(data.get("exit"), "", unread) if data.get("exit") else None
    begins = trigger != Trigger()
    return {
        "trigger": trigger.words() if begins else "",
        "entry": entry.words(),
        "audience": audience.words() if audience else "",
        "goal": goal.words() if goal else "",
        "exit": leaves.words() if leaves else "",
    }


def _listed(by_step: Mapping[str, list[dict[str, str]]], shown: Picture) -> list[dict[str, Any]]:
    return [
        {"step": name, "title": title(shown.steps[name]) if name in shown.steps else "", **problem}
        for name, problems in by_step.items()
        for problem in problems
    ]


def _outline(shown: Picture) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for chain in (shown.main, *shown.loose):
        _walk(chain, 0, lines)
    return lines


def _walk(chain: list[picture.Line], depth: int, lines: list[dict[str, Any]]) -> None:
    for line in chain:
        if line.step is None:
            continue
        lines.append({"step": line.step.id, "depth": min(depth, 6), "title": title(line.step)})
        for way in line.ways:
            lines.append({"way": way.port.words, "depth": min(depth + 1, 6)})
            _walk(way.lines, depth + 2, lines)
