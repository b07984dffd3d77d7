"""The kinds of steps, one line each. A new kind is a module here, its line, and a line in the reference."""

from __future__ import annotations

from journeys.steps.audience import ChangeAudience
from journeys.steps.branch import Branch
from journeys.steps.exit import ExitHere
from journeys.steps.listing import ChangeList
from journeys.steps.repeat import Repeat
from journeys.steps.send import Send
from journeys.steps.smart_split import SmartSplit
from journeys.steps.split import Split
from journeys.steps.step import Step
from journeys.steps.survey import AskSurvey
from journeys.steps.update import Update
from journeys.steps.wait import Wait
from journeys.steps.wait_for import WaitForEvent
from journeys.steps.webhook import Webhook

KINDS: dict[str, type[Step]] = {
    kind.kind: kind
    for kind in (
        Send,
        AskSurvey,
        Wait,
        WaitForEvent,
        Branch,
        Split,
        SmartSplit,
        Repeat,
        Update,
        ChangeList,
        ChangeAudience,
        Webhook,
        ExitHere,
    )
}

__all__ = ["KINDS", "Step"]
