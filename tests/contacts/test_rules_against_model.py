"""Random rules on random people: the SQL evaluator and a slow model in memory must agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from contacts import consent, event_log, rules, slots
from contacts.consent import NewConsent
from contacts.event_log import NewEvent
from contacts.models import ChannelAddress, Contact, Prediction, Segment, SegmentMembership, Suppression
from contacts.rules_sql import Subject, matching, verdicts
from contacts.rules_vocabulary import TYPES
from tests.contacts import rules_model
from tests.contacts.rules_model import Json, Person
from tests.examples import examples
from tests.factories import NOON

LONG_AGO = NOON - timedelta(days=400)
VALUES = st.sampled_from(
    [None, "", "Lyon", "Grand Lyon", "lyon", "5", "7.50", "1e3", "true", True, False, 0, 5, 7.5, -1, "%", "é",
     "2026-03-09", "2025-03-12", "2024-02-29", "2026-03-09T11:00:00+02:00", "2026-02-31", "2026-03-10T12:00",
     "infinity", "{}", ["Lyon", 5], {"a": 1}]
)  # fmt: skip
NAMES = st.sampled_from(["Order Completed", "Page Viewed", "Message Sent", "Message Opened"])
KEYS = st.sampled_from(["a", "b", "a.b", "it's"])
SCALARS = st.sampled_from(["Lyon", "5", "{}", '["Lyon", 5]', "true", "", True, False, 5, 7.5, 0])
MOMENTS = st.sampled_from(
    [timedelta(minutes=m) for m in (0, 1, 60, 1439, 1440, 1441, 2880, 10080, 43200, -60)]
)
FIXED = st.sampled_from(["1 hour", "1 day", "2 days"])
LENGTHS = st.sampled_from(["1 hour", "1 day", "2 days", "1 week", "30 days", "1 month"])
AHEAD = st.sampled_from(["in 1 hour", "in 2 days", "in 1 month"])
DAYS = st.sampled_from(["today", "1 day", "in 2 days", "1 year"])
DATES = st.sampled_from(["2026-03-09", "2026-03-10T11:59:00Z", "2026-02-01T00:00:00+01:00"])

TESTS = st.one_of(
    st.fixed_dictionaries({"op": st.sampled_from(["is", "is_not"]), "value": SCALARS}),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["in", "not_in"]), "value": st.lists(SCALARS, min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["has_any", "has_all", "has_none"]),
            "value": st.lists(st.sampled_from(["Lyon", 5, True]), min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["contains", "not_contains", "starts_with", "ends_with"]),
            "value": st.sampled_from(["Lyon", "LY", "%", "5", "É"]),
        }
    ),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["gt", "gte", "lt", "lte"]), "value": st.sampled_from([0, 5, 7.5, -2])}
    ),
    st.sampled_from([{"op": "between", "value": value} for value in ([0, 5], ["2026-03-01", "2026-03-09"])]),
    st.fixed_dictionaries({"op": st.sampled_from(["before", "after"]), "value": DATES | LENGTHS | AHEAD}),
    st.fixed_dictionaries({"op": st.just("within"), "value": LENGTHS | AHEAD}),
    st.fixed_dictionaries({"op": st.just("on"), "value": DAYS | DATES}),
    st.fixed_dictionaries({"op": st.just("anniversary_on"), "value": DAYS}),
    st.fixed_dictionaries(
        {"op": st.just("anniversary_within"), "value": st.sampled_from(["in 5 days", "30 days"])}
    ),
    st.fixed_dictionaries({"op": st.just("within_days"), "value": st.sampled_from([1, 2, 30])}),
    st.fixed_dictionaries({"op": st.sampled_from(["exists", "missing"])}),
)
NUMBER_TESTS = TESTS.filter(
    lambda test: (
        test["op"] in ("gt", "gte", "lt", "lte", "exists", "missing")
        or (test["op"] == "between" and not isinstance(test["value"][0], str))
    )
)
TEXT_TESTS = TESTS.filter(
    lambda test: (
        test["op"] in ("contains", "not_contains", "starts_with", "ends_with", "exists", "missing")
        or (test["op"] in ("is", "is_not") and isinstance(test["value"], str))
    )
)
TIME_TESTS = TESTS.filter(lambda test: test["op"] in TYPES["date"])
COUNTS = st.sampled_from(
    [None, 0, 1, {"gte": 1}, {"gte": 2}, {"lte": 0}, {"lt": 2}, {"gt": 1}, {"gte": 1, "lte": 2}]
)
SUMS = st.sampled_from([{"gte": 5}, {"lte": 7}, {"gte": 1, "lte": 10}, {"gte": -1}, {"lte": -1}])


def _merge(*parts: Json) -> Json:
    return {key: value for part in parts for key, value in part.items() if value is not None}


WINDOWS = st.fixed_dictionaries(
    {"within": st.none() | LENGTHS | st.sampled_from(["since_entry", "since_step"])},
    optional={"after": DATES, "before": DATES | st.just("59 minutes")},
)
PROPERTY = st.builds(lambda key, test: {"property": key, **test}, KEYS | st.just(["n", "a"]), TESTS)
WHERES = st.one_of(
    st.lists(PROPERTY, max_size=2),
    st.recursive(
        PROPERTY,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
        ),
        max_leaves=3,
    ),
)
EVENTS = st.builds(
    lambda name, count, window, where: _merge({"event": name, "count": count, "where": where}, window),
    NAMES,
    COUNTS,
    WINDOWS,
    WHERES,
)
TOTALS = st.builds(
    lambda name, measure, key, bounds, window: _merge(
        {"event": name, measure: {"property": key, **bounds}}, window
    ),
    NAMES,
    st.sampled_from(["sum", "avg", "min", "max"]),
    KEYS,
    SUMS,
    WINDOWS,
)
FOLLOWS = st.builds(
    lambda name, within, where, same: _merge(
        {"event": name, "within": within, "where": where or None, "same": same}
    ),
    NAMES,
    st.none() | FIXED,
    st.lists(PROPERTY, max_size=1),
    st.none() | KEYS,
)
SEQUENCES = st.one_of(
    st.builds(
        lambda event, word, follow: {**event, word: follow},
        EVENTS,
        st.sampled_from(["then", "then_not"]),
        FOLLOWS,
    ),
    st.builds(
        lambda event, between, word, last: {**event, "then": {**between, word: last}},
        EVENTS,
        FOLLOWS,
        st.sampled_from(["then", "then_not"]),
        FOLLOWS,
    ),
)
PICKED = st.builds(
    lambda name, pick, among, where, window: _merge(
        {"event": name, "pick": pick, "among": among or None, "where": where or None}, window
    ),
    NAMES,
    st.sampled_from(["first", "last"]),
    st.lists(PROPERTY, max_size=1),
    st.lists(PROPERTY, max_size=1),
    WINDOWS,
)
PERIODS = st.builds(
    lambda name, amount, length, last, least: {
        "event": name,
        **amount,
        "per": {"period": length, "last": last, "at_least": min(least, last)},
    },
    NAMES,
    COUNTS.map(lambda count: _merge({"count": count}))
    | st.builds(
        lambda measure, bounds: {measure: {"property": "a", **bounds}}, st.sampled_from(["sum", "max"]), SUMS
    ),
    LENGTHS,
    st.integers(1, 3),
    st.integers(1, 3),
)
LEAVES = st.one_of(
    st.just({}),
    st.builds(
        lambda key, test, origin: _merge({"attribute": key, **test, "origin": origin}),
        KEYS,
        TESTS,
        st.sampled_from([None, "either", "declared", "inferred"]),
    ),
    st.builds(
        lambda key, test: {"attribute": key, **test}, st.sampled_from(["email", "country"]), TEXT_TESTS
    ),
    st.builds(lambda test: {"attribute": "last_seen_at", **test}, TIME_TESTS),
    st.sampled_from([{"attribute": "known", "op": "is", "value": True}]),
    EVENTS,
    EVENTS,
    TOTALS,
    SEQUENCES,
    PICKED,
    PERIODS,
    st.builds(
        lambda state, count, window, filters: _merge({"message": state, "count": count}, window, filters),
        st.sampled_from(["sent", "opened"]),
        COUNTS,
        WINDOWS,
        st.fixed_dictionaries({}, optional={"channel": st.just("email"), "journey": st.just("welcome")}),
    ),
    st.builds(
        lambda asked, purpose: {"consent": {"channel": "email", "purpose": purpose}, **asked},
        st.sampled_from(["allowed", "refused", "unknown", "expired"]).map(lambda state: {"state": state})
        | st.sampled_from(["1 hour", "1 month"]).map(lambda length: {"expires_within": length}),
        st.sampled_from(["offers", "news"]),
    ),
    st.builds(lambda member: {"segment": "vip", "member": member}, st.booleans()),
    st.builds(lambda window: _merge({"segment": "vip"}, window), WINDOWS),
    st.builds(
        lambda test: {"prediction": "churn", **test},
        NUMBER_TESTS,
    ),
    st.builds(
        lambda channel, reachable: {"address": channel, "reachable": reachable},
        st.sampled_from(["email", "sms", "push"]),
        st.booleans(),
    ),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)
PROPERTIES = st.dictionaries(
    st.sampled_from(["a", "b", "a.b", "it's", "n", "channel", "journey"]),
    VALUES | st.sampled_from(["email", "welcome", {"a": 5}]),
    max_size=3,
)
STARTS = st.none() | MOMENTS.map(lambda ago: NOON - ago)
PEOPLE = st.lists(
    st.builds(
        Person,
        id=st.just(0),
        columns=st.fixed_dictionaries(
            {
                "email": st.sampled_from(["", "Lyon@example.com"]),
                "phone": st.sampled_from(["", "+33600000000"]),
                "country": st.sampled_from(["", "FR", "5"]),
                "known": st.booleans(),
                "first_seen_at": st.just(NOON - timedelta(days=400)),
                "last_seen_at": MOMENTS.map(lambda ago: NOON - ago),
            }
        ),
        attributes=st.dictionaries(KEYS, VALUES, max_size=2),
        inferred=st.dictionaries(KEYS, VALUES, max_size=2),
        events=st.lists(st.tuples(NAMES, MOMENTS.map(lambda ago: NOON - ago), PROPERTIES), max_size=4),
        consents=st.lists(
            st.tuples(
                st.sampled_from(["email", "sms"]),
                st.sampled_from(["offers", "news", "*"]),
                st.booleans(),
                STARTS,
            ),
            max_size=3,
        ),
        segments=st.dictionaries(st.just("vip"), MOMENTS.map(lambda ago: NOON - timedelta(days=1) - ago)),
        predictions=st.dictionaries(st.just("churn"), st.sampled_from([0.0, 5.0, 7.5])),
        push=st.booleans(),
        suppressed=st.sets(st.sampled_from(["push"])),
        entered_at=STARTS,
        step_at=STARTS,
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip


def store(people: list[Person]) -> None:
    """Put the model's people into the database, with ids of their own."""
    vip = Segment.objects.create(name="VIP", slug="vip", stale=False)
    for number, person in enumerate(people, start=1):
        person.id = number
        Contact.objects.create(
            id=number,
            slot=slots.of(number),
            attributes=person.attributes,
            inferred=person.inferred,
            updated_at=NOON,
            **person.columns,
        )
        event_log.append(
            NewEvent(number, name, at, at, properties=properties) for name, at, properties in person.events
        )
        for channel, purpose, given_, until in person.consents:
            consent.record([NewConsent(number, channel, purpose, given_, "test", expires_at=until)], LONG_AGO)
        for name, value in person.predictions.items():
            Prediction.objects.create(
                contact_id=number, slot=slots.of(number), name=name, number=value, computed_at=NOON
            )
        for since in person.segments.values():
            SegmentMembership.objects.create(
                segment=vip, contact_id=number, slot=slots.of(number), entered_at=since
            )
        _store_push(person)


