from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Self

from contacts import rules
from journeys import local_time
from journeys.fields import Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Facts, Outcome, Standing, Wanted
from journeys.steps.step import Step, read_next

_NAMES = {"email": "email", "sms": "SMS", "push": "web push", "inapp": "in-app message"}
CHANNELS = tuple(_NAMES)
#: What is asked of every step that sends.
CHANNEL_INPUTS = (
    Input(
        "channels", "choices", _("Channels"), _("The preferred one first."), required=True,
        choices=(
            ("email", _("Email")), ("sms", _("SMS")), ("push", _("Web push")), ("inapp", _("In-app message")),
        ),
    ),
    Input("content", "templates", _("Templates"), _("One for each channel."), required=True),
    Input("purpose", "purpose", _("Purpose"), _("What the person must allow."), required=True),
    Input(
        "priority", "whole", _("Priority"), _("Who gets the last place under a cap: 0 to 100."),
        default=50, least=0, most=100,
    ),
    Input("value", "number", _("Value"), _("Breaks a tie."), default=0, least=0, most=1e9),
    Input(
        "on_hold", "choice", _("When it may not leave now"), default="wait",
        choices=(
            ("wait", _("wait until it may")), ("reroute", _("try its other channels, else wait")),
            ("drop", _("drop it")),
        ),
    ),
    Input("deadline", "span", _("Wait at most"), _("Such as 2 days. Empty: as long as it takes.")),
    Input(
        "smart_channel", "flag", _("Smart channel"),
        _("Begin with the channel that the person answers on most, of those above."), default=False,
    ),
    Input(
        "best_time_within", "span", _("Best time within"),
        _("Wait for the hour in which the person answers most, such as 24 hours. Empty: at once."),
    ),
    Input("conditions", "rule", _("Only if, when it leaves")),
)  # fmt: skip
#: Longer than this nobody's best hour is waited for.
_LONGEST_BEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Asks for a message and goes on; the policy says whether, when and by which channel it leaves."""

    kind: ClassVar = "send"
    example: ClassVar = {"channels": ["email"], "content": {"email": "welcome-email"}, "purpose": "offers"}

    form: ClassVar = Form(
        _("Send a message"),
        _("Asks for a message and goes on. Whether, when and by which channel it leaves is decided then."),
        (*CHANNEL_INPUTS, next_input()),
        group="message",
    )

    wanted: Wanted
    next: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        channels = fields.texts("channels", most=len(CHANNELS))
        for channel in channels:
            if channel not in CHANNELS:
                fields.problem("channels", f"{channel[:40]!r} is not one of {', '.join(CHANNELS)}")
        conditions = fields.rule("conditions")
        wanted = Wanted(
            purpose=fields.text("purpose", required=True, most=40),
            channels=channels,
            content=_content(fields, channels),
            priority=fields.whole("priority", 50, least=0, most=100),
            value=float(fields.number("value", 0.0, least=0, most=1e9)),
            on_hold=fields.choice("on_hold", ("wait", "reroute", "drop"), "wait"),
            deadline=fields.parsed("deadline", local_time.span, None),
            conditions=conditions.data if conditions else None,
            smart_channel=fields.flag("smart_channel"),
            best_within=fields.parsed("best_time_within", local_time.span, None),
        )
        if wanted.best_within and wanted.best_within > _LONGEST_BEST:
            fields.problem("best_time_within", f"must be at most {_LONGEST_BEST.days} days")
        if wanted.smart_channel and len(channels) == 1:
            fields.problem("smart_channel", "needs at least two channels to choose from")
        return cls(id=step_id, wanted=wanted, next=read_next(fields))

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        return Advance(self.next, "intended", wanted=(self.wanted,))

    def sends(self) -> Wanted | None:
        return self.wanted

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return (("next", self.next),)

    def words(self) -> str:
        wanted = self.wanted
        ways = channel_names(wanted)
        limit = f", within {local_time.span_words(wanted.deadline)}" if wanted.deadline else ""
        only = f", only if {rules.explain(rules.parse(wanted.conditions))}" if wanted.conditions else ""
        smart = ", their own channel first" if wanted.smart_channel else ""
        best = (
            f", at their best time within {local_time.span_words(wanted.best_within)}"
            if wanted.best_within
            else ""
        )
        return f"Send {ways} ({wanted.purpose}){smart}{best}{limit}{only}"


def channel_names(wanted: Wanted) -> str:
    """By which channels and templates a message is sent, in words."""
    return ", else ".join(
        f"{_NAMES.get(way, way)} “{wanted.content.get(way, '?')}”" for way in wanted.channels
    )


def _content(fields: Fields, channels: tuple[str, ...]) -> dict[str, str]:
    if not fields.has("content"):
        fields.raw("content")
        fields.problem("content", "is missing: name a template for each channel")
        return {}
    inner = fields.inner("content")
    content = {}
    for channel in channels:
        if channel in CHANNELS:
            content[channel] = inner.text(channel, required=True, most=60)
    inner.done()
    return content
