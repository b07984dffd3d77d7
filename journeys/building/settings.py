"""Forms of what stands at the top of a definition: who enters, what for, and when they leave. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from journeys.building import forms
from journeys.building.forms import Posted
from journeys.fields import Form, Input, _

TRIGGER = Form(
    _("What starts it"),
    "",
    (
        Input("event", "event", _("Event"), required=True, modes=("event",)),
        Input("where", "where", _("Only where"), modes=("event",)),
        Input("segment", "segment", _("Segment"), required=True, modes=("segment",)),
        Input(
            "on", "choice", _("When somebody"), default="entered", modes=("segment",),
            choices=(("entered", _("enters it")), ("left", _("leaves it"))),
        ),
        Input(
            "inactive_days", "whole", _("Days without a sign of life"), least=1, most=3650,
            required=True, modes=("inactive_days",),
        ),
        Input(
            "inactive_days_most", "whole", _("But at most"), _("Longer gone than this do not enter."),
            least=1, most=3650, modes=("inactive_days",),
        ),
        Input("fresh", "span", _("Older events start nothing"), _("2 days, if empty.")),
    ),
    modes=(
        ("event", _("Something happens")),
        ("segment", _("A segment changes")),
        ("inactive_days", _("Nothing is heard for long")),
    ),
)  # fmt: skip
ENTRY = Form(
    _("How often one may enter"),
    "",
    (
        Input(
            "mode", "choice", _("Each person"), default="once",
            choices=(
                ("once", _("once, ever")),
                ("window", _("once in a length of time")),
                ("always", _("again and again, one run at a time")),
            ),
        ),
        Input("window", "span", _("Length of time"), _("Such as 14 days.")),
        Input("key", "property", _("Counted by itself for each"), _("Such as cart_id.")),
    ),
)  # fmt: skip
GOAL = Form(
    _("What it is for"),
    _("Whoever reaches the goal leaves at once, and waiting messages are called off."),
    (
        Input("event", "event", _("Event"), modes=("event",)),
        Input("where", "where", _("Only where"), modes=("event",)),
        Input("value", "property", _("Worth its"), _("Such as total."), modes=("event",)),
        Input("rule", "rule", _("Rule"), modes=("rule",)),
        Input("window", "span", _("Counts within"), _("14 days of entry, if empty.")),
    ),
    modes=(("event", _("Something happens")), ("rule", _("A rule holds"))),
)  # fmt: skip
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
