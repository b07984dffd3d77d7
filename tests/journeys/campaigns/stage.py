"""A campaign and its people, and all the pulses that carry it, on a clock of the test's own."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from channels import deciding, delivery
from channels.models import Message, SandboxMessage
from contacts.models import ConsentState, Contact, Purpose, Segment, SegmentMembership
from journeys import engine
from journeys.campaigns import acts, running
from journeys.models import Campaign
from tests.factories import NOON, make_contact, make_provider, make_template


def prepare() -> None:
    """What every campaign of these tests needs: a way out, words, a purpose."""
    make_provider("email")
    make_template("spring")
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})


def make_people(count: int, segment: str = "", **values: Any) -> list[Contact]:
    """People who agreed to offers by email; with ``segment``, its members."""
    people = [make_contact(**values) for _ in range(count)]
    ConsentState.objects.bulk_create(
        ConsentState(
            contact=one,
            slot=one.slot,
            channel="email",
            purpose="offers",
            allowed=True,
            entry_id=0,
            since=NOON,
        )
        for one in people
    )
    if segment:
        put_in(segment, people)
    return people


def put_in(slug: str, people: list[Contact]) -> None:
    found, _new = Segment.objects.get_or_create(slug=slug, defaults={"name": slug.title(), "kind": "static"})
    SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=found, contact=one, slot=one.slot, entered_at=NOON) for one in people
    )


def make_campaign(name: str = "Spring", **values: Any) -> Campaign:
    """A draft for everybody, as soon as it is started."""
    defaults: dict[str, Any] = {
        "everyone": True,
        "channels": ["email"],
        "content": {"email": "spring"},
        "purpose": "offers",
        "zone": "Europe/Paris",
    }
    if values.get("every", "now") != "now":
        defaults["at"] = time(9)
    return acts.create(name, None, **{**defaults, **values})


def start(campaign: Campaign, now: datetime = NOON) -> Campaign:
    acts.schedule(campaign, None, now)
    return campaign


def pulse(now: datetime, rounds: int = 200) -> None:
    """Everything that is due at ``now``, until nothing moves."""
    for _round in range(rounds):
        moved = running.tick(now)
        moved += engine.advance(now)
        moved += deciding.decide_batch(now)
        moved += delivery.deliver_batch(lambda: now)
        if not moved:
            return
    raise AssertionError("something goes round for ever")


def mails() -> list[str]:
    """Addresses in the order in which the sandbox got them."""
    return list(SandboxMessage.objects.order_by("id").values_list("address", flat=True))


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Message.objects.values_list("state", flat=True):
        name = Message.State(state).name
        found[name] = found.get(name, 0) + 1
    return found


def refreshed(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_related("journey").get(pk=campaign.pk)
