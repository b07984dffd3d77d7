"""Events meet the plan at ingest: what is kept of them, and what is refused."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts import ingest
from contacts.intake_replay import replay
from contacts.models import (
    DeadLetter,
    Event,
    InboxItem,
    LatestArrival,
    PlannedEvent,
    PlanViolation,
    SeenEvent,
    Source,
    SourceCount,
)
from contacts.plan import observing
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db

ORDER = "Order Completed"


@pytest.fixture
def shop() -> Source:
    return make_source()


def track(name: str = ORDER, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "name": name, "user_id": "ada", "properties": properties}


def plan(source: Source | None, name: str = ORDER, **values: Any) -> PlannedEvent:
    properties = [{"name": "total", "type": "number", "required": True}]
    return PlannedEvent.objects.create(**{"source": source, "name": name, "properties": properties, **values})


def take_in(source: Source, *calls: dict[str, Any]) -> None:
    put_in_inbox(source, *calls)
    ingest.take_in(NOON)


def test_a_source_learns_its_events_with_counts_times_and_types(shop: Source) -> None:
    take_in(shop, track(total=5, coupon="SPRING"), track(total=6))
    put_in_inbox(shop, track(total=7, when="2026-03-10"), now=NOON + timedelta(hours=1))
    ingest.take_in(NOON)
    seen = SeenEvent.objects.get(source=shop)
    assert (seen.name, seen.accepted, seen.rejected) == (ORDER, 3, 0)
    assert (seen.first_seen_at, seen.last_seen_at) == (NOON, NOON + timedelta(hours=1))
    assert seen.properties == {"total": "integer", "coupon": "text", "when": "time"}


def test_a_duplicate_is_not_seen_twice(shop: Source) -> None:
    take_in(shop, {**track(total=5), "message_id": "m"}, {**track(total=5), "message_id": "m"})
    assert SeenEvent.objects.get().accepted == 1


def test_names_without_end_fill_no_table(shop: Source) -> None:
    SeenEvent.objects.bulk_create(
        SeenEvent(source=shop, name=f"e{number}", first_seen_at=NOON, last_seen_at=NOON)
        for number in range(observing.MOST_NAMES)
    )
    take_in(shop, track(f"Viewed {uuid.uuid4()}"), track("e7"))
    assert SeenEvent.objects.count() == observing.MOST_NAMES
    assert SeenEvent.objects.get(name="e7").accepted == 1


def test_violations_are_counted_with_an_example_and_reject_nothing(shop: Source) -> None:
    plan(shop)
    take_in(shop, track(total="five"), track(total="six"), track(), track(total=1))
    assert Event.objects.filter(name=ORDER).count() == 4
    found = PlanViolation.objects.order_by("code").values_list(
        "event", "code", "property", "count", "example"
    )
    assert list(found) == [
        (ORDER, "missing", "total", 1, ""),
        (ORDER, "wrong_type", "total", 2, '"six"'),
    ]


def test_the_plan_of_a_source_wins_over_that_of_every_source(shop: Source) -> None:
    plan(None)
    plan(shop, properties=[])
    other = make_source("Other")
    take_in(shop, track())
    take_in(other, track())
    assert PlanViolation.objects.get().source == other


def test_traits_can_be_planned_too(shop: Source) -> None:
    plan(shop, "Identified", properties=[{"name": "age", "type": "integer"}])
    take_in(shop, {"type": "identify", "user_id": "ada", "properties": {"age": "old"}})
    assert PlanViolation.objects.get().property == "age"


@pytest.mark.parametrize(
    ("rule", "sent", "code"),
    [
        ("keep", track("Surprise"), None),
        ("unknown", track("Surprise"), "not_in_plan"),
        ("unknown", track(), None),
        ("strict", track(), "breaks_plan"),
        ("strict", track(total=1), None),
        ("strict", {"type": "page", "name": "Shoes", "user_id": "ada"}, None),
    ],
)
def test_only_a_source_that_says_so_rejects(
    shop: Source, rule: str, sent: dict[str, Any], code: str | None
) -> None:
    plan(shop)
    Source.objects.update(unplanned=rule)
    take_in(shop, sent)
    assert list(DeadLetter.objects.values_list("code", flat=True)) == ([code] if code else [])
    count = SourceCount.objects.get()
    assert (count.accepted, count.rejected) == ((0, 1) if code else (1, 0))
    assert SeenEvent.objects.get().rejected == count.rejected


def test_an_empty_plan_rejects_nothing(shop: Source) -> None:
    Source.objects.update(unplanned="strict")
    take_in(shop, track("Surprise"))
    assert not DeadLetter.objects.exists()


def test_a_rejected_event_comes_in_once_it_is_planned(shop: Source) -> None:
    plan(shop)
    Source.objects.update(unplanned="unknown")
    take_in(shop, track("Surprise"))
    plan(shop, "Surprise", properties=[])
    replay([DeadLetter.objects.get().pk], NOON)
    ingest.take_in(NOON)
    assert Event.objects.filter(name="Surprise").count() == 1


def test_an_event_for_servers_only_is_refused_to_a_key_that_anybody_can_copy(shop: Source) -> None:
    plan(shop, server_only=True)
    for server in (False, True):
        put_in_inbox(shop, track(total=9))
        InboxItem.objects.update(server=server)
        ingest.take_in(NOON)
    assert Event.objects.filter(name=ORDER).count() == 1
    assert DeadLetter.objects.get().code == "server_only"
    assert PlanViolation.objects.get().code == "server_only"


def test_the_live_view_has_what_came_with_outcome_and_reason(shop: Source) -> None:
    plan(shop)
    Source.objects.update(unplanned="unknown")
    take_in(shop, track(total=5), {**track("Surprise"), "message_id": "m"}, {"type": "track", "name": "X"})
    lines = LatestArrival.objects.order_by("id").values_list("outcome", "name", "who", "reason")
    assert [(outcome, name, who, reason.partition(":")[0]) for outcome, name, who, reason in lines] == [
        ("accepted", ORDER, "user ada", ""),
        ("rejected", "Surprise", "user ada", "not_in_plan"),
        ("rejected", "X", "", "no_identity"),
    ]


def test_the_live_view_keeps_the_latest_of_the_last_hour(shop: Source) -> None:
    for _batch in range(6):
        take_in(shop, *(track() for _ in range(30)))
    assert LatestArrival.objects.count() == 150
    observing.trim(NOON)
    assert LatestArrival.objects.count() == observing.SHOWN
    observing.trim(NOON + timedelta(hours=2))
    assert not LatestArrival.objects.exists()


def test_the_number_of_statements_does_not_depend_on_the_batch(shop: Source) -> None:
    plan(shop)

    def statements(count: int) -> int:
        put_in_inbox(shop, *(track(total="x") for _ in range(count)))
        with CaptureQueriesContext(connection) as asked:
            ingest.take_in(NOON)
        return len(asked)

    assert statements(2) == statements(200)
