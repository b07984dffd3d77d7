"""What the page of one contact shows beside the timeline, in a constant number of statements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.timeline_names import channel_label, step_label
from config.timeline_words import CHANNEL_ICONS
from contacts import consent, own_addresses, permission
from contacts.models import (
    Contact,
    Identifier,
    Merge,
    Prediction,
    Purpose,
    SegmentMembership,
    Source,
    Suppression,
)
from contacts.profile import COLUMNS
from journeys import origins
from journeys.models import Run

REACHED_BY = ("email", "sms", "push")
#: The first word of an origin (see contacts.profile.Origin) as people say it; what follows it comes after.
_ORIGINS = {
    "source": "",
    "import": gettext_lazy("import"),
    "api": gettext_lazy("API"),
    "staff": gettext_lazy("staff:"),
    "journey": gettext_lazy("journey"),
    "person": gettext_lazy("the person"),
    "device": gettext_lazy("their device"),
    "place": gettext_lazy("phone or country"),
    "model": gettext_lazy("model"),
}


@dataclass(frozen=True, slots=True)
class Reach:
    """One channel: the address it would use, whether it may, and what the person said to each purpose."""

    channel: str
    label: str
    icon: str
    address: str
    tone: str
    state: str
    purposes: Sequence[tuple[str, bool | None]]
    suppressed: str = ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value of the profile: who said so, and when. An inferred one may have to give way."""

    name: str
    value: Any
    origin: str = ""
    at: datetime | None = None
    gives_way: bool = False

    @property
    def shown(self) -> str:
        """The value as people write it."""
        if isinstance(self.value, bool):
            return _("yes") if self.value else _("no")
        if isinstance(self.value, dict | list):
            return json.dumps(self.value, ensure_ascii=False)
        return str(self.value)


@dataclass(frozen=True, slots=True)
class LiveRun:
    journey_id: int
    journey: str
    step: str
    due_at: datetime | None
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """An identifier, since when, and who told it first."""

    kind: str
    label: str
    value: str
    since: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class Panels:
    reach: Sequence[Reach]
    identifiers: Sequence[Known]
    merges: Sequence[Merge]
    memberships: Sequence[SegmentMembership]
    runs: Sequence[LiveRun]
    ended_runs: int
    predictions: Sequence[Prediction]
    declared: Sequence[Attribute]
    inferred: Sequence[Attribute]

    @property
    def suppressed(self) -> bool:
        return any(one.suppressed for one in self.reach)


def panels(contact: Contact) -> Panels:
    """Everything beside the timeline."""
    runs, ended = _runs(contact)
    return Panels(
        reach=reach(contact),
        identifiers=_identifiers(contact),
        merges=list(Merge.objects.filter(winner_id=contact.pk, undone_at=None).order_by("-id")[:20]),
        memberships=list(
            SegmentMembership.objects.filter(contact_id=contact.pk)
            .select_related("segment")
            .order_by("segment__name")
        ),
        runs=runs,
        ended_runs=ended,
        predictions=list(Prediction.objects.filter(contact_id=contact.pk).order_by("name")),
        **_attributes(contact),
    )


def _attributes(contact: Contact) -> dict[str, list[Attribute]]:
    """Declared and inferred values, each with its origin."""
    columns = {name: value for name in COLUMNS if (value := getattr(contact, name))}
    declared = columns | dict(sorted(contact.attributes.items()))
    origins = contact.origins if isinstance(contact.origins, dict) else {}
    told, concluded = origins.get("declared", {}), origins.get("inferred", {})
    known = dict(Source.objects.values_list("id", "name"))
    return {
        "declared": [
            Attribute(name, value, *_origin(told.get(name), known)) for name, value in declared.items()
        ],
        "inferred": [
            Attribute(name, value, *_origin(concluded.get(name), known), name in declared)
            for name, value in sorted(contact.inferred.items())
        ],
    }


def _identifiers(contact: Contact) -> list[Known]:
    sources = dict(Source.objects.values_list("id", "name"))
    rows = Identifier.objects.filter(contact_id=contact.pk).order_by("kind", "value")[:50]
    return [
        Known(one.kind, one.get_kind_display(), one.value, one.created_at, _teller(one.origin, sources))
        for one in rows
    ]


def _origin(kept: Any, sources: Mapping[int, str]) -> tuple[str, datetime | None]:
    """An origin in words, and its date; nothing where none was kept."""
    if not isinstance(kept, list) or len(kept) != 2:
        return "", None
    return _teller(str(kept[0]), sources), datetime.fromtimestamp(kept[1], UTC)


