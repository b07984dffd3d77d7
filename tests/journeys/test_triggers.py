from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contacts import event_log
from contacts.event_log import NewEvent
from contacts.models import Contact, Event
from journeys import engine, triggers, versions
from journeys.models import Journey, Run
from tests.factories import NOON, log_event, make_contact, make_version
from tests.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAIT = {"start": "pause", "steps": {"pause": {"type": "wait", "for": "5 days"}}}


def journey(trigger: dict[str, Any], *, slug: str = "trial", **top: Any) -> None:
    make_version({**WAIT, "trigger": trigger, **top}, slug=slug)


def inside() -> set[int]:
    return set(Run.objects.filter(state=Run.State.LIVE).values_list("contact_id", flat=True))


def test_an_event_starts_a_run_that_remembers_it() -> None:
    journey({"event": "Product Added"})
    contact = make_contact()
    log_event(contact, "Product Added", NOON - HOUR, sku="A1")
    assert triggers.follow(NOON) == 1
    run = Run.objects.get()
    assert (run.contact_id, run.entry, run.entered_at, run.due_at) == (
        contact.id,
        {"sku": "A1"},
        NOON - HOUR,
        NOON,
    )
    assert Event.objects.get(name="Journey Entered").properties == {"journey": "trial", "version": 1}


def test_only_events_that_pass_the_property_filter_start_a_run() -> None:
    journey({"event": "Product Added", "where": [{"property": "price", "op": "gte", "value": 20}]})
    cheap, dear = make_contact(), make_contact()
    log_event(cheap, "Product Added", NOON, price=5)
    log_event(dear, "Product Added", NOON, price=25)
    triggers.follow(NOON)
    assert inside() == {dear.id}


def test_only_people_in_the_audience_start_a_run() -> None:
    journey({"event": "Signed Up"}, audience={"attribute": "country", "value": "FR"})
    french, other = make_contact(country="FR"), make_contact()
    for contact in (french, other):
        log_event(contact, "Signed Up", NOON)
    triggers.follow(NOON)
    assert inside() == {french.id}


def test_entering_or_leaving_a_segment_starts_a_run() -> None:
    journey({"segment": "vip", "on": "entered"}, slug="welcome-vip")
    journey({"segment": "vip", "on": "left"}, slug="miss-you")
    enters, leaves, other = make_contact(), make_contact(), make_contact()
    log_event(enters, "Segment Entered", NOON, segment="vip")
    log_event(leaves, "Segment Left", NOON, segment="vip")
    log_event(other, "Segment Entered", NOON, segment="new")
    said = {"segment": "vip"}
    forged = NewEvent(other.id, "Segment Entered", NOON, NOON, event_log.TRACK, properties=said)
    event_log.append([forged])
    triggers.follow(NOON)
    assert set(Run.objects.values_list("journey__slug", "contact_id")) == {
        ("welcome-vip", enters.id),
        ("miss-you", leaves.id),
    }


def test_old_news_starts_nothing() -> None:
    journey({"event": "Signed Up"})
    log_event(make_contact(), "Signed Up", NOON - 3 * DAY)
    triggers.follow(NOON)
    assert inside() == set()


def test_a_journey_that_is_not_live_starts_nothing() -> None:
    journey({"event": "Signed Up"})
    Journey.objects.update(status=Journey.Status.PAUSED)
    log_event(make_contact(), "Signed Up", NOON)
    triggers.follow(NOON)
    assert inside() == set()


def entries_of(mode: dict[str, Any], *instants: tuple[timedelta, dict[str, Any]]) -> int:
    """How many runs one contact begins, each run ending before the next event."""
    journey({"event": "Cart"}, entry=mode)
    contact = make_contact()
    for after, properties in instants:
        log_event(contact, "Cart", NOON + after, **properties)
        triggers.follow(NOON + after)
        Run.objects.filter(state=1).update(state=2, due_at=None, ended_at=NOON + after)
    return Run.objects.count()


def test_once_means_once_ever() -> None:
    assert entries_of({"mode": "once"}, (HOUR, {}), (400 * DAY, {})) == 1


def test_a_window_counts_from_entry() -> None:
    mode = {"mode": "window", "window": "30 days"}
    assert entries_of(mode, (HOUR, {}), (29 * DAY, {}), (31 * DAY, {})) == 2


