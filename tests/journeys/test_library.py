from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from channels.models import AudienceMember, Message, Survey, SurveyVersion, Template
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import ChannelAddress, Contact, Purpose
from journeys import engine, graph, library, triggers
from journeys.models import Journey, Run, StepEntry
from tests.factories import NOON, log_event, make_contact

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "journeys.md"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize("each", library.maps(), ids=lambda each: each.slug)
def test_every_ready_made_map_is_in_order(each: library.Map) -> None:
    _graph, problems = graph.check(each.data)
    assert problems == []
    assert each.description
    assert f"`{each.slug}`" in REFERENCE.read_text(encoding="utf-8")


def stage() -> None:
    """What the maps name, and the maps themselves, live."""
    for slug in ("offers", "news", "service"):
        Purpose.objects.get_or_create(slug=slug, defaults={"name": slug})
    for each in library.maps():
        for channel, slug in graph.parse(each.data).templates().values():
            Template.objects.get_or_create(slug=slug, defaults={"name": slug, "channel": channel})
    survey, _new = Survey.objects.get_or_create(slug="nps", defaults={"name": "NPS"})
    SurveyVersion.objects.get_or_create(survey=survey, number=1, defaults={"published_at": NOON})
    library.publish_all(NOON)


def log_is_whole() -> None:
    """Return once no transaction is open, such as a vacuum's, behind which readers of the log would wait."""
    give_up = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < give_up:
            cursor.execute("SELECT pg_snapshot_xmin(s) = pg_snapshot_xmax(s) FROM pg_current_snapshot() AS s")
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.02)


def play(until: datetime, begin: datetime = NOON) -> None:
    """Turn triggers and engine every hour."""
    log_is_whole()
    now = begin
    while now <= until:
        while triggers.follow(now) or engine.advance(now):
            pass
        now += HOUR


def subscribe(contact: Contact) -> None:
    ChannelAddress.objects.create(
        slot=contact.slot,
        contact=contact,
        channel="push",
        address=f"https://p/{contact.id}",
        created_at=NOON,
    )
    allow(contact, "push")


def allow(contact: Contact, channel: str = "email") -> None:
    consent.record([NewConsent(contact.id, channel, "offers", True, "form")], NOON)


def wished(journey: str) -> list[tuple[int, str, datetime]]:
    rows = Message.objects.filter(origin_slug=journey).order_by("created_at")
    return [((row.created_at - NOON).days, row.wanted[0], row.created_at) for row in rows]


@pytest.mark.django_db(transaction=True)
def test_publishing_twice_changes_nothing() -> None:
    stage()
    assert library.publish_all(NOON) == 0
    live = Journey.objects.filter(status="live").values_list("slug", flat=True)
    assert set(live) == set(library.EVERYWHERE)
    everything = [each.slug for each in library.maps()]
    assert library.publish_all(NOON, slugs=everything) == len(everything) - len(library.EVERYWHERE)


@pytest.mark.django_db(transaction=True)
def test_an_abandoned_cart_is_followed_for_five_days_on_four_channels_and_never_twice_a_day() -> None:
    stage()
    contact = make_contact(timezone="Europe/Paris")
    subscribe(contact)
    allow(contact)
    log_event(contact, "Product Added", NOON, sku="Lamp")
    play(NOON + 15 * DAY)
    messages = wished("cart-reminder")
    assert [channel for _day, channel, _at in messages] == ["email", "sms", "push"]
    days = [at.date() for _day, _channel, at in messages]
    assert days == [(NOON + n * DAY).date() for n in (1, 2, 3)]
    added = StepEntry.objects.get(step="retarget")
    assert added.at.date() == (NOON + 5 * DAY).date()
    assert AudienceMember.objects.get().state == "removing"
    assert Run.objects.get(journey__slug="cart-reminder").outcome == "not ordered"
    assert Message.objects.first().variables == {"event": {"sku": "Lamp"}}  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_who_did_not_allow_offers_is_not_retargeted() -> None:
    stage()
    log_event(make_contact(), "Product Added", NOON)
    play(NOON + 6 * DAY)
    assert not AudienceMember.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_push_is_left_out_for_those_who_did_not_subscribe() -> None:
    stage()
    log_event(make_contact(), "Product Added", NOON)
    play(NOON + 6 * DAY)
    assert [channel for _day, channel, _at in wished("cart-reminder")] == ["email", "sms"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("day", [0, 1, 2, 3, 6])
def test_an_order_at_any_moment_ends_the_cart_reminder_and_takes_the_person_out_of_the_audience(
    day: int,
) -> None:
    stage()
    contact = make_contact(timezone="Europe/Paris")
    subscribe(contact)
    allow(contact)
    log_event(contact, "Product Added", NOON)
    ordered = NOON + day * DAY + HOUR
    play(ordered - HOUR / 2)
    log_event(contact, "Order Completed", ordered, total=80)
    play(ordered + HOUR, ordered)
    run = Run.objects.get(journey__slug="cart-reminder")
    assert (run.state, run.ended_at) == (Run.State.CONVERTED, ordered)
    assert not Message.objects.filter(origin_run=run.id, state__in=(1, 2, 3)).exists()
    assert not AudienceMember.objects.filter(state__in=("adding", "in")).exists()
    play(NOON + 15 * DAY, ordered + 2 * HOUR)
    assert not Message.objects.filter(origin_run=run.id, created_at__gt=ordered).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("opened", "channels"), [(True, ["email"]), (False, ["email", "push"])])
def test_whoever_does_not_open_the_welcome_in_48_hours_gets_a_push(opened: bool, channels: list[str]) -> None:
    stage()
    contact = make_contact()
    log_event(contact, "Signed Up", NOON)
    play(NOON + HOUR)
    if opened:
        log_event(
            contact, "Message Opened", NOON + 5 * HOUR, channel="email", journey="welcome", step="email"
        )
    play(NOON + 3 * DAY, NOON + 6 * HOUR)
    assert [channel for _day, channel, _at in wished("welcome")] == channels


@pytest.mark.django_db(transaction=True)
def test_a_customer_nobody_heard_of_is_written_to_and_texted_only_without_a_click() -> None:
    stage()
    clicks, silent = (make_contact(last_seen_at=NOON - 50 * DAY) for _ in range(2))
    assert triggers.inactivity(NOON) == 2
    play(NOON + 2 * DAY)
    log_event(
        clicks, "Message Clicked", NOON + 2 * DAY, channel="email", journey="reactivation", step="email"
    )
    play(NOON + 8 * DAY, NOON + 2 * DAY)
    texted = Message.objects.filter(wanted=["sms"]).values_list("contact_id", flat=True)
    assert list(texted) == [silent.id]
    assert connection.in_atomic_block is False
