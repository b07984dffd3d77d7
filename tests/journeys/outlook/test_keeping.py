"""The outlook: worked out for everybody or a sample, kept, asked anew; occurrences on their days."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from channels import charter, outbox
from channels.models import Message
from contacts.models import Segment, SegmentMembership
from journeys import graph
from journeys.models import Campaign, CampaignOccurrence, CampaignRecipient, Journey, Outlook
from journeys.outlook import before, broadcasts, keeping, marks
from tests.factories import NOON, log_event, make_intent, make_provider, make_version
from tests.journeys.backtest.test_forecast import subscriber
from tests.journeys.backtest.test_running import GRAPH, MAIL, accepted
from tests.statements import statements

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = NOON.date()


def campaign(**values: Any) -> Campaign:
    draft = {
        "trigger": {"on_request": True}, "entry": {"mode": "always"}, "audience": {}, "start": "broadcast",
        "timezone": "UTC", "steps": {"broadcast": MAIL},
    }  # fmt: skip
    journey = Journey.objects.create(name="Sale", slug="sale", status="live", draft=draft)
    settings: dict[str, Any] = {
        "state": "scheduled", "everyone": True, "channels": ["email"], "purpose": "offers", "every": "once",
        "day": TODAY + 3 * DAY, "at": time(9), "own_clock": False, "zone": "UTC",
    }  # fmt: skip
    return Campaign.objects.create(journey=journey, **{**settings, **values})


def worked_out() -> dict[str, Any]:
    _lots, told = keeping.work_out(NOON)
    return told


def test_a_live_journey_and_a_campaign_bring_their_load_together() -> None:
    make_provider("email")
    one, two = subscriber(), subscriber()
    make_version(GRAPH, slug="carts", now=NOON - 30 * DAY)
    campaign()
    log_event(one, "Cart", NOON - 11 * DAY)
    told = worked_out()
    by_day = {(row[0], told["origins"][row[1]]["name"]): row[4] for row in told["loads"]}
    assert by_day == {
        (f"{TODAY + 3 * DAY}", "Carts"): 1,
        (f"{TODAY + 4 * DAY}", "Carts"): 1,
        (f"{TODAY + 3 * DAY}", "Sale"): 2,
    }
    clash = next(each for each in told["clashes"] if each["kind"] == "twice")
    assert (clash["number"], clash["share"]) == (1, 100.0)
    # The charter lets one message a day through, and the first of them has it.
    pressed = next(each for each in told["clashes"] if each["kind"] == "pressed")
    assert (pressed["number"], pressed["day"], pressed["share"]) == (1, f"{TODAY + 3 * DAY}", 50.0)
    assert two.id


def test_segments_get_their_share() -> None:
    make_provider("email")
    one = subscriber()
    subscriber()
    segment = Segment.objects.create(name="VIP", slug="vip", size=1)
    SegmentMembership.objects.create(segment=segment, contact=one, slot=one.slot, entered_at=NOON)
    campaign()
    (vip,) = worked_out()["segments"]
    assert (vip["name"], vip["loads"]) == ("VIP", [[f"{TODAY + 3 * DAY}", 0, "email", "offers", 1]])


def test_messages_that_wait_already_count_on_their_day() -> None:
    one = subscriber()
    Message.objects.create(
        created_at=NOON, due_at=NOON + DAY, slot=one.slot, contact=one, key=one.public_id, state=2,
        wanted=["email"], purpose="offers", origin_kind="api",
    )  # fmt: skip
    told = worked_out()
    assert [(row[0], told["origins"][row[1]]["kind"]) for row in told["loads"]] == [
        (f"{TODAY + DAY}", "other")
    ]


def test_the_rest_of_a_campaign_that_is_being_sent_leaves_at_its_pace() -> None:
    sale = campaign(state="sending", every="now", day=None, at=None, throttle=1, throttle_per="hour")
    people = [subscriber() for _ in range(3)]
    begun = CampaignOccurrence.objects.create(
        campaign=sale, label="2026-03-10 12:00", state="sending", starts_at=NOON, last_at=NOON, audience=3
    )
    for person in people:
        CampaignRecipient.objects.create(
            slot=person.slot, contact=person, occurrence=begun, due_at=NOON - HOUR
        )
    found = [one for _origin, some in broadcasts.foreseen(NOON, range(64), lambda: True) for one in some]
    assert [one.at for one in found][:3] == [NOON, NOON + HOUR, NOON + 2 * HOUR]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"every": "week", "weekdays": [4]}, [3, 10]),
        ({"every": "month", "monthdays": [31]}, []),
        ({"every": "day", "until_day": TODAY + 1 * DAY}, [1]),
    ],
)
def test_recurring_campaigns_come_on_each_of_their_days(when: dict[str, Any], expected: list[int]) -> None:
    make_provider("email")
    subscriber()
    sale = campaign(**{"day": None, **when})
    found = list(broadcasts.of(sale, NOON, range(64), lambda: True))
    days = [(one.at.date() - TODAY).days for one in found]
    assert days[: len(expected)] == expected
    assert graph.check(broadcasts.as_journey(sale, NOON))[1] == []


def test_it_is_worked_out_when_it_is_old_or_asked_for_and_not_otherwise() -> None:
    assert keeping.work(NOON)
    assert not keeping.work(NOON + HOUR / 2)
    keeping.ask(NOON + HOUR / 2)
    assert keeping.work(NOON + HOUR / 2 + timedelta(seconds=1))
    assert not keeping.work(NOON + HOUR)
    assert keeping.work(NOON + 2 * HOUR)
    kept = Outlook.objects.get()
    assert (kept.computed_at, kept.lots) == (NOON + 2 * HOUR, 64)


def test_many_people_are_looked_at_by_a_sample_that_is_spread() -> None:
    assert len(keeping.chosen(20_000)) == 64
    assert keeping.chosen(60_000) == list(range(0, 64, 4))
    assert keeping.chosen(10**8) == [0]


def test_it_takes_no_more_statements_for_more_people() -> None:
    make_provider("email")
    make_version(GRAPH, slug="carts", now=NOON - 30 * DAY)
    log_event(subscriber(), "Cart", NOON - 11 * DAY)
    worked_out()
    with statements() as few:
        worked_out()
    for _ in range(8):
        log_event(subscriber(), "Cart", NOON - 11 * DAY)
    with statements() as many:
        worked_out()
    assert many.total == few.total


def test_occurrences_stand_on_their_local_days() -> None:
    sale = campaign(every="week", day=None, weekdays=[0], until_day=TODAY + 20 * DAY)
    CampaignOccurrence.objects.create(
        campaign=sale, label="2026-03-09 09:00", state="done", starts_at=NOON - DAY, last_at=NOON - DAY,
        audience=7,
    )  # fmt: skip
    schedule = {**GRAPH, "trigger": {"every": "day", "at": "08:00"}, "audience": {}}
    make_version(schedule, slug="daily")
    found = marks.between(TODAY - 2 * DAY, TODAY + 13 * DAY, NOON)
    sales = [(mark.day, mark.state, mark.size) for mark in found if mark.name == "Sale"]
    assert sales == [
        (date(2026, 3, 9), "done", 7),
        (date(2026, 3, 16), "scheduled", None),
        (date(2026, 3, 23), "scheduled", None),
    ]
    assert len([mark for mark in found if mark.name == "Daily"]) == 14


def test_the_load_of_a_draft_is_told_before_it_is_published_and_kept_a_while() -> None:
    make_provider("email")
    log_event(subscriber(), "Cart", NOON - 11 * DAY)
    journey = Journey.objects.create(name="Carts", slug="carts", draft=GRAPH)
    found = before.of_draft(journey, NOON)
    assert found is not None
    rows = before.rows(found)
    assert [row.messages for row in rows][:5] == [0, 0, 0, 1, 1]
    assert rows[3].others is None
    keeping.work(NOON)
    again = before.of_draft(journey, NOON + timedelta(minutes=5))
    assert again is not None
    assert (again.at, before.rows(again)[3].others) == (NOON, 0)
    journey.draft = {}
    assert before.of_draft(journey, NOON) is None


def test_the_load_of_a_campaign_is_told_before_it_is_scheduled() -> None:
    make_provider("email")
    subscriber()
    found = before.of_campaign(campaign(state="draft"), NOON)
    assert found is not None
    assert [row.messages for row in before.rows(found)][:5] == [0, 0, 0, 1, 0]


def test_what_a_provider_takes_is_known_with_its_warm_up() -> None:
    make_provider("email", rate_per_second=5, warmup_from=TODAY, warmup_first=100, warmup_growth=100)
    make_provider("sms", paused=True)
    found = keeping.carriers(TODAY)
    assert (found["email"].per_second, found["email"].warmup[TODAY + 2 * DAY]) == (5, 400)
    assert (found["sms"].paused, found["sms"].warmup) == (True, {})


def test_a_draft_that_meets_what_others_send_says_so_before_it_is_published() -> None:
    make_provider("email")
    one = subscriber(timezone="UTC")
    for hours in range(1, 5):
        accepted(one, NOON - 11 * DAY - hours * HOUR)
    log_event(one, "Cart", NOON - 11 * DAY)
    found = before.of_draft(Journey.objects.create(name="Carts", slug="carts", draft=GRAPH), NOON)
    assert found is not None
    assert [(clash["kind"], clash["rule"]) for clash in found.told["clashes"]][:1] == [("pressed", "others")]


def test_blackouts_of_the_charter_stand_on_their_days_and_what_falls_there_clashes() -> None:
    make_provider("email")
    subscriber(timezone="UTC")
    day = TODAY + 3 * DAY
    rules = {"blackouts": [{"name": "Inventory", "from": f"{day}", "to": f"{day}"}]}
    charter.publish(charter.draft(rules), NOON - DAY)
    campaign()
    assert marks.closed(TODAY, TODAY + 13 * DAY, NOON) == {day: ["Inventory"]}
    (clash,) = worked_out()["clashes"]
    assert (clash["kind"], clash["day"], clash["rule"], clash["number"]) == (
        "closed",
        f"{day}",
        "Inventory",
        1,
    )


@pytest.mark.parametrize(("zone", "days"), [("UTC", 0), ("Europe/Paris", 1), ("America/New_York", 0)])
def test_days_are_those_of_the_zone_that_the_charter_names(zone: str, days: int) -> None:
    charter.publish(charter.draft({"time": {"default_zone": zone}}), NOON - DAY)
    person = subscriber()
    late = NOON.replace(hour=23, minute=30)
    outbox.intend([make_intent(person, due_at=late)], NOON)
    told = worked_out()
    assert [row[0] for row in told["loads"]] == [f"{TODAY + days * DAY}"]
    assert told["days"][0] == f"{TODAY}"


def test_before_midnight_in_utc_the_calendar_may_have_begun_the_next_day() -> None:
    charter.publish(charter.draft({"time": {"default_zone": "Europe/Paris"}}), NOON - DAY)
    _lots, told = keeping.work_out(NOON.replace(hour=23, minute=30))
    assert told["days"][0] == f"{TODAY + DAY}"
