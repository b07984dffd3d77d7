"""How a row of the timeline reads: an icon, a tone, one line, and what opens beneath it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import explaining
from channels.models import Decision, Message
from channels.models.provider import Channel
from config.timeline import Mark, Placed
from config.timeline_events import event_words
from config.timeline_names import Names, channel_label, step_label
from contacts.models import ConsentEntry, Event, Merge
from journeys import step_words
from journeys.models import StepEntry

CHANNEL_ICONS = {
    "email": "mail",
    "sms": "sms",
    "push": "notifications",
    "inapp": "web_asset",
    "audience": "ads_click",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline, ready to draw."""

    mark: Mark
    icon: str
    title: str
    text: str = ""
    tone: str = ""
    pill: str = ""
    details: list[tuple[str, str]] = field(default_factory=list)
    data: str = ""

    @property
    def at(self) -> datetime:
        return self.mark.at


STATE_TONES = {
    Message.State.HELD: "warn",
    Message.State.ACCEPTED: "good",
    Message.State.REJECTED: "bad",
    Message.State.DROPPED: "warn",
    Message.State.CANCELLED: "",
    Message.State.EXPIRED: "warn",
    Message.State.UNCERTAIN: "bad",
}
DECISION_WORDS = {
    Decision.Outcome.SEND: ("check_circle", "good", gettext_lazy("May leave")),
    Decision.Outcome.HOLD: ("pause_circle", "warn", gettext_lazy("Held")),
    Decision.Outcome.DROP: ("block", "bad", gettext_lazy("Not sent")),
    Decision.Outcome.CANCEL: ("cancel", "", gettext_lazy("Called off")),
}
_VERDICTS = {"pass": gettext_lazy("passed"), "wait": gettext_lazy("not now"), "refuse": gettext_lazy("no")}


def entries(placed: Iterable[Placed], names: Names, zone: ZoneInfo) -> list[Entry]:
    """The rows in words, in the order they came; times inside them on the clock of ``zone``."""
    return [_entry(one, names, zone) for one in placed]


def _entry(one: Placed, names: Names, zone: ZoneInfo) -> Entry:
    row = one.row
    if isinstance(row, Event):
        return _event(one.mark, row, names, zone)
    if isinstance(row, Message):
        return _message(one.mark, row, names, zone)
    if isinstance(row, Decision):
        return _decision(one.mark, row, names, zone)
    if isinstance(row, ConsentEntry):
        return _consent(one.mark, row, names, zone)
    if isinstance(row, StepEntry):
        return _step(one.mark, row, names)
    if isinstance(row, Merge):
        return _merge(one.mark, row)
    raise TypeError(f"no words for {type(row).__name__}")


def _event(mark: Mark, event: Event, names: Names, zone: ZoneInfo) -> Entry:
    properties = event.properties if isinstance(event.properties, dict) else {}
    words = event_words(event, properties, names)
    details = []
    if event.source_id:
        details.append((_("Source"), names.sources.get(event.source_id, f"#{event.source_id}")))
    if event.message_id:
        details.append((_("Message id"), event.message_id))
    if abs((event.received_at - event.occurred_at).total_seconds()) > 60:
        details.append((_("Received"), clock(event.received_at, zone)))
    data: dict[str, Any] = properties | ({"context": event.context} if event.context else {})
    return Entry(
        mark,
        words.icon,
        words.title,
        words.text,
        words.tone,
        details=details,
        data=_json(data) if data else "",
    )


def _message(mark: Mark, message: Message, names: Names, zone: ZoneInfo) -> Entry:
    channel = message.channel or (message.wanted[0] if message.wanted else "")
    template = names.template(message.content.get(channel) if isinstance(message.content, dict) else "")
    label = channel_label(channel)
    title = f"{label} “{template}”" if template else label
    details = [
        (_("Purpose"), names.purposes.get(message.purpose, message.purpose)),
        (_("Channels wanted"), ", ".join(map(str, message.wanted))),
        (_("To"), message.address),
        (_("Reason"), reason_words(message.reason)),
    ]
    for name, at in (
        (_("Handed over"), message.accepted_at),
        (_("Delivered"), message.delivered_at),
        (_("Opened"), message.opened_at),
        (_("Clicked"), message.clicked_at),
        (_("Bounced"), message.bounced_at),
    ):
        if at:
            details.append((name, clock(at, zone)))
    return Entry(
        mark,
        CHANNEL_ICONS.get(channel, "send"),
        title,
        origin_words(message, names),
        STATE_TONES.get(Message.State(message.state), "accent"),
        pill=str(message.get_state_display()),
        details=[(name, value) for name, value in details if value],
    )


