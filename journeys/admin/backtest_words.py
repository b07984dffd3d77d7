"""Words for what a backtest counted: reasons of the policy, ends of runs, lines of a person's story."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import explaining
from journeys import step_words
from journeys.backtest.reading import Bar
from journeys.backtest.stories import Line

ENDS: dict[str, Any] = {
    "inside": gettext_lazy("still inside at the end"),
    "goal": gettext_lazy("reached the goal"),
    "completed": gettext_lazy("came to the end of the way"),
    "failed": gettext_lazy("a step failed"),
    "exit rule": gettext_lazy("left by the exit rule"),
    "goal_late": gettext_lazy("reached the goal too late to count"),
    "stopped": gettext_lazy("let out when the journey was stopped"),
    "left with a new version": gettext_lazy("let out by a new version"),
    "merged": gettext_lazy("was in it twice: the older way went on"),
    "erased": gettext_lazy("was erased"),
}
_REASONS: dict[str, Any] = {
    "not_asked": gettext_lazy("Never asked for consent"),
    "no_consent": gettext_lazy("No consent"),
    "consent_expired": gettext_lazy("The consent has ended"),
    "not_confirmed": gettext_lazy("The consent was not confirmed"),
    "suppressed": gettext_lazy("The address is suppressed"),
    "no_address": gettext_lazy("No address on the channel"),
    "no_provider": gettext_lazy("Nobody carries the channel"),
    "no_channel": gettext_lazy("No channel is left"),
    "redundant": gettext_lazy("Another channel says the same"),
    "never_allowed": gettext_lazy("The charter never allows it"),
    "conditions": gettext_lazy("What it was meant for no longer holds"),
    "no_contact": gettext_lazy("The contact is gone"),
    "goal": gettext_lazy("The goal was reached"),
    "goal_late": gettext_lazy("The goal was reached, too late to count"),
    "exit rule": gettext_lazy("The exit rule held"),
    "paused": gettext_lazy("The provider was paused"),
}


def reason(code: str) -> str:
    return str(_REASONS.get(code) or explaining.rule_name(code))


def end(code: str) -> str:
    return str(ENDS.get(code, code))


def reasons(bars: list[Bar]) -> list[Bar]:
    """The bars with their reasons in words."""
    return [bar._replace(label=reason(bar.label)) for bar in bars]


def line(one: Line) -> tuple[str, str, str]:
    """Icon, tone and sentence of one line of a story."""
    channel = explaining.channel_name(one.word)
    match one.what:
        case "entered":
            return "login", "is-accent", _("Comes into the journey")
        case "ended":
            return "logout", "", _("Leaves: %s") % end(one.word)
        case "send":
            return "send", "is-good", _("Message of step %(step)s leaves by %(channel)s") % {
                "channel": channel, "step": one.step,
            }  # fmt: skip
        case "hold":
            return "schedule", "is-warn", _("Message of step %(step)s waits: %(why)s") % {
                "step": one.step, "why": reason(one.more),
            }  # fmt: skip
        case "drop" | "expire":
            return "block", "is-bad", _("Message of step %(step)s is not sent: %(why)s") % {
                "step": one.step, "why": reason(one.more),
            }  # fmt: skip
        case "cancel":
            return "undo", "", _("Message of step %(step)s is called off: %(why)s") % {
                "step": one.step, "why": reason(one.more),
            }  # fmt: skip
        case _:
            return "footprint", "", _("Step %(step)s: %(outcome)s") % {
                "step": one.step, "outcome": step_words.words("", one.word),
            }  # fmt: skip