def _store_push(person: Person) -> None:
    address = f"https://push.example/{person.id}"
    if person.push:
        ChannelAddress.objects.create(
            contact_id=person.id,
            slot=slots.of(person.id),
            channel="push",
            address=address,
            created_at=LONG_AGO,
        )
    if "push" in person.suppressed:
        Suppression.objects.create(channel="push", address=address, created_at=LONG_AGO)


def answers(rule: Json, people: list[Person], as_of: datetime) -> dict[str, set[int]]:
    parsed = rules.parse(rule)
    ids = [person.id for person in people]
    subjects = [Subject(each.id, slots.of(each.id), each.entered_at, each.step_at) for each in people]
    (positions,) = verdicts([parsed], subjects, as_of)
    return {
        "whole": set(matching(parsed, as_of=as_of).values_list("id", flat=True)),
        "some": set(matching(parsed, as_of=as_of, contact_ids=ids).values_list("id", flat=True)),
        "verdicts": {ids[position] for position in positions},
    }


@pytest.mark.django_db
@examples(60)
@given(
    people=PEOPLE,
    rule=RULES,
    as_of=st.sampled_from([NOON, NOON - timedelta(hours=2), NOON + timedelta(days=3)]),
)
def test_sql_agrees_with_the_model(people: list[Person], rule: Any, as_of: datetime) -> None:
    try:
        rules.parse(rule)
    except rules.RuleError:
        return
    with transaction.atomic():
        store(people)
        expected = {person.id for person in people if rules_model.holds(rule, person, as_of)}
        found = answers(rule, people, as_of)
        transaction.set_rollback(True)
    assert found["verdicts"] == expected
    for person in people:
        person.entered_at = person.step_at = None
    expected = {person.id for person in people if rules_model.holds(rule, person, as_of)}
    assert found["whole"] == expected
    assert found["some"] == expected


@pytest.mark.django_db
@examples(60)
@given(
    people=PEOPLE,
    rule=RULES,
    instants=st.lists(
        st.sampled_from(
            [
                NOON,
                NOON - timedelta(hours=2),
                datetime(2026, 2, 28, 23, 59, tzinfo=UTC),
                datetime(2026, 3, 31, tzinfo=UTC),
                datetime(2024, 2, 29, 12, tzinfo=UTC),
            ]
        ),
        min_size=1,
        max_size=4,
    ),
    past=st.booleans(),
)
def test_each_at_an_instant_of_its_own_is_judged_as_if_all_were_asked_then(
    people: list[Person], rule: Json, instants: list[datetime], past: bool
) -> None:
    with transaction.atomic():
        store(people)
        parsed = rules.parse(rule)
        asked = [
            Subject(each.id, slots.of(each.id), each.entered_at, each.step_at, at)
            for each in people
            for at in instants
        ]
        (together,) = verdicts([parsed], asked, None, past=past)
        alone = {
            place
            for place, subject in enumerate(asked)
            if verdicts([parsed], [subject], subject.at, past=past) == [{0}]
        }
        transaction.set_rollback(True)
    assert together == alone