def _teller(origin: str, sources: Mapping[int, str]) -> str:
    """``source:3`` in words."""
    kind, _colon, which = origin.partition(":")
    if kind == "source":
        which = sources.get(int(which) if which.isdecimal() else 0, which)
    words = str(_ORIGINS[kind]) if kind in _ORIGINS else kind
    return " ".join(filter(None, (words, which)))


def heading(contact: Contact, shown: Panels) -> str:
    """What to call the contact: name or address, else the user id that somebody will look for."""
    if contact.first_name or contact.last_name or contact.email or contact.phone:
        return str(contact)
    own = next((one.value for one in shown.identifiers if one.kind == Identifier.Kind.USER), "")
    return own or str(contact)


def reach(contact: Contact) -> list[Reach]:
    """Per channel, whether a message could reach the contact, and why not."""
    addresses = own_addresses.of(contact)
    pairs = [(channel, address) for channel, address in addresses.items() if address]
    stopped = {
        (row.channel, row.address): str(row.get_reason_display())
        for row in Suppression.objects.filter(
            channel__in=[channel for channel, _address in pairs],
            address__in=[consent.address_key(channel, address) for channel, address in pairs],
        )
    }
    consents = consent.states([contact.pk]).get(contact.pk, {})
    purposes = list(Purpose.objects.filter(transactional=False).values_list("slug", "name"))
    found = []
    for channel, address in addresses.items():
        answers = [(name, permission.of(consents, channel, slug)) for slug, name in purposes]
        suppressed = stopped.get((channel, consent.address_key(channel, address)), "") if address else ""
        tone, state = _state(address, suppressed, [answer for _name, answer in answers])
        label = channel_label(channel)
        found.append(Reach(channel, label, CHANNEL_ICONS[channel], address, tone, state, answers, suppressed))
    return found


def _state(address: str, suppressed: str, answers: Sequence[bool | None]) -> tuple[str, str]:
    if not address:
        return "", _("No address")
    if suppressed:
        return "bad", _("Suppressed")
    if any(answers):
        return "good", _("Reachable")
    if answers and all(answer is False for answer in answers):
        return "bad", _("Refused")
    return "warn", _("Not asked")


def _runs(contact: Contact) -> tuple[list[LiveRun], int]:
    rows = list(Run.objects.filter(contact_id=contact.pk).order_by("-entered_at")[:200])
    live = [row for row in rows if row.state == Run.State.LIVE]
    names = origins.names({row.journey_id for row in live})
    found = [
        LiveRun(
            row.journey_id,
            names.get(row.journey_id, f"#{row.journey_id}"),
            step_label(row.step),
            row.due_at,
            row.entered_at,
        )
        for row in live
    ]
    return found, len(rows) - len(live)


def zone_of(contact: Contact) -> ZoneInfo:
    """The person's clock, told or inferred; UTC where it is unknown or the name is no zone."""
    try:
        return ZoneInfo(contact.timezone or str(contact.inferred.get("timezone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def profile(contact: Contact) -> dict[str, Any]:
    """The profile as a person may ask for it: everything the page says, ready for JSON."""
    shown = panels(contact)
    columns = ("email", "phone", "first_name", "last_name", "language", "timezone", "country", "known")
    return {
        "id": str(contact.public_id),
        **{name: getattr(contact, name) for name in columns},
        "first_seen_at": contact.first_seen_at,
        "last_seen_at": contact.last_seen_at,
        "attributes": contact.attributes,
        "inferred": contact.inferred,
        "origins": {
            one.name: {"origin": one.origin, "at": one.at} for one in shown.declared if one.at is not None
        },
        "identifiers": [
            {"kind": one.kind, "value": one.value, "since": one.since, "origin": one.origin}
            for one in shown.identifiers
        ],
        "segments": [one.segment.slug for one in shown.memberships],
        "consents": [
            {"channel": channel, "purpose": purpose, "allowed": allowed}
            for (channel, purpose), allowed in sorted(
                consent.states([contact.pk]).get(contact.pk, {}).items()
            )
        ],
        "suppressions": [one.channel for one in shown.reach if one.suppressed],
        "live_journeys": [
            {"journey": run.journey, "step": run.step, "entered_at": run.entered_at} for run in shown.runs
        ],
        "predictions": [
            {"name": one.name, "number": one.number, "value": one.value, "reason": one.reason}
            for one in shown.predictions
        ],
    }
