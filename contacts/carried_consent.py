"""What events say about consent: read them, decide what may be believed, write it to the ledger.

An *act* is a track "Consent Updated": the person answered. A *stamp* is ``context.consent`` on any other
call: the sender tells what it goes by. A stamp never overturns a refusal, and one of a browser only refuses.
The whole contract is in docs/how-to/send-events.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contacts import consent
from contacts.arrivals import Arrival
from contacts.consent import CHANNELS, NewConsent
from contacts.intake_event import CONSENT_NAMES
from contacts.models import ConsentState, Purpose
from contacts.permission import EVERY
from contacts.plan.catalogue import Problem
from contacts.plan.touchpoints import Touchpoint

WEB = "web"
"The channel of what a site or app may do with a visit, as opposed to what may be sent."
TRACKING, ADS = "tracking", "ads"
WEB_PURPOSES = frozenset({TRACKING, ADS, "personalisation"})
#: Names that consent managers commonly use, and ours.
_ALIASES = {
    "analytics": TRACKING,
    "measurement": TRACKING,
    "performance": TRACKING,
    "advertising": ADS,
    "marketing": ADS,
    "targeting": ADS,
    "personalization": "personalisation",
}
_LONGEST_WORDING, _LONGEST_ORIGIN, _LONGEST_URL = 60, 60, 500


@dataclass(frozen=True, slots=True)
class Said:
    """One answer as an event carries it."""

    channel: str
    purpose: str
    given: bool
    act: bool
    "Whether the person said so with this event, or the sender only repeats it."


def said(arrival: Arrival) -> list[Said]:
    """All answers that an event carries. Pure."""
    act = is_act(arrival)
    found = list(_in_properties(arrival.event.properties_dict())) if act else []
    carried = arrival.surroundings.get("consent")
    if isinstance(carried, dict):
        categories = carried.get("categoryPreferences")
        chosen = {one.purpose for one in found if one.channel == WEB}
        for name, given in categories.items() if isinstance(categories, dict) else ():
            purpose = web_purpose(name)
            if isinstance(given, bool) and purpose in WEB_PURPOSES - chosen:
                found.append(Said(WEB, purpose, given, act))
        if carried.get("gpc") is True:
            # The browser's standing objection gives way only to what the person chose on this very site.
            chosen = {one.purpose for one in found if one.channel == WEB}
            found += [Said(WEB, purpose, False, act) for purpose in (TRACKING, ADS) if purpose not in chosen]
    return found


def is_act(arrival: Arrival) -> bool:
    return arrival.event.type == "track" and arrival.event.name in CONSENT_NAMES


def web_purpose(category: str) -> str:
    slug = category.strip().lower().replace(" ", "-")
    return _ALIASES.get(slug, slug)


def record(
    arrivals: Sequence[Arrival],
    contacts: Sequence[int],
    touchpoints: Mapping[int, Touchpoint],
    now: datetime,
) -> dict[int, list[Problem]]:
    """Write to the ledger what ``arrivals`` of ``contacts`` say; returns what was not believed, by item id.

    Call in ingest's transaction, after the contacts are stored. Nothing is asked of the database where no
    event carries consent, else a constant number of statements.
    """
    carriers = [
        (arrival, contact, answers)
        for arrival, contact in zip(arrivals, contacts, strict=True)
        if (is_act(arrival) or "consent" in arrival.surroundings) and (answers := said(arrival))
    ]
    if not carriers:
        return {}
    carriers.sort(key=lambda carrier: carrier[0].occurred_at)
    people = {contact for _arrival, contact, _answers in carriers}
    consent.lock(people)
    believed = _Believed(people)
    entries: list[NewConsent] = []
    problems: dict[int, list[Problem]] = {}
    for arrival, contact, answers in carriers:
        touchpoint = touchpoints.get(arrival.item.source_id)
        for answer in answers:
            doubt = believed.doubt(arrival, contact, answer)
            if doubt:
                problem = Problem("consent", f"{answer.channel}/{answer.purpose}"[:256], doubt)
                problems.setdefault(arrival.item.id, []).append(problem)
            elif believed.changes(arrival, contact, answer):
                entries.append(_entry(arrival, contact, answer, touchpoint))
    consent.record(entries, now)
    return problems


class _Believed:
    """Decides which answers count, given what holds; follows the answers of its own batch."""

    def __init__(self, people: Iterable[int]) -> None:
        self._purposes = frozenset(Purpose.objects.values_list("slug", flat=True))
        self._holds: dict[tuple[int, str, str], tuple[bool, datetime]] = {
            (contact, channel, purpose): (allowed, since)
            for contact, channel, purpose, allowed, since in ConsentState.objects.filter(
                contact_id__in=list(people)
            ).values_list("contact_id", "channel", "purpose", "allowed", "since")
        }

    def doubt(self, arrival: Arrival, contact: int, answer: Said) -> str:
        """Why an answer is not believed; "" if it is."""
        if answer.channel != WEB and answer.channel not in CHANNELS:
            return "unknown channel"
        known = self._purposes | (WEB_PURPOSES if answer.channel == WEB else {EVERY})
        if answer.purpose not in known:
            return "unknown purpose"
        if not answer.given or arrival.item.server:
            return ""
        if not answer.act:
            return ""  # see changes(): a browser's stamp gives nothing, which is no fault of its sender
        if answer.channel != WEB and not _wording(arrival):
            return "given without the version of the wording"
        return ""

    def changes(self, arrival: Arrival, contact: int, answer: Said) -> bool:
        """Whether the answer is to be written down; if so it holds from here on."""
        key = (contact, answer.channel, answer.purpose)
        holds = self._holds.get(key)
        if answer.given:
            if not answer.act and (holds is not None or not arrival.item.server):
                return False
            later = [self._holds.get(one) for one in (key, (contact, answer.channel, EVERY))]
            if any(one is not None and one[1] > arrival.occurred_at for one in later):
                return False
        elif holds is not None and not holds[0]:
            return False
        self._holds[key] = (answer.given, arrival.occurred_at)
        return True


def _in_properties(properties: Mapping[str, Any]) -> Iterator[Said]:
    """``{channel?, <purpose>: true or false, ...}``; without a channel for all that the purpose is about."""
    channel = properties.get("channel")
    for purpose, given in properties.items():
        if isinstance(given, bool):
            usual = (WEB,) if purpose in WEB_PURPOSES else CHANNELS
            channels = (channel,) if isinstance(channel, str) else usual
            yield from (Said(one, purpose, given, True) for one in channels)


def _wording(arrival: Arrival) -> str:
    wording = arrival.event.properties_dict().get("wording") if is_act(arrival) else None
    return wording.strip()[:_LONGEST_WORDING] if isinstance(wording, str) else ""


def _entry(arrival: Arrival, contact: int, answer: Said, touchpoint: Touchpoint | None) -> NewConsent:
    page = arrival.surroundings.get("page")
    url = page.get("url") if isinstance(page, dict) else None
    given = arrival.surroundings.get("consent")
    proof = {
        "source": touchpoint.slug if touchpoint else str(arrival.item.source_id),
        "key": "server" if arrival.item.server else "write only",
        "message_id": arrival.event.message_id,
        "received_at": arrival.item.received_at.isoformat(),
        "ip": arrival.event.peer or "",
        "page": url[:_LONGEST_URL] if isinstance(url, str) else "",
        "gpc": isinstance(given, dict) and given.get("gpc") is True,
    }
    return NewConsent(
        contact,
        answer.channel,
        answer.purpose,
        answer.given,
        (touchpoint.slug if touchpoint else "event")[:_LONGEST_ORIGIN],
        wording=_wording(arrival),
        proof={name: value for name, value in proof.items() if value},
        occurred_at=arrival.occurred_at,
    )
