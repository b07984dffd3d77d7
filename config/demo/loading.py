"""Fill a fresh installation with sources, contacts and history, through the ingest of live events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, transaction

from config.demo import history
from config.demo.people import Person, invent
from config.demo.progress import Progress
from contacts import ingest, intake_event, partitions, slots
from contacts.intake_event import IntakeEvent
from contacts.models import Source

#: The play covers these last days; history before them is only loaded.
PLAY_DAYS = 30
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Stage:
    """What the load leaves for the play."""

    people: dict[int, Person]
    sources: dict[str, Source]
    begins: datetime
    #: Events of the play's days, in order of time: (source slug, event).
    ahead: list[tuple[str, IntakeEvent]]
    loaded: int
    seconds: float


def load(now: datetime) -> Stage:
    """Load people and history up to the play. ``now`` is the installation's first moment."""
    started = time.monotonic()
    today = now.astimezone(UTC).date()
    begins = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=PLAY_DAYS)
    _make_room(now)
    people = {household: invent(household, known) for household, known in history.households().items()}
    made = _sources()
    told = sorted(_story(now, people), key=lambda item: item[1].occurred_at)
    past = [item for item in told if item[1].occurred_at < begins]
    ahead = [item for item in told if item[1].occurred_at >= begins]
    with Progress("Loading a year of retail history", len(past), "events") as progress:
        for chunk in _chunks(past):
            put(chunk, made, begins)
            while ingest.take_in(begins):
                continue
            progress.add(len(chunk))
    return Stage(people, made, begins, ahead, len(past), time.monotonic() - started)


def put(events: Iterable[tuple[str, IntakeEvent]], made: dict[str, Source], now: datetime) -> None:
    """Lay events into the inbox, as intake does after its checks."""
    with transaction.atomic(), connection.cursor() as cursor:
        copy_in = (
            "COPY contacts_inboxitem (lane, source_id, received_at, rejection, payload) FROM STDIN BINARY"
        )
        with cursor.copy(copy_in) as copy:
            copy.set_types(["int2", "int4", "timestamptz", "text", "bytea"])
            for source, event in events:
                lane = slots.lane(event.anonymous_id or event.user_id or "")
                copy.write_row((lane, made[source].pk, now, "", intake_event.pack(event)))


def _make_room(now: datetime) -> None:
    for table in partitions.tables():
        back = 14 if table == "contacts_event" else 2
        first = (now - timedelta(days=31 * back)).date()
        partitions.ensure(table, first, (now + timedelta(days=93)).date())


def _sources() -> dict[str, Source]:
    kinds = Source.Kind
    wanted = (
        ("tills", "Shop tills", kinds.STORE),
        ("web", "Web shop", kinds.WEB),
        ("mail", "Mailings", kinds.SERVER),
    )
    made = {
        slug: Source.objects.get_or_create(slug=slug, defaults={"name": name, "kind": kind})[0]
        for slug, name, kind in wanted
    }
    return made


def _story(now: datetime, people: dict[int, Person]) -> Iterator[tuple[str, IntakeEvent]]:
    """Every real event of the year: who joined, what was bought, which campaigns and coupons came."""
    today = now.astimezone(UTC).date()
    seen: set[int] = set()
    for basket in history.baskets(today):
        person = people[basket.household]
        at = basket.at.replace(tzinfo=ZoneInfo(person.zone)).astimezone(UTC)
        if basket.household not in seen:
            seen.add(basket.household)
            yield "tills", _event("identify", "", f"card-{basket.household}", at, person, person.traits)
        yield "tills", _order(basket, person, at)
    for number, touch in enumerate(history.touches(today)):
        person = people[touch.household]
        at = touch.at.replace(tzinfo=ZoneInfo(person.zone)).astimezone(UTC)
        facts = {"campaign_id": str(touch.campaign), "campaign_type": touch.kind}
        name = "Campaign Received" if touch.coupon is None else "Coupon Applied"
        if touch.coupon is not None:
            facts["coupon_id"] = str(touch.coupon)
        yield "mail", _event("track", name, f"touch-{number}", at, person, facts)


def _order(basket: history.Basket, person: Person, at: datetime) -> IntakeEvent:
    facts = (
        f'{{"order_id":"{basket.basket}","store_id":"{basket.store}","total":{basket.total},'
        f'"discount":{basket.saved},"currency":"USD","products":{basket.lines}}}'
    )
    return IntakeEvent(
        type="track",
        name="Order Completed",
        message_id=f"order-{basket.basket}",
        occurred_at=at,
        user_id=person.user_id,
        properties=msgspec.Raw(facts.encode()),
    )


def _event(kind: str, name: str, message: str, at: datetime, person: Person, facts: object) -> IntakeEvent:
    return IntakeEvent(
        type=kind,
        name=name,
        message_id=message,
        occurred_at=at,
        user_id=person.user_id,
        properties=msgspec.Raw(msgspec.json.encode(facts)),
    )


def _chunks(events: list[tuple[str, IntakeEvent]]) -> Iterator[list[tuple[str, IntakeEvent]]]:
    rest = iter(events)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
