"""Segments kept current, and what they say in the log when somebody comes or goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts import clock, event_log, rules, segment_order, segments, slots, tasks
from contacts.event_log import NewEvent
from contacts.models import Contact, Event, Merge, Segment
from contacts.rules import RuleError
from tests.factories import NOON, make_contact
from tests.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
BUYERS: dict[str, Any] = {"event": "Order Completed", "within": "30 days"}


def make_segment(slug: str, rule: dict[str, Any] | None = None, **values: Any) -> Segment:
    return Segment.objects.create(name=slug, slug=slug, rule=rule or {}, **values)


def happen(
    contact: Contact, name: str, at: datetime = NOON, /, received: datetime = NOON, **properties: Any
) -> None:
    event_log.append([NewEvent(contact.id, name, at, received, properties=properties)])


def catch_up(now: datetime) -> None:
    while segments.follow(now):
        pass


def members(segment: Segment) -> set[int]:
    return set(segment.memberships.values_list("contact_id", flat=True))


def told(name: str) -> list[tuple[int, str]]:
    found = Event.objects.filter(name=name).order_by("id").values_list("contact_id", "properties")
    return [(contact, properties["segment"]) for contact, properties in found]


def test_a_refresh_writes_the_difference_and_tells_the_log() -> None:
    buyer, former, other = make_contact(), make_contact(), make_contact()
    segment = make_segment("buyers", BUYERS)
    happen(buyer, "Order Completed", NOON - DAY)
    happen(former, "Order Completed", NOON - 40 * DAY)
    segments.refresh(segment, NOON - 20 * DAY)
    assert members(segment) == {former.id}
    change = segments.refresh(segment, NOON)
    assert (change.entered, change.left) == ([buyer.id], [former.id])
    assert told("Segment Entered") == [(former.id, "buyers"), (buyer.id, "buyers")]
    assert told("Segment Left") == [(former.id, "buyers")]
    segment.refresh_from_db()
    assert (segment.size, segment.stale, segment.computed_at) == (1, False, NOON)
    assert other.id not in members(segment)


def test_a_second_refresh_changes_nothing() -> None:
    happen(make_contact(), "Order Completed")
    segment = make_segment("buyers", BUYERS)
    assert segments.refresh(segment, NOON)
    assert not segments.refresh(segment, NOON)


def test_an_event_brings_its_contact_in() -> None:
    contact, other = make_contact(), make_contact()
    segment = make_segment("buyers", BUYERS)
    segments.ensure_current(NOON)
    happen(contact, "Order Completed")
    happen(other, "Page Viewed")
    catch_up(NOON)
    assert members(segment) == {contact.id}
    segment.refresh_from_db()
    assert segment.size == 1
    assert told("Segment Entered") == [(contact.id, "buyers")]


def test_a_new_contact_enters_where_having_done_nothing_is_enough() -> None:
    segment = make_segment("quiet", {"not": {"event": "Order Completed"}})
    segments.ensure_current(NOON)
    contact = make_contact()
    happen(contact, "Contact Created")
    catch_up(NOON)
    assert members(segment) == {contact.id}
    happen(contact, "Order Completed")
    catch_up(NOON)
    assert members(segment) == set()


def test_a_changed_attribute_is_followed() -> None:
    segment = make_segment("lyon", {"attribute": "city", "op": "is", "value": "Lyon"})
    segments.ensure_current(NOON)
    contact = make_contact(attributes={"city": "Lyon"})
    happen(contact, "Identified")
    catch_up(NOON)
    assert members(segment) == {contact.id}


def test_a_segment_may_ask_about_another() -> None:
    contact = make_contact(country="FR")
    inner = make_segment("buyers", BUYERS)
    outer = make_segment(
        "a-french", {"all": [{"segment": "buyers"}, {"attribute": "country", "op": "is", "value": "FR"}]}
    )
    segments.ensure_current(NOON)
    happen(contact, "Order Completed")
    catch_up(NOON)
    assert members(inner) == members(outer) == {contact.id}


def test_those_asked_about_are_computed_first() -> None:
    happen(make_contact(), "Order Completed")
    outer = make_segment("a-first", {"segment": "buyers"})
    make_segment("buyers", BUYERS)
    assert segments.ensure_current(NOON) == 2
    assert len(members(outer)) == 1


def test_a_window_closes_when_the_clock_passes_it() -> None:
    contact = make_contact()
    segment = make_segment("buyers", BUYERS)
    happen(contact, "Order Completed", NOON - 29 * DAY)
    segments.ensure_current(NOON)
    segments.tick(NOON + DAY - timedelta(seconds=1))
    assert members(segment) == {contact.id}
    segments.tick(NOON + DAY)
    assert members(segment) == set()
    assert told("Segment Left") == [(contact.id, "buyers")]


def test_an_event_dated_ahead_counts_when_its_time_comes() -> None:
    contact = make_contact()
    segment = make_segment("buyers", {"event": "Order Completed"})
    segments.ensure_current(NOON)
    happen(contact, "Order Completed", NOON + DAY)
    catch_up(NOON)
    assert members(segment) == set()
    segments.tick(NOON + DAY)
    assert members(segment) == {contact.id}


def test_an_event_a_moment_ahead_of_the_pulse_counts_at_once() -> None:
    contact = make_contact()
    segment = make_segment("buyers", {"event": "Order Completed"})
    segments.ensure_current(NOON)
    happen(contact, "Order Completed", NOON + timedelta(milliseconds=5))
    catch_up(NOON)
    assert members(segment) == {contact.id}


def test_history_that_was_taken_over_in_a_merge_counts() -> None:
    anonymous, known = make_contact(), make_contact()
    segment = make_segment("buyers", BUYERS)
    segments.ensure_current(NOON)
    happen(anonymous, "Order Completed")
    Event.objects.filter(contact_id=anonymous.id).update(contact_id=known.id, slot=known.slot)
    Merge.objects.create(
        slot=known.slot,
        winner_id=known.id,
        loser_id=anonymous.id,
        loser_public_id=anonymous.public_id,
        merged_at=NOON,
    )
    anonymous.delete()
    happen(known, "Page Viewed")
    catch_up(NOON)
    assert members(segment) == {known.id}


def test_a_switched_off_segment_rests() -> None:
    segment = make_segment("buyers", BUYERS, active=False)
    segments.ensure_current(NOON)
    happen(make_contact(), "Order Completed")
    catch_up(NOON)
    assert members(segment) == set()


def test_a_rule_that_cannot_be_read_is_set_aside_and_the_others_go_on() -> None:
    broken = make_segment("broken", {"script::exec": 1})
    fine = make_segment("fine", {})
    contact = make_contact()
    assert segments.ensure_current(NOON) == 1
    assert members(fine) == {contact.id}
    broken.refresh_from_db()
    assert not broken.active


def test_a_segment_by_hand_takes_and_gives_back() -> None:
    one, two = make_contact(), make_contact()
    segment = make_segment("friends", kind="static")
    assert segments.add(segment, [one.id, two.id, 10**12], NOON) == 2
    assert segments.add(segment, [one.id], NOON) == 0
    assert segments.remove(segment, [one.id], NOON) == 1
    segment.refresh_from_db()
    assert (members(segment), segment.size) == ({two.id}, 1)
    with pytest.raises(ValueError, match="by its rule"):
        segments.add(make_segment("buyers", BUYERS), [one.id], NOON)


def test_a_preview_counts_and_shows_some() -> None:
    people = [make_contact(country="FR") for _number in range(12)]
    make_contact(country="DE")
    found = segments.preview(rules.parse({"attribute": "country", "op": "is", "value": "FR"}), NOON)
    assert found.size == 12
    assert [contact.id for contact in found.sample] == sorted((p.id for p in people), reverse=True)[:10]


def test_segments_that_ask_in_a_circle_are_refused() -> None:
    make_segment("a", {"segment": "b"})
    make_segment("b", BUYERS)
    segment_order.check("b", rules.parse(BUYERS))
    with pytest.raises(RuleError, match="circle"):
        segment_order.check("b", rules.parse({"not": {"segment": "a"}}))
    with pytest.raises(RuleError, match="circle"):
        segment_order.check("c", rules.parse({"segment": "c"}))
    with pytest.raises(RuleError, match="no segment"):
        segment_order.check("c", rules.parse({"segment": "d"}))
    assert [segment.slug for segment in segment_order.used_in("b")] == ["a"]


@pytest.mark.parametrize("act", ["follow", "tick", "refresh"])
def test_the_number_of_statements_does_not_grow_with_contacts(act: str) -> None:
    counts = []
    segment = make_segment("buyers", {"event": "Order Completed", "within": "1 day"})
    segments.ensure_current(NOON)
    for size, now in ((10, NOON), (1000, NOON + 10 * DAY)):
        people = Contact.objects.bulk_create(
            Contact(slot=0, first_seen_at=NOON, last_seen_at=NOON, updated_at=NOON) for _number in range(size)
        )
        for person in people:
            person.slot = slots.of(person.id)
        Contact.objects.bulk_update(people, ["slot"])
        event_log.append(NewEvent(person.id, "Order Completed", now, now) for person in people)
        if act == "tick":
            catch_up(now)
            segments.tick(now)
        with statements() as count:
            if act == "follow":
                assert segments.follow(now, 2000) == size
            elif act == "tick":
                assert segments.tick(now + 2 * DAY) == size
            else:
                assert len(segments.refresh(segment, now).entered) == size
        counts.append(count.total)
        catch_up(now + 2 * DAY)
        segments.refresh(segment, now + 5 * DAY)
        catch_up(now + 5 * DAY)
    assert counts[0] == counts[1]


def test_the_pulses_bring_a_segment_up_to_date() -> None:
    contact = make_contact()
    segment = make_segment("buyers", BUYERS)
    happen(contact, "Order Completed", clock.now() - DAY)
    tasks.segments()
    tasks.segment_clock()
    assert members(segment) == {contact.id}
