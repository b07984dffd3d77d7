"""How a wait is asked for."""

from __future__ import annotations

from journeys.fields import Form, Input, _, next_input

WEEKDAYS = (
    ("monday", _("Monday")),
    ("tuesday", _("Tuesday")),
    ("wednesday", _("Wednesday")),
    ("thursday", _("Thursday")),
    ("friday", _("Friday")),
    ("saturday", _("Saturday")),
    ("sunday", _("Sunday")),
)

FORM = Form(
    _("Wait"),
    _("Waits a length of time, or until a time on the person's own clock."),
    (
        Input("for", "span", _("Length"), _("Such as 2 days or 48 hours."), required=True, modes=("for",)),
        Input(
            "days", "whole", _("Calendar days"), _("0: today, or tomorrow if the time has passed."),
            required=True, default=1, least=0, most=1000, modes=("days",),
        ),
        Input(
            "weekday", "choice", _("Day of the week"), required=True, choices=WEEKDAYS, modes=("weekday",)
        ),
        Input("from", "clock", _("From"), required=True, default="09:00", modes=("from",)),
        Input("to", "clock", _("Until"), required=True, default="19:00", modes=("from",)),
        Input(
            "weekdays", "choices", _("On these days"), _("Empty: every day."), choices=WEEKDAYS,
            modes=("from",),
        ),
        Input("date", "attribute", _("Date"), _("Such as birthday."), required=True, modes=("date",)),
        Input("before", "span", _("So many days before"), _("Such as 3 days."), modes=("date",)),
        Input("after", "span", _("So many days after"), modes=("date",)),
        Input("yearly", "flag", _("Its next anniversary"), default=False, modes=("date",)),
        Input("at", "clock", _("At"), required=True, default="09:00", modes=("days", "weekday")),
        Input(
            "at", "clock", _("At"), _("Empty: the time that the date has, or midnight."), modes=("date",)
        ),
        next_input(),
        Input(
            "on_missing", "step", _("Who has no such date"), _("Empty: the same way."), modes=("date",)
        ),
    ),
    modes=(
        ("for", _("a length of time")),
        ("days", _("days, until a time of day")),
        ("weekday", _("until a day of the week")),
        ("from", _("until certain hours")),
        ("date", _("until a date of the person")),
    ),
    group="time",
)  # fmt: skip
