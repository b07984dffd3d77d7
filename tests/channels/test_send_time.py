"""Send time: the best allowed hour of its person that a message may wait for. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels import policy, send_time
from channels.policy_facts import EXPIRE, HOLD, SEND, Facts, Touch, Verdict
from channels.smart import ALWAYS, ASKED, NEVER, Hours, Learned
from tests.channels.policy_cases import NOW, alice, facts, offer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")
#: Evenings, 18 to 20: seven of nine answers.
EVENINGS = Hours(
    tuple(0.3 if hour in (18, 19) else 0.1 if hour == 8 else 0.02 for hour in range(24)),
    (1.0,) * 7,
    tuple({18: 4, 19: 3, 8: 2}.get(hour, 0) for hour in range(24)),
)


def asked(rules: dict[str, Any] | None = None, hours: Hours | None = EVENINGS, **values: Any) -> Facts:
    candidate = {"best_by": NOW + DAY, **values.pop("candidate", {})}
    person = {"learned": Learned(hours=hours), **values.pop("person", {})}
    own = {"explore": 0, "control": 0, **(rules or {}).pop("smart", {})}
    return facts(
        {**(rules or {}), "smart": own}, candidate=offer(**candidate), person=alice(**person), **values
    )


def line(verdict: Verdict) -> dict[str, Any]:
    return next(one[2] for one in verdict.trace or [] if one[0] == send_time.RULE)


def local(at: datetime | None) -> datetime:
    assert at is not None
    return at.astimezone(PARIS)


def test_a_message_waits_for_the_hour_in_which_its_person_answers() -> None:
    verdict = policy.decide(asked())
    assert (verdict.action, verdict.reason) == (HOLD, "best_hour")
    assert (local(verdict.until).day, local(verdict.until).hour) == (10, 18)
    found = line(verdict)
    assert [found[name] for name in ("answers", "of", "from", "to")] == [7, 9, 18, 20]
    assert found["propensity"] == 1.0


def test_when_its_hour_has_come_it_leaves() -> None:
    first = policy.decide(asked())
    assert first.until is not None
    assert policy.decide(asked(now=first.until)).action == SEND


@pytest.mark.parametrize(
    ("setting", "wish", "action"),
    [
        (ASKED, NOW + DAY, HOLD),
        (ASKED, None, SEND),
        (ALWAYS, None, HOLD),
        (NEVER, NOW + DAY, SEND),
    ],
)
def test_charter_and_message_say_whether_the_hour_is_chosen(
    setting: str, wish: datetime | None, action: str
) -> None:
    given = asked({"smart": {"time": setting}}, candidate={"best_by": wish, "wanted_at": NOW})
    assert policy.decide(given).action == action


def test_how_long_every_message_may_wait_is_the_charters_to_say() -> None:
    for within, hour in (("24 hours", 18), ("3 hours", None)):
        rules = {"smart": {"time": ALWAYS, "within": within}}
        verdict = policy.decide(asked(rules, candidate={"best_by": None, "wanted_at": NOW}))
        assert (local(verdict.until).hour if verdict.until else None) == hour


def test_nothing_waits_longer_than_it_may_nor_past_its_deadline() -> None:
    assert policy.decide(asked(candidate={"best_by": NOW + 3 * HOUR})).action == SEND
    assert policy.decide(asked(candidate={"deadline_at": NOW + 3 * HOUR})).action == SEND
    assert policy.decide(asked(candidate={"best_by": NOW - HOUR})).action == SEND
    late = policy.decide(asked(candidate={"deadline_at": NOW - HOUR}))
    assert late.action == EXPIRE


def test_a_service_message_leaves_at_once() -> None:
    assert policy.decide(asked(candidate={"transactional": True})).action == SEND


def test_the_best_hour_is_an_allowed_one() -> None:
    quiet = [{"channels": ["email"], "from": "17:00", "to": "08:00"}]
    verdict = policy.decide(asked({"quiet_hours": quiet}))
    assert (local(verdict.until).day, local(verdict.until).hour) == (11, 8)
    capped = {"caps": [{"limit": 1, "rolling": "24 hours"}]}
    verdict = policy.decide(asked(capped, touches=[Touch("email", "offers", NOW - DAY + 7 * HOUR)]))
    assert verdict.reason == "cap"


def test_where_the_best_hour_has_passed_the_next_best_is_taken() -> None:
    evening = datetime(2026, 3, 10, 20, 30, tzinfo=PARIS)
    verdict = policy.decide(asked(now=evening, candidate={"best_by": evening + 13 * HOUR}))
    assert (local(verdict.until).day, local(verdict.until).hour) == (11, 8)


def test_an_hour_that_promises_hardly_more_is_not_waited_for() -> None:
    flat = Hours(tuple(0.105 if hour == 18 else 0.1 for hour in range(24)), (1.0,) * 7)
    verdict = policy.decide(asked(hours=flat))
    assert (verdict.action, line(verdict)["gain"]) == (SEND, 1.0)


def test_days_of_the_week_count() -> None:
    thursdays = Hours((0.1,) * 24, (0.5, 0.5, 0.5, 3.0, 0.5, 0.5, 0.5))
    verdict = policy.decide(asked(hours=thursdays, candidate={"best_by": NOW + 6 * DAY}))
    assert local(verdict.until).weekday() == 3


def test_without_hours_or_a_zone_a_message_leaves_at_once_and_says_so() -> None:
    verdict = policy.decide(asked(hours=None))
    assert (verdict.action, line(verdict)["missing"]) == (SEND, "hours")
    verdict = policy.decide(asked(person={"zones": ("America/New_York", "America/Denver")}))
    assert (verdict.action, line(verdict)["missing"]) == (SEND, "zone")


def test_people_do_not_all_get_it_at_the_full_hour() -> None:
    found = {policy.decide(asked(person={"contact_id": one})).until for one in range(20)}
    assert len(found) > 10
    assert {local(at).hour for at in found} == {18}


def test_a_share_explores_any_allowed_hour_and_a_share_of_people_is_left_alone() -> None:
    rules = {"smart": {"explore": 40, "control": 20}}
    arms: Counter[str] = Counter()
    hours: Counter[int] = Counter()
    for message in range(600):
        given = asked(dict(rules), candidate={"message_id": message}, person={"contact_id": message})
        verdict = policy.decide(given)
        found = line(verdict)
        arms[found["arm"]] += 1
        if found["arm"] == "explore":
            hours[found["hour"]] += 1
        if found["arm"] == "control":
            assert verdict.action == SEND
    assert arms["explore"] / 600 == pytest.approx(0.4, abs=0.06)
    assert arms["control"] / 600 == pytest.approx(0.2, abs=0.05)
    assert len(hours) > 18


def test_an_explored_hour_is_kept_when_it_comes() -> None:
    rules = {"smart": {"explore": 50, "control": 0}}
    for message in range(20):
        given = asked(dict(rules), candidate={"message_id": message})
        verdict = policy.decide(given)
        if verdict.until is not None:
            again = asked(dict(rules), candidate={"message_id": message}, now=verdict.until)
            assert policy.decide(again).action == SEND


def test_a_zone_that_is_half_an_hour_off_has_its_own_full_hours() -> None:
    verdict = policy.decide(asked(person={"zones": ("Asia/Kolkata",), "contact_id": 3}))
    assert verdict.until is not None
    assert verdict.until.astimezone(ZoneInfo("Asia/Kolkata")).hour in (18, 19)
