"""Steps of journeys in words: what each kind of step looks like, and how it came out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ICONS = {
    "send": "outbox",
    "wait": "hourglass_empty",
    "wait_for": "hourglass_top",
    "branch": "alt_route",
    "split": "call_split",
    "smart_split": "psychology",
    "repeat": "repeat",
    "update": "edit",
    "list": "playlist_add",
    "audience": "ads_click",
    "webhook": "webhook",
    "survey": "quiz",
    "exit": "logout",
}
#: Kinds whose outcome is the name of a way that somebody chose.
NAMED = frozenset({"branch", "split", "smart_split"})
OUTCOMES: dict[str, Any] = {
    "intended": gettext_lazy("asked for its message"),
    "waited": gettext_lazy("waited long enough"),
    "date passed": gettext_lazy("did not wait: the date was past"),
    "no date": gettext_lazy("did not wait: there is no such date"),
    "event": gettext_lazy("what it waited for happened"),
    "timed_out": gettext_lazy("waited in vain"),
    "again": gettext_lazy("went round once more"),
    "done": gettext_lazy("had gone round often enough"),
    "limit": gettext_lazy("may go round no more"),
    "updated": gettext_lazy("changed the profile"),
    "added": gettext_lazy("was added"),
    "removed": gettext_lazy("was taken out"),
    "answered": gettext_lazy("was answered"),
    "failed call": gettext_lazy("the endpoint refused or failed"),
    "no answer": gettext_lazy("no answer came in time"),
    "goal": gettext_lazy("the goal was reached"),
    "goal_late": gettext_lazy("the goal was reached, too late to count"),
    "exit rule": gettext_lazy("the exit rule holds"),
    "exited": gettext_lazy("left the journey"),
    "moved": gettext_lazy("was moved by a new version"),
    "left with a new version": gettext_lazy("was let out by a new version"),
    "stopped": gettext_lazy("was let out: the journey was stopped"),
    "merged": gettext_lazy("ended: the same person was in it twice"),
    "failed": gettext_lazy("failed and was set aside"),
}


def words(kind: str, outcome: str) -> str:
    """How a step of ``kind`` came out."""
    known = OUTCOMES.get(outcome)
    if kind in NAMED and (known is None or outcome not in ENDS):
        return _("took the way “%s”") % outcome
    if kind == "survey" and known is None:
        return _("was answered: took the way “%s”") % outcome
    return str(known or outcome.replace("_", " "))


#: Outcomes that any kind of step may have, because they come from outside it.
ENDS = frozenset(
    {"goal", "goal_late", "exit rule", "moved", "left with a new version", "stopped", "merged", "failed"}
)