def clock(at: datetime, zone: ZoneInfo) -> str:
    """An instant on the clock of ``zone``: ``22 Nov 2026, 08:00``."""
    return formats.date_format(at.astimezone(zone), "j M Y, H:i")


def origin_words(message: Message, names: Names) -> str:
    """Who wants the message: ``Cart rescue, day 1``."""
    if message.origin_kind in ("journey", "campaign") and message.origin_id:
        origin = names.journeys.get(message.origin_id) or message.origin_slug or f"#{message.origin_id}"
        if message.origin_kind == "campaign":
            origin = _("Campaign “%s”") % origin
        return ", ".join(part for part in (origin, step_label(message.origin_step)) if part)
    return {"api": _("Asked for over the API"), "test": _("A test")}.get(message.origin_kind, "")


def _decision(mark: Mark, decision: Decision, names: Names, zone: ZoneInfo) -> Entry:
    icon, tone, verdict = DECISION_WORDS[Decision.Outcome(decision.outcome)]
    message = names.messages.get(decision.message_id)
    subject = origin_words(message, names) if message else ""
    why = explaining.why(decision, zone)
    details = [
        (step.rule, " · ".join(filter(None, (str(_VERDICTS.get(step.verdict, step.verdict)), step.words))))
        for step in explaining.steps(decision)
    ]
    if decision.charter_number:
        details.append((_("Charter"), f"v{decision.charter_number}"))
    title = f"{verdict}: {subject}" if subject else str(verdict)
    return Entry(mark, icon, title, why[:1].upper() + why[1:], tone, details=details)


def reason_words(code: str) -> str:
    """A code of the ledger as words: ``quiet_hours`` is ``Quiet hours``."""
    words = code.replace("_", " ")
    return words[:1].upper() + words[1:]


def _consent(mark: Mark, entry: ConsentEntry, names: Names, zone: ZoneInfo) -> Entry:
    given = entry.action == ConsentEntry.Action.GIVEN
    purpose = _("everything") if entry.purpose == "*" else names.purposes.get(entry.purpose, entry.purpose)
    channel = dict(Channel.choices).get(entry.channel, entry.channel)
    title = (
        _("Allowed %(purpose)s by %(channel)s") if given else _("Refused %(purpose)s by %(channel)s")
    ) % {
        "purpose": purpose,
        "channel": channel,
    }
    details = [
        (_("Where"), entry.origin),
        (_("Legal basis"), entry.basis),
        (_("Wording"), entry.wording),
        (_("Recorded"), clock(entry.recorded_at, zone)),
    ]
    return Entry(
        mark,
        "verified_user" if given else "do_not_disturb_on",
        title,
        tone="good" if given else "bad",
        details=[(name, value) for name, value in details if value],
        data=_json(entry.proof) if entry.proof else "",
    )


def _step(mark: Mark, step: StepEntry, names: Names) -> Entry:
    kind = names.step_type(step.version_id, step.step)
    return Entry(
        mark,
        step_words.ICONS.get(kind, "footprint"),
        f"{names.journey(step.journey_id)}: {step_label(step.step)}",
        step_words.words(kind, step.outcome),
        "bad" if step.outcome == "failed" else "",
        details=[(_("Run"), str(step.run_id)), (_("Step"), f"{step.step} ({step.visit})")],
        data=_json(step.detail) if step.detail else "",
    )


def _merge(mark: Mark, merge: Merge) -> Entry:
    """Two contacts became one, or are two again: the row tells both, at the times of both."""
    other = former_name(merge)
    if merge.undone_at == mark.at:
        return Entry(mark, "call_split", _("The merge with %s was undone") % other, tone="warn")
    moved = merge.snapshot.get("moved", {}) if isinstance(merge.snapshot, dict) else {}
    brought = sum(len(rows) for rows in moved.values())
    return Entry(
        mark,
        "merge",
        _("%s became part of this contact") % other,
        merge.reason[:1].upper() + merge.reason[1:],
        "info",
        pill=_("undone since") if merge.undone_at else "",
        details=[(_("Brought along"), _("%d rows of its history") % brought)],
    )


def former_name(merge: Merge) -> str:
    """What the contact that is no more was called."""
    known = merge.snapshot.get("contact", {}) if isinstance(merge.snapshot, dict) else {}
    name = f"{known.get('first_name', '')} {known.get('last_name', '')}".strip()
    return name or known.get("email") or _("Anonymous %s") % str(merge.loser_public_id)[:8]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
