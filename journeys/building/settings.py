"""Forms of what stands at the top of a definition: who enters, what for, and when they leave. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from journeys.building import forms
from journeys.building.forms import Posted
from journeys.entering_form import ENTRY, GOAL, TRIGGER
from journeys.fields import Form, Input, _

WHOLE = Form(
    _("The journey"),
    "",
    (
        Input("name", "text", _("Name"), most=120),
        Input("description", "text", _("What it does"), most=2000),
        Input("timezone", "text", _("Clock of others"), _("Such as Europe/Paris."), default="UTC"),
    ),
)  # fmt: skip
AUDIENCE = Form(
    _("Who may enter"),
    _("Looked at when the trigger fires. Everyone, if there is no condition."),
    (Input("audience", "rule", _("Only those")),),
)
EXIT = Form(
    _("Who leaves early"),
    _("As soon as this holds, at any step, and before each message leaves."),
    (Input("exit", "rule", _("Leaves when")),),
)
#: In the order in which they are asked: (key in the definition, or none for its top; form).
PARTS: tuple[tuple[str, Form], ...] = (
    ("trigger", TRIGGER),
    ("", AUDIENCE),
    ("entry", ENTRY),
    ("goal", GOAL),
    ("", EXIT),
    ("", WHOLE),
)


def read(posted: Posted, before: Mapping[str, Any]) -> dict[str, Any]:
    """``before`` with what was sent of every part."""
    now = dict(before)
    for key, form in PARTS:
        if not key:
            now = forms.read(form, posted, now, "f")
            continue
        had = now.get(key)
        part = forms.read(form, posted, had if isinstance(had, Mapping) else {}, f"f.{key}")
        if key == "goal" and not any(part.get(name) for name in ("event", "rule")):
            part = {} if not isinstance(part.get("rule"), dict) else part
        if part or key in ("trigger", "entry"):
            now[key] = part
        else:
            now.pop(key, None)
    return now
