"""Law packs: the hours of each state, dates, public holidays, and people of whom too little is known."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels import policy, policy_places, policy_zones
from channels.charter_rules import parse
from channels.law_packs import packs
from channels.policy_facts import HOLD, SEND
from channels.policy_places import Place
from tests.channels.policy_cases import alice, facts, offer

US = {"laws": [{"pack": "us"}]}
FR = {"laws": [{"pack": "fr"}]}
TEXT = offer(wanted=("sms",))


def action(charter: dict[str, Any], zone: str, local: str, place: Place, zones: tuple[str, ...] = ()) -> str:
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    person = alice(zones=zones or (zone,), place=place)
    return policy.decide(facts(charter, candidate=TEXT, person=person, now=at)).action


# Monday is 2 March, Saturday 7 March, Sunday 8 March 2026.
@pytest.mark.parametrize(
    ("state", "zone", "first", "last"),
    [
        ("CA", "America/Los_Angeles", "2026-03-02T08:00", "2026-03-02T21:00"),
        ("CA", "America/Los_Angeles", "2026-03-08T08:00", "2026-03-08T21:00"),
        ("FL", "America/New_York", "2026-03-02T08:00", "2026-03-02T20:00"),
        ("MD", "America/New_York", "2026-03-02T08:00", "2026-03-02T20:00"),
        ("MS", "America/Chicago", "2026-03-02T08:00", "2026-03-02T20:00"),
        ("NJ", "America/New_York", "2026-03-02T08:00", "2026-03-02T20:00"),
        ("OK", "America/Chicago", "2026-03-02T08:00", "2026-03-02T20:00"),
        ("CT", "America/New_York", "2026-03-02T09:00", "2026-03-02T20:00"),
        ("TX", "America/Chicago", "2026-03-02T09:00", "2026-03-02T21:00"),
        ("TX", "America/Chicago", "2026-03-08T12:00", "2026-03-08T21:00"),
        ("RI", "America/New_York", "2026-03-02T09:00", "2026-03-02T18:00"),
        ("RI", "America/New_York", "2026-03-07T10:00", "2026-03-07T17:00"),
    ],
)
def test_the_hours_of_each_state(state: str, zone: str, first: str, last: str) -> None:
    place = Place("US", "US", state)
    before = f"{first[:11]}{int(first[11:13]) - 1:02}:59:59"
    assert action(US, zone, before, place) == HOLD
    assert action(US, zone, first, place) == SEND
    assert action(US, zone, f"{last[:11]}{int(last[11:13]) - 1:02}:59:59", place) == SEND
    assert action(US, zone, last, place) == HOLD


def test_where_the_state_is_unknown_the_hours_of_all_states_hold() -> None:
    for hour, expected in (("09:30", HOLD), ("12:30", SEND), ("16:59", SEND), ("17:00", HOLD)):
        assert action(US, "America/New_York", f"2026-03-08T{hour}", Place("US", "US")) == expected


def test_where_the_zone_is_unknown_every_zone_of_the_country_must_allow() -> None:
    zones = policy_zones.of_country("US")
    place = Place("US", "US", "CA")
    assert action(US, "America/New_York", "2026-03-02T09:00", place, zones) == HOLD  # 4:00 in Honolulu
    assert action(US, "America/New_York", "2026-03-02T14:00", place, zones) == SEND


def test_a_text_obeys_the_law_of_the_number_as_well_as_of_the_person() -> None:
    for place in (Place("US", "FR"), Place("FR", "US"), Place("", "US"), Place()):
        assert action(US, "America/New_York", "2026-03-02T23:00", place) == HOLD
    assert action(US, "Europe/Paris", "2026-03-02T23:00", Place("FR", "FR")) == SEND


def test_a_law_holds_from_its_date() -> None:
    texas = Place("US", "US", "TX")
    assert action(US, "America/Chicago", "2025-08-31T10:00", texas) == SEND  # a Sunday
    assert action(US, "America/Chicago", "2025-09-07T10:00", texas) == HOLD


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-03-02T07:59", HOLD),
        ("2026-03-02T08:00", SEND),
        ("2026-03-02T20:00", HOLD),
        ("2026-03-08T12:00", HOLD),  # Sunday
        ("2026-07-14T12:00", HOLD),  # the national day
        ("2026-05-14T12:00", HOLD),  # Ascension
    ],
)
def test_texts_to_france(local: str, expected: str) -> None:
    assert action(FR, "Europe/Paris", local, Place("FR", "FR")) == expected


def test_a_text_held_over_a_long_weekend_leaves_on_the_first_open_morning() -> None:
    evening = datetime(2026, 5, 23, 19, 0, tzinfo=UTC)  # Saturday 21:00 before Whit Monday
    person = alice(place=Place("FR", "FR"))
    verdict = policy.decide(facts(FR, candidate=TEXT, person=person, now=evening))
    assert (verdict.reason, verdict.until) == ("law", datetime(2026, 5, 26, 6, 0, tzinfo=UTC))


def test_the_same_hours_are_asked_again_as_the_message_leaves() -> None:
    night = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
    person = alice(place=Place("FR", "FR"))
    verdict = policy.recheck(facts(FR, candidate=TEXT, person=person, now=night), "sms")
    assert verdict is not None
    assert (verdict.action, verdict.reason) == (HOLD, "law")


def test_every_pack_says_what_was_read_and_when() -> None:
    assert set(packs()) == {"ca", "fr", "us"}
    for pack in packs().values():
        assert pack.sources
        assert pack.says
        assert date(2026, 1, 1) <= pack.read_on
        parse({"laws": [{"pack": pack.slug, "variant": one} for one in pack.variants]})


@pytest.mark.parametrize(
    ("country", "phone", "state", "place"),
    [
        ("us", "", "FL", Place("US", "", "FL")),
        ("US", "", "Florida", Place("US", "", "FL")),
        ("US", "", "US-FL", Place("US", "", "FL")),
        ("US", "", "nowhere", Place("US", "", "")),
        ("", "+33612345678", None, Place("", "FR", "")),
        ("XX", "nonsense", 5, Place("XX", "", "")),
    ],
)
def test_where_somebody_is(country: str, phone: str, state: object, place: Place) -> None:
    assert policy_places.place(country, phone, state) == place


def test_answers_are_remembered_beside_the_charter_only() -> None:
    first, second = parse(FR), parse({})
    for charter, expected in ((first, HOLD), (second, SEND), (first, HOLD)):
        at = datetime(2026, 3, 8, 11, 0, tzinfo=UTC)
        asked = facts(candidate=TEXT, person=alice(place=Place("FR", "FR")), now=at)
        verdict = policy.decide(replace(asked, charter=charter))
        assert verdict.action == expected
    assert first.memory
    assert not second.memory
