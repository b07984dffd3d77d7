"""How trigger, entry rule and goal are asked for."""

from __future__ import annotations

from journeys.fields import Form, Input, _

TRIGGER = Form(
    _("Start"),
    _("What starts a run."),
    (
        Input("event", "event", _("Event"), required=True, modes=("event",)),
        Input("where", "where", _("Only where"), modes=("event",)),
        Input("segment", "segment", _("Segment"), required=True, modes=("segment",)),
        Input(
            "on", "choice", _("When somebody"), default="entered", modes=("segment",),
            choices=(("entered", _("enters it")), ("left", _("leaves it"))),
        ),
        Input(
            "inactive_days", "whole", _("Days without a sign of life"), required=True, default=60,
            least=1, most=3650, modes=("inactive_days",),
        ),
        Input(
            "inactive_days_most", "whole", _("But at most"), least=1, most=3650, modes=("inactive_days",)
        ),
        Input(
            "fresh", "span", _("An event counts for"),
            _("An older one starts nothing: what is imported late is history, not news."),
            default="2 days", modes=("event", "segment"),
        ),
    ),
    modes=(
        ("event", _("an event")),
        ("segment", _("a segment")),
        ("inactive_days", _("nothing was heard for long")),
    ),
)  # fmt: skip

ENTRY = Form(
    _("Entry"),
    _("How often one person may enter."),
    (
        Input(
            "mode", "choice", _("Each person"), default="once",
            choices=(
                ("once", _("once, ever")),
                ("window", _("once in a time")),
                ("always", _("again and again, one run at a time")),
            ),
        ),
        Input("window", "span", _("Once in"), _("Counted from entry. Goes with “once in a time”.")),
        Input(
            "key", "property", _("Counted by"),
            _("A property such as cart_id: each of its values is counted by itself."), most=60,
        ),
    ),
)  # fmt: skip

GOAL = Form(
    _("Goal"),
    _("What the journey is for. Reaching it ends the run at once."),
    (
        Input("event", "event", _("Event"), required=True, modes=("event",)),
        Input("where", "where", _("Only where"), modes=("event",)),
        Input("value", "property", _("Property with the value"), modes=("event",)),
        Input("rule", "rule", _("This holds"), required=True, modes=("rule",)),
        Input(
            "window", "span", _("Counts within"), _("Time since entry in which it is a conversion."),
            default="14 days",
        ),
    ),
    modes=(("event", _("an event")), ("rule", _("any rule"))),
)  # fmt: skip
