"""Decisions in words: for the ledger, the contact's timeline, and whoever asks why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import choosing_words, explaining_rules
from channels.models import Decision
from contacts.models import Contact

#: What a channel is called.
channel_name = explaining_rules.channel_name
_OUTCOMES = {
    Decision.Outcome.SEND: gettext_lazy("May leave"),
    Decision.Outcome.HOLD: gettext_lazy("Held"),
    Decision.Outcome.DROP: gettext_lazy("Not sent"),
    Decision.Outcome.CANCEL: gettext_lazy("Called off"),
}
_RULES = {
    "conditions": gettext_lazy("Its own conditions"),
    "deadline": gettext_lazy("Deadline"),
    "suppression": gettext_lazy("Suppression"),
    "consent": gettext_lazy("Consent"),
    "reachability": gettext_lazy("Reachability"),
    "redundancy": gettext_lazy("Redundancy"),
    "cap": gettext_lazy("Cap"),
    "spacing": gettext_lazy("Spacing"),
    "quiet_hours": gettext_lazy("Quiet hours"),
    "pause": gettext_lazy("A pause"),
    "own_cap": gettext_lazy("Their own maximum"),
    "own_quiet_hours": gettext_lazy("Their own quiet hours"),
    "charter": gettext_lazy("Charter"),
    "on_hold": gettext_lazy("Rather not than later"),
    "reroute": gettext_lazy("Another channel"),
    "arbitration": gettext_lazy("Its turn"),
    "role": gettext_lazy("Role of the channel"),
    "forbidden": gettext_lazy("Forbidden combination"),
    "combination": gettext_lazy("Too close to another"),
    "law": gettext_lazy("Hours of law"),
    "blackout": gettext_lazy("Blackout days"),
    "holiday": gettext_lazy("Public holidays"),
    "contact": gettext_lazy("Contact"),
    "origin": gettext_lazy("Who wanted it"),
    "smart_channel": gettext_lazy("The person's channel"),
    "best_hour": gettext_lazy("The person's best hour"),
}
#: Two rules of spacing are asked one after the other.
_QUESTIONS = {"one_a_day": gettext_lazy("One a day"), "apart": gettext_lazy("Time between messages")}
_ANSWERS = {
    "pass": gettext_lazy("passed"),
    "wait": gettext_lazy("not now"),
    "refuse": gettext_lazy("no"),
    "cancel": gettext_lazy("called off"),
}
_CANCELLED = {
    "goal": gettext_lazy("the goal was reached"),
    "exit": gettext_lazy("the journey ended for this person"),
    "conditions": gettext_lazy("what it was meant for no longer holds"),
    "no_contact": gettext_lazy("the contact is gone"),
    "campaign_cancelled": gettext_lazy("the campaign was cancelled"),
}


class Explained(Protocol):
    """What is explained: a row of the ledger will do."""

    @property
    def outcome(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def until(self) -> datetime | None: ...
    @property
    def trace(self) -> Any: ...


class Step(NamedTuple):
    """One question of the policy: its name, the answer (pass, wait, refuse), and both in words."""

    rule: str
    verdict: str
    words: str

    @property
    def answer(self) -> str:
        return str(_ANSWERS.get(self.verdict, self.verdict))


def explain(decision: Explained, zone: tzinfo | None = None) -> str:
    """A sentence: “Held: third message this week, limit 2; will try Monday 16 Mar, 09:00 Paris time”."""
    outcome = _OUTCOMES[Decision.Outcome(decision.outcome)]
    return f"{outcome}: {why(decision, zone)}"


def why(decision: Explained, zone: tzinfo | None = None) -> str:
    """The sentence without its first word. Times are on the person's clock, where the decision knows it."""
    words = _why(decision)
    if decision.until is None:
        return words
    clock = zone or _zone(decision.trace)
    return _("%(words)s; will try %(when)s") % {"words": words, "when": when(decision.until, clock)}


def zone_of(contact: Contact | None) -> tzinfo | None:
    """A person's own clock, where it is known."""
    try:
        return ZoneInfo(contact.timezone) if contact and contact.timezone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def outcome_word(decision: Explained) -> str:
    return str(_OUTCOMES[Decision.Outcome(decision.outcome)])


def when(at: datetime, zone: tzinfo) -> str:
    """“Monday 16 Mar, 09:00 Paris time”."""
    local = at.astimezone(zone)
    place = getattr(zone, "key", "UTC").rpartition("/")[2].replace("_", " ")
    clock = "UTC" if place == "UTC" else _("%(place)s time") % {"place": place}
    return f"{formats.date_format(local, 'l j M, H:i')} {clock}"


def steps(decision: Explained) -> list[Step]:
    """Everything the policy asked, in order."""
    found = []
    for line in decision.trace or []:
        if isinstance(line, list) and len(line) > 1:
            inputs = line[2] if len(line) > 2 and isinstance(line[2], Mapping) else {}
            name = str(_QUESTIONS.get(str(inputs.get("rule")), _RULES.get(line[0], line[0])))
            found.append(Step(name, str(line[1]), explaining_rules.asked(str(line[0]), str(line[1]), inputs)))
    return found


