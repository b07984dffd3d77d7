from datetime import timedelta

import pytest

from channels import charter
from channels.charter import AlreadyPublishedError, CharterError
from tests.factories import NOON

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def rules(hours: int) -> dict[str, object]:
    return {"spacing": {"apart": f"{hours} hours"}}


def apart() -> timedelta:
    return charter.current(NOON).apart


def test_the_default_rules_until_something_is_published() -> None:
    charter.draft(rules(5))
    assert charter.in_force(NOON) is None
    assert (apart(), charter.current(NOON).number) == (timedelta(hours=12), None)


def test_a_published_charter_rules_from_now() -> None:
    version = charter.publish(charter.draft(rules(5)), NOON)
    assert (apart(), charter.current(NOON).number) == (timedelta(hours=5), version.number)
    assert charter.in_force(NOON - DAY) is None


def test_a_charter_may_rule_from_a_later_day() -> None:
    charter.publish(charter.draft(rules(5)), NOON - 2 * DAY)
    later = charter.draft(rules(7))
    later.effective_at = NOON + DAY
    later.save()
    charter.publish(later, NOON - DAY)
    assert apart() == timedelta(hours=5)
    assert charter.current(NOON + DAY).apart == timedelta(hours=7)


def test_a_date_in_the_past_means_now() -> None:
    version = charter.draft(rules(5))
    version.effective_at = NOON - 30 * DAY
    version.save()
    assert charter.publish(version, NOON).effective_at == NOON


def test_of_two_the_one_in_force_last_rules() -> None:
    for number, hours in enumerate((5, 7)):
        charter.publish(charter.draft(rules(hours)), NOON - 2 * DAY + number * DAY)
    assert apart() == timedelta(hours=7)


def test_a_charter_with_a_mistake_is_not_published() -> None:
    version = charter.draft({"caps": [{"limit": -1, "rolling": "1 day"}]})
    with pytest.raises(CharterError):
        charter.publish(version, NOON)
    assert charter.in_force(NOON) is None


def test_a_charter_is_published_once() -> None:
    version = charter.publish(charter.draft(rules(5)), NOON)
    with pytest.raises(AlreadyPublishedError):
        charter.publish(version, NOON + DAY)
    version.refresh_from_db()
    assert version.published_at == NOON


def test_versions_are_numbered_in_turn() -> None:
    assert [charter.draft({}).number for _one in range(3)] == [1, 2, 3]