def test_always_lets_in_again_after_the_run_has_ended() -> None:
    assert entries_of({"mode": "always"}, (HOUR, {}), (2 * HOUR, {}), (3 * HOUR, {})) == 3


def test_a_key_is_counted_by_itself() -> None:
    mode = {"mode": "once", "key": "cart_id"}
    assert (
        entries_of(mode, (HOUR, {"cart_id": 1}), (2 * HOUR, {"cart_id": 1}), (3 * HOUR, {"cart_id": 2})) == 2
    )


def test_one_contact_has_one_live_run_a_key_whatever_comes_at_once() -> None:
    journey({"event": "Cart"}, entry={"mode": "always", "key": "cart_id"})
    contact = make_contact()
    for cart in (1, 1, 2, 2, 2):
        log_event(contact, "Cart", NOON, cart_id=cart)
    triggers.follow(NOON)
    assert sorted(Run.objects.values_list("key", flat=True)) == ["1", "2"]


def test_a_run_is_woken_by_what_it_watches_and_by_nothing_else() -> None:
    journey({"event": "Cart"}, goal={"event": "Order Completed"})
    buys, looks = make_contact(), make_contact()
    for contact in (buys, looks):
        log_event(contact, "Cart", NOON)
    triggers.follow(NOON)
    engine.advance(NOON)
    log_event(buys, "Order Completed", NOON + HOUR)
    log_event(looks, "Page Viewed", NOON + HOUR)
    triggers.follow(NOON + HOUR)
    due = dict(Run.objects.values_list("contact_id", "due_at"))
    assert due == {buys.id: NOON + HOUR, looks.id: NOON + 5 * DAY}
    engine.advance(NOON + HOUR)
    assert Run.objects.get(contact=buys).state == Run.State.CONVERTED


def test_an_event_may_both_start_a_run_and_be_waited_for() -> None:
    steps = {"more": {"type": "wait_for", "event": "Cart", "timeout": "5 days"}}
    journey({"event": "Cart"}, start="more", steps=steps)
    contact = make_contact()
    log_event(contact, "Cart", NOON)
    triggers.follow(NOON)
    engine.advance(NOON)
    assert Run.objects.get().state == Run.State.LIVE
    log_event(contact, "Cart", NOON + HOUR)
    triggers.follow(NOON + HOUR)
    engine.advance(NOON + HOUR)
    assert Run.objects.get().state == Run.State.COMPLETED


def test_people_nobody_heard_of_start_a_run_once_for_each_silence() -> None:
    journey({"inactive_days": 60}, entry={"mode": "always"})
    quiet = make_contact(last_seen_at=NOON - 61 * DAY)
    make_contact(last_seen_at=NOON - 59 * DAY)
    assert triggers.inactivity(NOON) == 1
    assert inside() == {quiet.id}
    Run.objects.update(state=2, due_at=None)
    assert triggers.inactivity(NOON + HOUR) == 0
    Contact.objects.filter(id=quiet.id).update(last_seen_at=NOON + DAY)
    assert triggers.inactivity(NOON + 70 * DAY) == 2


def test_people_silent_for_too_long_are_left_alone() -> None:
    journey({"inactive_days": 60, "inactive_days_most": 90})
    make_contact(last_seen_at=NOON - 400 * DAY)
    assert triggers.inactivity(NOON) == 0


def test_a_version_is_read_once_and_its_status_each_time() -> None:
    journey({"event": "Cart"})
    assert [version.slug for version in versions.live()] == ["trial"]
    with statements() as warm:
        versions.live()
    assert warm.total == 2
    Journey.objects.update(status=Journey.Status.STOPPED)
    assert versions.live() == []


def test_the_number_of_statements_does_not_depend_on_the_number_of_events() -> None:
    journey(
        {"event": "Cart", "where": [{"property": "price", "op": "gte", "value": 20}]},
        audience={"attribute": "country", "value": "FR"},
        goal={"event": "Order Completed"},
    )
    totals = []
    for people in (1, 10, 500):  # the first warms what is kept
        for _person in range(people):
            contact = make_contact(country="FR")
            log_event(contact, "Cart", NOON, price=30)
            log_event(contact, "Order Completed", NOON)
        with statements() as sent:
            assert triggers.follow(NOON, limit=64 * 1000) >= 2 * people
        totals.append(sent.total)
    assert totals[1] == totals[2]
    assert Run.objects.count() == 511
