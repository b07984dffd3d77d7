from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.demo import history
from config.demo.people import invent
from config.demo.visits import Visits
from contacts.intake_event import IntakeEvent

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("day", range(14))
def test_the_history_is_moved_by_whole_weeks_and_reaches_yesterday(day: int) -> None:
    today = TODAY + timedelta(days=day)
    moved = history.shift(today)
    assert moved.days % 7 == 0
    assert today - timedelta(days=1) <= history.DATA_ENDS + moved < today + timedelta(days=6)


def test_no_basket_lies_after_yesterday_and_the_last_one_is_of_yesterday() -> None:
    last = max(basket.at for basket in history.baskets(TODAY))
    assert last.date() == TODAY - timedelta(days=1)


def test_the_year_has_all_households() -> None:
    assert len(history.households()) == 2469


def test_the_same_household_is_always_the_same_person() -> None:
    assert invent(77, {}) == invent(77, {})


def test_no_two_people_share_an_address() -> None:
    people = [invent(household, {}) for household in range(1, 2501)]
    for name in ("email", "phone"):
        given = [person.traits[name] for person in people if name in person.traits]
        assert len(given) == len(set(given)) > 1000


def test_every_invented_address_reaches_nobody() -> None:
    for household in range(1, 2501):
        traits = invent(household, {}).traits
        assert traits.get("email", "x@example.com").split("@")[1] in {
            "example.com",
            "example.net",
            "example.org",
        }
        assert traits.get("phone", "+12125550100")[5:10] == "55501"


def test_people_visit_at_waking_hours_on_their_own_clock() -> None:
    people = [invent(household, {}) for household in range(1, 200)]
    visits = Visits(people, [{"product_id": str(n), "name": "x", "price": 1.0} for n in range(9)])
    zones = {person.user_id: person.zone for person in people}
    told = visits.all(datetime(2026, 3, 20, tzinfo=UTC), 3, [])
    first: dict[tuple[str, date], IntakeEvent] = {}
    for _source, event in told:
        if event.user_id and event.type == "page":
            first.setdefault((event.user_id, event.occurred_at.date()), event)
    hours = [e.occurred_at.astimezone(ZoneInfo(zones[e.user_id])).hour for e in first.values() if e.user_id]
    assert hours
    assert all(7 <= hour <= 23 for hour in hours)


def test_the_same_seed_tells_the_same_story() -> None:
    people = [invent(household, {}) for household in range(1, 50)]
    products = [{"product_id": str(n)} for n in range(9)]
    begins = datetime(2026, 3, 20, tzinfo=UTC)
    assert Visits(people, products).all(begins, 2, []) == Visits(people, products).all(begins, 2, [])
