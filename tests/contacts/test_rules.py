"""The condition language: what it reads, what it refuses and where, what it says in words."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts import rules
from contacts.rules import RuleError
from contacts.rules_length import Months
from contacts.rules_tree import (
    AllOf,
    Attribute,
    Check,
    Everyone,
    Happened,
    Messaged,
    Not,
    Range,
    Where,
    Window,
)


def nested(depth: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"attribute": "city", "op": "exists"}
    for _level in range(depth):
        rule = {"not": rule}
    return rule


def test_an_empty_object_is_everyone() -> None:
    assert rules.parse({}) == Everyone()


def test_a_rule_becomes_frozen_values_that_are_equal_when_they_mean_the_same() -> None:
    written = {
        "all": [{"attribute": "city", "op": "is", "value": "Lyon"}, {"not": {"event": "Order Completed"}}]
    }
    assert rules.parse(written) == AllOf(
        (Attribute("city", Check("is", "Lyon")), Not(Happened("Order Completed")))
    )
    assert len({rules.parse(written), rules.parse(written)}) == 1


def test_an_event_takes_count_window_and_property_tests() -> None:
    assert rules.parse(
        {
            "event": "Order Completed",
            "count": {"gt": 1},
            "within": "30 days",
            "before": "2 days",
            "where": [{"property": "total", "op": "gte", "value": 49.9}],
        }
    ) == Happened(
        "Order Completed",
        Range(least=Decimal(2)),
        None,
        Window(timedelta(days=30), None, timedelta(days=2)),
        (Where(("total",), Check("gte", Decimal("49.9"))),),
    )


def test_an_event_can_be_summed_instead_of_counted() -> None:
    rule = rules.parse({"event": "Order Completed", "sum": {"property": "total", "gte": 500}})
    assert rule == Happened("Order Completed", Range(least=Decimal(500)), ("total",))


def test_a_message_compiles_to_the_event_that_says_so() -> None:
    rule = rules.parse({"message": "opened", "channel": "email", "journey": "welcome", "count": {"lte": 0}})
    assert isinstance(rule, Messaged)
    assert rule.as_event() == Happened(
        "Message Opened",
        Range(most=Decimal(0)),
        where=(Where(("channel",), Check("is", "email")), Where(("journey",), Check("is", "welcome"))),
        own=True,
    )


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ([], ""),
        ({"all": []}, "all"),
        ({"all": {}}, "all"),
        ({"any": [{}, 7]}, "any[1]"),
        ({"all": [{}], "any": [{}]}, "any"),
        ({"shoe_size": 42}, "shoe_size"),
        ({"__class__": {"script": "script::exec"}}, "__class__"),
        (
            {"all": [{}, {"event": "A", "where": [{"property": "p", "op": "like", "value": "%"}]}]},
            "all[1].where[0].op",
        ),
        ({"event": "A", "where": [{"property": "p", "op": "gt", "value": "5"}]}, "where[0].value"),
        ({"event": "A", "where": [{"op": "exists"}]}, "where[0].property"),
        ({"event": ""}, "event"),
        ({"event": "A\0"}, "event"),
        ({"event": "\ud800"}, "event"),
        ({"event": "A", "count": {"gte": -1}}, "count.gte"),
        ({"event": "A", "count": {"gte": 1.5}}, "count.gte"),
        ({"event": "A", "count": {"gte": 3, "lte": 2}}, "count"),
        ({"event": "A", "count": {}}, "count"),
        ({"event": "A", "count": {"lt": 0}}, "count"),
        ({"event": "A", "count": {"gte": 1}, "sum": {"property": "p", "gte": 1}}, "sum"),
        ({"event": "A", "within": "a month"}, "within"),
        ({"event": "A", "within": "0 days"}, "within"),
        ({"event": "A", "within": "9999999 weeks"}, "within"),
        ({"event": "A", "within": "2 days", "before": "3 days"}, "before"),
        ({"event": "A", "after": "soon"}, "after"),
        ({"event": "A", "filter": "x"}, "filter"),
        ({"attribute": "city", "op": "is"}, "value"),
        ({"attribute": "city", "op": "exists", "value": 1}, "value"),
        ({"attribute": "city", "op": "is", "value": {"$gt": ""}}, "value"),
        ({"attribute": "city", "op": "in", "value": []}, "value"),
        ({"attribute": "city", "op": "in", "value": ["a", ["b"]]}, "value[1]"),
        ({"attribute": "city", "op": "in", "value": ["a"] * 1001}, "value"),
        ({"attribute": "city", "op": "gte", "value": float("nan")}, "value"),
        ({"attribute": "city", "op": "gte", "value": 10**400}, "value"),
        ({"attribute": "city", "op": "gte", "value": True}, "value"),
        ({"attribute": "city", "op": "within_days", "value": 0}, "value"),
        ({"attribute": "city", "op": ["is"], "value": "x"}, "op"),
        ({"attribute": "email", "op": "gt", "value": 5}, "op"),
        ({"attribute": "email", "op": "is", "value": 5}, "value"),
        ({"attribute": "known", "op": "is", "value": "yes"}, "value"),
        ({"attribute": "last_seen_at", "op": "is", "value": "2026-01-01"}, "op"),
        ({"attribute": "last_seen_at", "op": "before", "value": "2026-02-31"}, "value"),
        ({"message": "read"}, "message"),
        ({"message": "sent", "channel": 5}, "channel"),
        ({"consent": {"channel": "email"}}, "consent.purpose"),
        ({"consent": {"channel": "email", "purpose": "offers"}, "state": "maybe"}, "state"),
        ({"segment": "vip", "member": "yes"}, "member"),
        ({"prediction": "churn", "op": "contains", "value": "x"}, "op"),
        ({"address": "push", "reachable": 1}, "reachable"),
        ({"attribute": "size", "type": "number", "op": "contains", "value": "4"}, "op"),
        ({"attribute": "size", "type": "number", "op": "is", "value": "41"}, "value"),
        ({"attribute": "size", "type": "text", "op": "in", "value": ["a", 4]}, "value[1]"),
        ({"attribute": "size", "type": "shoe", "op": "exists"}, "type"),
        ({"attribute": "size", "origin": "guessed", "op": "exists"}, "origin"),
        ({"attribute": "email", "origin": "inferred", "op": "exists"}, "origin"),
        ({"attribute": "size", "op": "between", "value": [3]}, "value"),
        ({"attribute": "size", "op": "between", "value": [3, 2]}, "value"),
        ({"attribute": "size", "op": "between", "value": ["2026-01-01", "soon"]}, "value[1]"),
        ({"attribute": "first_seen_at", "op": "between", "value": [1, 2]}, "value"),
        ({"attribute": "likes", "op": "has_any", "value": "tea"}, "value"),
        ({"attribute": "birthday", "op": "on", "value": "90 minutes"}, "value"),
        ({"attribute": "birthday", "op": "anniversary_on", "value": "2026-01-01"}, "value"),
        ({"attribute": "birthday", "op": "anniversary_within", "value": "1 month"}, "value"),
        ({"attribute": "birthday", "op": "within", "value": "in a while"}, "value"),
        ({"prediction": "churn", "op": "between", "value": ["2026-01-01", "2026-02-01"]}, "value"),
        ({"event": "A", "within": "in 7 days"}, "within"),
        ({"event": "A", "within": "1 year", "before": "13 months"}, "before"),
        ({"event": "A", "avg": {"property": "p"}}, "avg"),
        ({"event": "A", "min": {"property": "p", "gte": 1}, "max": {"property": "p", "gte": 1}}, "max"),
        ({"event": "A", "where": {"any": []}}, "where.any"),
        ({"event": "A", "where": {"any": [{"not": {"property": "p", "op": "?"}}]}}, "where.any[0].not.op"),
        ({"event": "A", "pick": "second"}, "pick"),
        ({"event": "A", "pick": "last", "count": {"gte": 2}}, "count"),
        ({"event": "A", "among": [{"property": "p", "op": "exists"}]}, "among"),
        ({"event": "A", "then": {"event": "B"}, "then_not": {"event": "C"}}, "then_not"),
        ({"event": "A", "then": {"event": "B", "within": "1 month"}}, "then.within"),
        ({"event": "A", "then": {"event": "B", "count": 2}}, "then.count"),
        ({"event": "A", "then_not": {"event": "B", "then": {"event": "C"}}}, "then_not.then"),
        ({"event": "A", "then": {"message": "read"}}, "then.message"),
        ({"event": "A", "then": {"event": "B", "same": []}}, "then.same"),
        ({"event": "A", "per": {"period": "1 week"}}, "per.last"),
        ({"event": "A", "per": {"period": "1 week", "last": 3, "at_least": 4}}, "per.at_least"),
        ({"event": "A", "per": {"period": "1 week", "last": 3}, "within": "1 week"}, "within"),
        ({"segment": "vip", "member": False, "within": "7 days"}, "member"),
        (
            {
                "consent": {"channel": "sms", "purpose": "offers"},
                "state": "refused",
                "expires_within": "1 day",
            },
            "expires_within",
        ),
    ],
)
def test_a_fault_is_refused_with_the_path_to_it(written: Any, path: str) -> None:
    with pytest.raises(RuleError) as caught:
        rules.parse(written)
    assert caught.value.path == path


def test_nesting_ends_at_twenty() -> None:
    rules.parse(nested(19))
    with pytest.raises(RuleError, match="20 deep"):
        rules.parse(nested(20))
    with pytest.raises(RuleError, match="20 deep"):
        rules.parse(nested(500))


def test_a_rule_has_two_hundred_conditions_at_most() -> None:
    one = {"attribute": "city", "op": "exists"}
    rules.parse({"all": [one] * 200})
    with pytest.raises(RuleError, match="200 conditions"):
        rules.parse({"all": [{"any": [one] * 100}, {"any": [one] * 101}]})
    with pytest.raises(RuleError, match="200 conditions"):
        rules.parse({"any": [one] * 10_000})


def test_windows_of_a_journey_are_refused_outside_one() -> None:
    written = {"not": {"event": "A", "within": "since_entry"}}
    rules.parse(written)
    with pytest.raises(RuleError) as caught:
        rules.parse(written, in_journey=False)
    assert caught.value.path == "not.within"


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["all", "any", "not", "event", "attribute", "op", "value", "where", "count", "within"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json)
def test_whatever_is_written_is_read_or_refused(written: Any) -> None:
    with suppress(RuleError):
        rules.explain(rules.parse(written))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({}, "Everyone"),
        (
            {
                "all": [
                    {"attribute": "city", "op": "is", "value": "Lyon"},
                    {"event": "Order Completed", "count": {"lte": 0}, "within": "14 days"},
                ]
            },
            "City is “Lyon” and did not do “Order Completed” in the last 14 days",
        ),
        (
            {"any": [{"event": "A", "count": {"gte": 2}}, {"not": {"segment": "vip"}}]},
            "Did “A” at least 2 times or not (is in segment “vip”)",
        ),
        ({"message": "opened", "count": {"lte": 0}, "channel": "email"}, "Never opened a message by email"),
        ({"event": "A", "sum": {"property": "total", "gte": 500}}, "Sum of total over “A” is at least 500"),
        (
            {"attribute": "last_seen_at", "op": "before", "value": "90 days"},
            "Last_seen_at is before 90 days ago",
        ),
        ({"attribute": "renewal", "op": "on", "value": "in 7 days"}, "Renewal is on in 7 days"),
        (
            {"attribute": "birthday", "op": "anniversary_within", "value": "in 7 days"},
            "Birthday has its anniversary within the next 7 days",
        ),
        (
            {"attribute": "size", "origin": "inferred", "op": "between", "value": [38, 40]},
            "Inferred size is between 38 and 40",
        ),
        (
            {
                "event": "A",
                "within": "30 days",
                "then_not": {"event": "B", "within": "3 days", "same": "cart"},
            },
            "Did “A” in the last 30 days, then not “B” with the same cart within 3 days",
        ),
        (
            {"event": "A", "pick": "first", "within": "30 days", "where": [{"property": "p", "value": "x"}]},
            "The first “A” was in the last 30 days and had p is “x”",
        ),
        (
            {"event": "A", "count": {"gte": 2}, "per": {"period": "1 week", "last": 4, "at_least": 3}},
            "Did “A” at least 2 times in at least 3 of the last 4 periods of 7 days",
        ),
        (
            {"event": "A", "avg": {"property": "total", "gte": 50}, "within": "6 months"},
            "Average total over “A” in the last 6 months is at least 50",
        ),
        (
            {
                "event": "A",
                "where": {"any": [{"property": "p", "op": "exists"}, {"not": {"property": "q", "value": 1}}]},
            },
            "Did “A” where (p is known or not (q is 1))",
        ),
        ({"segment": "vip", "before": "30 days"}, "Is in segment “vip”, entered, at least 30 days ago"),
        (
            {"consent": {"channel": "sms", "purpose": "offers"}, "expires_within": "30 days"},
            "Allowed sms for offers, which expires within 30 days",
        ),
    ],
)
def test_a_rule_is_said_in_words(written: Any, words: str) -> None:
    assert rules.explain(rules.parse(written)) == words


def test_the_events_that_may_change_an_answer_are_known() -> None:
    rule = rules.parse(
        {
            "any": [
                {"event": "Order Completed"},
                {"message": "clicked"},
                {"segment": "vip"},
                {"attribute": "city", "op": "exists"},
            ]
        }
    )
    assert rules.event_names(rule) == {
        "Order Completed",
        "Message Clicked",
        "Segment Entered",
        "Segment Left",
        "Identified",
        "Aliased",
        "Contact Created",
    }
    assert rules.segments(rule) == {"vip"}


@pytest.mark.parametrize(
    ("instant", "months", "before"),
    [
        (datetime(2026, 3, 30, 10, tzinfo=UTC), 1, datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 3, 28, 10, tzinfo=UTC), 1, datetime(2026, 2, 28, 10, tzinfo=UTC)),
        (datetime(2024, 2, 29, 10, tzinfo=UTC), 12, datetime(2023, 3, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), -2, datetime(2027, 3, 1, tzinfo=UTC)),
    ],
)
def test_months_go_by_the_calendar(instant: datetime, months: int, before: datetime) -> None:
    assert instant - Months(months) == before


@given(st.timedeltas(timedelta(), timedelta(days=9999)), st.timedeltas(timedelta(), timedelta(days=40)))
def test_a_later_instant_never_leads_to_an_earlier_one(age: timedelta, later: timedelta) -> None:
    at = datetime(1999, 1, 1, tzinfo=UTC) + age
    for months in (Months(1), Months(11), Months(-1)):
        assert at - months <= at + later - months


def test_a_date_without_a_zone_is_utc() -> None:
    rule = rules.parse({"attribute": "renewal", "op": "before", "value": "2026-03-31"})
    assert rule == Attribute("renewal", Check("before", datetime(2026, 3, 31, tzinfo=UTC)))
