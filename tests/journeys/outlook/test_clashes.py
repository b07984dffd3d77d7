"""What clashes, and what is shown: figures in, plain data out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from channels import charter_rules
from channels.policy_facts import Person, Touch
from journeys.outlook import clashes, counting, pressing, showing, words
from journeys.outlook.clashes import Carrier
from journeys.outlook.expected import Expected, Mark, Stopped
from journeys.outlook.showing import Filters
from tests.factories import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = NOON.date()


def expected(person: int, at: datetime = NOON, origin: int = 0, **more: Any) -> Expected:
    values = {"channel": "email", "purpose": "offers", "transactional": False, **more}
    return Expected(person, at, origin=origin, **values)


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [one["kind"] for one in found]


def test_two_that_reach_the_same_people_on_a_day_are_told() -> None:
    messages = [expected(person) for person in range(10)]
    messages += [expected(person, NOON + 3 * HOUR, origin=1) for person in range(5, 8)]
    (clash,) = clashes.find(messages, [], {}, 16)
    assert (clash["kind"], clash["origins"], clash["number"], clash["share"]) == ("twice", [0, 1], 48, 100.0)
    assert clash["day"] == f"{TODAY}"


def test_few_in_common_another_day_and_service_messages_do_not_clash() -> None:
    messages = [expected(person) for person in range(100)] + [expected(3, NOON + DAY, origin=1)]
    messages += [expected(person, origin=2) for person in range(98, 198)]
    messages += [expected(person, origin=3, transactional=True) for person in range(100)]
    assert clashes.find(messages, [], {}, 1) == []


def test_people_over_a_cap_are_counted_once_a_day_and_rule() -> None:
    messages = [expected(person) for person in range(4)]
    over = [Stopped(messages[0], "cap", "four a week"), Stopped(messages[0], "cap", "four a week")]
    (clash,) = clashes.find(messages, over, {}, 4)
    assert (clash["kind"], clash["number"], clash["share"], clash["rule"]) == (
        "pressed",
        4,
        25.0,
        "four a week",
    )


def test_days_on_which_nothing_leaves_come_first() -> None:
    messages = [expected(person) for person in range(4)]
    stopped = [Stopped(messages[0], "cap", "a"), Stopped(messages[1], "blackout", "sale")]
    assert kinds(clashes.find(messages, stopped, {}, 1)) == ["closed", "pressed"]


def test_a_provider_that_needs_longer_than_an_hour_for_an_hour_is_told() -> None:
    messages = [expected(person) for person in range(100)]
    (clash,) = clashes.find(messages, [], {"email": Carrier(1, paused=False)}, 64)
    assert (clash["kind"], clash["number"], clash["hours"], clash["hour"]) == ("capacity", 6400, 1.8, 12)
    assert clashes.find(messages, [], {"email": Carrier(2, paused=False)}, 64) == []
    assert clashes.find(messages, [], {"email": Carrier(None, paused=False)}, 64) == []
    assert kinds(clashes.find(messages, [], {"email": Carrier(None, paused=True)}, 1)) == ["paused"]


def test_more_than_a_new_sender_may_send_on_that_day_is_told() -> None:
    messages = [expected(person) for person in range(30)]
    warm = {"email": Carrier(None, paused=False, warmup={TODAY: 200})}
    (clash,) = clashes.find(messages, [], warm, 10)
    assert (clash["kind"], clash["number"], clash["allowed"]) == ("warmup", 300, 200)
    assert clashes.find(messages, [], warm, 5) == []


def test_each_kind_is_told_in_words_with_what_to_do() -> None:
    origins = [{"name": "Welcome"}, {"name": "Sale"}]
    for kind in clashes.KINDS:
        clash = {
            "kind": kind, "day": f"{TODAY}", "origins": [0, 1], "number": 1200, "share": 12.5,
            "rule": "one_a_day", "channel": "email", "hour": 9, "hours": 2.5, "per_second": 10,
            "allowed": 1200,
        }  # fmt: skip
        told = words.tell(clash, origins)
        assert "%" not in told.what.replace(" %", "")
        assert "200" in told.what
        assert told.do
    assert "“Welcome”, “Sale”" in words.tell({**clash, "kind": "twice"}, origins).what


def test_the_charter_is_asked_message_by_message_with_what_came_before() -> None:
    rules = charter_rules.parse({"caps": [{"name": "two", "limit": 2, "rolling": "3 days"}]})
    person = Person(1, ("UTC",), {}, {})
    before = [Touch("email", "offers", NOON - DAY)]
    messages = [expected(1, NOON + hours * HOUR) for hours in (1, 2, 80)]
    found = pressing.of_person(messages, person, rules, before)
    assert [(one.message.at, one.reason, one.rule) for one in found] == [(NOON + 2 * HOUR, "cap", "two")]


def test_loads_are_counted_by_day_origin_channel_purpose_and_segment() -> None:
    messages = [expected(1), expected(2), expected(2, NOON + DAY, leaves=False)]
    assert counting.loads(messages, 4) == [[f"{TODAY}", 0, "email", "offers", 8]]
    assert counting.by_segment(messages, {2: [7]}, 4) == {7: [[f"{TODAY}", 0, "email", "offers", 4]]}
    assert counting.people(messages, 4) == {f"{TODAY}": 8}


TOLD: dict[str, Any] = {
    "days": [f"{TODAY}", f"{TODAY + DAY}"],
    "origins": [
        {"kind": "journey", "name": "Welcome", "number": 1, "slug": "welcome"},
        {"kind": "campaign", "name": "Sale", "number": 2, "slug": "sale"},
    ],
    "loads": [[f"{TODAY}", 0, "email", "offers", 10], [f"{TODAY}", 1, "sms", "news", 5]],
    "segments": [{"slug": "vip", "name": "VIP", "loads": [[f"{TODAY}", 1, "sms", "news", 2]]}],
    "clashes": [{"kind": "twice", "day": f"{TODAY}", "origins": [0], "number": 3}],
}
SALE = Mark(TODAY, time(9), "campaign", 2, "Sale", "scheduled", ("sms",), ("news",), ("vip",))


def shown(filters: Filters, marks: list[Mark] | None = None) -> showing.Day:
    return showing.days(TODAY, TODAY + DAY, TODAY, [SALE] if marks is None else marks, TOLD, filters)[0]


def test_an_occurrence_and_its_load_are_one_line_and_sequences_follow() -> None:
    day = shown(Filters())
    assert (day.messages, day.today) == (15, True)
    assert [(item.name, item.at, item.messages) for item in day.items] == [
        ("Sale", "09:00", 5),
        ("Welcome", "", 10),
    ]


def test_filters_leave_out_what_was_not_asked_for() -> None:
    assert [item.name for item in shown(Filters(kind="journey")).items] == ["Welcome"]
    assert shown(Filters(channel="sms")).messages == 5
    assert shown(Filters(purpose="offers")).messages == 10
    assert [(item.name, item.messages) for item in shown(Filters(segment="vip")).items] == [("Sale", 2)]
    assert shown(Filters(kind="campaign")).clashes == []


def test_days_that_were_not_foreseen_say_nothing_of_load() -> None:
    days = showing.days(TODAY, TODAY + 3 * DAY, TODAY, [], TOLD, Filters())
    assert [day.messages for day in days] == [15, 0, None, None]


def test_a_month_is_shown_in_whole_weeks_and_turns_by_months() -> None:
    assert showing.period("month", date(2026, 3, 10)) == (date(2026, 2, 23), date(2026, 4, 5))
    assert showing.period("week", date(2026, 3, 10)) == (date(2026, 3, 9), date(2026, 3, 15))
    assert showing.turned("month", date(2026, 1, 31), -1) == date(2025, 12, 31)
    assert showing.turned("month", date(2026, 12, 31), 1) == date(2027, 1, 1)
    assert showing.turned("agenda", date(2026, 3, 10), 1) == date(2026, 3, 24)
    assert datetime.combine(showing.turned("week", TODAY, 1), time(), UTC).date() == TODAY + 7 * DAY
