"""How trigger, entry rule and goal are asked for."""

from __future__ import annotations

from journeys.fields import Form, Input, _
from journeys.steps.wait_form import WEEKDAYS

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
            "message", "choice", _("A message was"), required=True, modes=("message",),
            choices=(
                ("clicked", _("clicked")), ("opened", _("opened")), ("delivered", _("delivered")),
                ("sent", _("sent")), ("unsubscribed", _("answered with an unsubscription")),
                ("bounced", _("returned")), ("complained", _("marked as spam")),
                ("held", _("held")), ("dropped", _("dropped")), ("failed", _("not taken")),
            ),
        ),
        Input("channel", "text", _("Channel"), _("Empty: any."), modes=("message",)),
        Input("journey", "journey", _("Of the journey"), _("Empty: any."), modes=("message",)),
        Input("step", "text", _("Of the step"), _("Empty: any."), modes=("message",)),
        Input("template", "text", _("Template"), _("Empty: any."), modes=("message",)),
        Input("purpose", "purpose", _("Purpose"), _("Empty: any."), modes=("message",)),
        Input("date", "attribute", _("Date"), _("Such as birthday."), required=True, modes=("date",)),
        Input("before", "span", _("So many days before"), _("Such as 3 days."), modes=("date",)),
        Input("after", "span", _("So many days after"), modes=("date",)),
        Input("yearly", "flag", _("Comes back each year"), required=True, default=True, modes=("date",)),
        Input(
            "every", "choice", _("Every"), required=True, modes=("every",),
            choices=(
                ("day", _("day")), ("weekday", _("day from Monday to Friday")), ("week", _("week")),
                ("month", _("month")), ("once", _("only once")),
            ),
        ),
        Input("weekdays", "choices", _("On"), choices=WEEKDAYS, modes=("every",)),
        Input(
            "monthdays", "numbers", _("On these days of the month"), _("1 to 31, or last."),
            modes=("every",),
        ),
        Input("day", "day", _("On the day"), modes=("every",)),
        Input("at", "clock", _("At"), required=True, default="09:00", modes=("date", "every")),
        Input(
            "clock", "choice", _("On whose clock"), default="person", modes=("every",),
            choices=(("person", _("the person's")), ("journey", _("the journey's"))),
        ),
        Input(
            "misfire", "span", _("Made up for within"),
            _("If nobody looked for longer than that, nobody enters late."),
            default="12 hours", modes=("date", "every"),
        ),
        Input("on_request", "flag", _("On request"), required=True, default=True, modes=("on_request",)),
        Input(
            "fresh", "span", _("An event counts for"),
            _("An older one starts nothing: what is imported late is history, not news."),
            default="2 days", modes=("event", "segment", "message"),
        ),
    ),
    modes=(
        ("event", _("an event")),
        ("segment", _("a segment")),
        ("message", _("what people did with a message")),
        ("inactive_days", _("nothing was heard for long")),
        ("date", _("a date of the person")),
        ("every", _("a schedule")),
        ("on_request", _("a request: by the API or by hand")),
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
        Input("most_each", "whole", _("Most runs of one person at once"), least=1, most=1000),
        Input("most_live", "whole", _("Most runs at once"), least=1, most=100_000_000),
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