def rule_name(rule: str) -> str:
    """What a rule of the policy is called: ``quiet_hours`` is ``Quiet hours``."""
    return str(_RULES.get(rule, rule))


def reason_name(reason: str) -> str:
    """A reason in a few words, for lists of figures."""
    short = _SHORT.get(reason) or _RULES.get(reason)
    return str(short) if short else reason.replace("_", " ").capitalize()


def _why(decision: Explained) -> str:
    reason, channel = decision.reason, channel_name(decision.channel)
    inputs = _blocking(decision)
    match reason:
        case "allowed":
            return _("everything allows it, by %s") % channel
        case "cap":
            return explaining_rules.cap(inputs)
        case "own_cap":
            return _("this person wants no more (%s)") % explaining_rules.cap(inputs)
        case "best_hour":
            return _("it waits for their best hour (%s)") % choosing_words.hour(inputs)
        case _ if reason in _ASKED:
            rule = "redundancy" if reason == "redundant" else reason
            return explaining_rules.asked(rule, "refuse", inputs)
        case "deadline":
            because = inputs.get("because")
            late = _("it had to leave by %s") % explaining_rules.instant(inputs.get("deadline"))
            return f"{late} ({_SHORT.get(str(because), because)})" if because else late
        case _ if decision.outcome == Decision.Outcome.CANCEL:
            return str(_CANCELLED.get(reason, reason.replace("_", " ")))
    plain = _PLAIN.get(reason)
    purpose = inputs.get("purpose", "")
    return str(plain) % {"channel": channel, "purpose": purpose} if plain else reason.replace("_", " ")


_PLAIN = {
    "suppressed": gettext_lazy("the address is on the suppression list (%(channel)s)"),
    "no_consent": gettext_lazy("“%(purpose)s” by %(channel)s was refused"),
    "not_asked": gettext_lazy("this person never agreed to “%(purpose)s” by %(channel)s"),
    "consent_expired": gettext_lazy("the consent to “%(purpose)s” by %(channel)s has ended"),
    "not_confirmed": gettext_lazy("“%(purpose)s” by %(channel)s waits for the person's confirmation"),
    "no_address": gettext_lazy("no address is known (%(channel)s)"),
    "no_provider": gettext_lazy("no provider carries this channel (%(channel)s)"),
    "no_channel": gettext_lazy("none of its channels is switched on"),
    "paused": gettext_lazy("the provider is paused (%(channel)s)"),
    "withheld": gettext_lazy("who asked for it is paused"),
    "pause": gettext_lazy("this person asked for a pause"),
    "never_allowed": gettext_lazy("the charter leaves no time for it (%(channel)s)"),
}
#: Reasons that are said in the words of their question.
_ASKED = frozenset(
    {"spacing", "quiet_hours", "own_quiet_hours", "redundant", "role", "forbidden", "combination", "law"}
    | {"blackout", "holiday"}
)
_SHORT = {
    "combination": gettext_lazy("too close to a message that it must not come close to"),
    "law": gettext_lazy("the law allows no message at that hour"),
    "blackout": gettext_lazy("blackout days"),
    "holiday": gettext_lazy("a public holiday"),
    "cap": gettext_lazy("the cap was reached"),
    "spacing": gettext_lazy("too close to another message"),
    "quiet_hours": gettext_lazy("quiet hours"),
    "pause": gettext_lazy("this person asked for a pause"),
    "own_cap": gettext_lazy("this person wants no more"),
    "own_quiet_hours": gettext_lazy("their own quiet hours"),
    "paused": gettext_lazy("the provider is paused"),
}


def _blocking(decision: Explained) -> Mapping[str, Any]:
    """Inputs of the question whose answer decided: the last one that did not pass."""
    consent = dict.fromkeys(("no_consent", "not_asked", "consent_expired", "not_confirmed"), "consent")
    wanted = {"redundant": "redundancy", **consent}
    rule = wanted.get(decision.reason, decision.reason)
    lines = [line for line in decision.trace or [] if isinstance(line, list) and len(line) > 2]
    own = [line for line in lines if line[0] == rule and line[1] != "pass"]
    same = [line for line in own if line[2].get("channel", decision.channel) == decision.channel] or own
    # Of several that held it, one that refused it decided.
    chosen = next((line for line in same if line[1] == "refuse"), next(iter(same), None))
    inputs: Mapping[str, Any] = chosen[2] if chosen else {}
    return inputs


def _zone(trace: Any) -> tzinfo:
    """The person's zone, as the policy used it; UTC when it used none or several."""
    for line in trace or []:
        if isinstance(line, list) and len(line) > 2 and isinstance(line[2], Mapping):
            name = line[2].get("zone")
            try:
                if isinstance(name, str) and "/" in name:
                    return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return UTC
