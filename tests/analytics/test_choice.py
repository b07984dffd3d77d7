"""What smart choice is worth: those for whom it chooses against those left as they are, by lot."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from analytics import choice
from analytics.reports import Period
from channels import choosing, send_time
from channels.models import Decision, Message
from contacts import slots
from journeys.models import Run
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact, make_queued, make_version
from tests.statements import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("months")]
DAY = timedelta(days=1)
WEEK = Period(date(2026, 3, 6), date(2026, 3, 12))


def chosen(arm: str, *, person: int = 0, rule: str = choosing.RULE, **values: Any) -> Message:
    """An accepted message whose channel or hour came about by ``arm``."""
    contact = values.pop("contact", None) or make_contact()
    message = make_queued(contact, state=Message.State.ACCEPTED, due_at=None, accepted_at=NOON, **values)
    decided(message, arm, rule)
    return message


def decided(message: Message, arm: str, rule: str = choosing.RULE, **values: Any) -> Decision:
    return Decision.objects.create(
        **{
            "decided_at": NOON,
            "slot": message.slot,
            "contact_id": message.contact_id,
            "message_id": message.id,
            "message_created_at": message.created_at,
            "outcome": Decision.Outcome.SEND,
            "reason": "allowed",
            "trace": [["consent", "pass", {}], [rule, "pass", {"arm": arm, "propensity": 0.9}]],
            **values,
        }
    )


def test_messages_are_counted_by_how_their_choice_came_about() -> None:
    chosen("best", opened_at=NOON, clicked_at=NOON)
    chosen("best")
    chosen("control", opened_at=NOON)
    chosen("explore")
    chosen("unknown")  # nothing was chosen from
    chosen("best", rule=send_time.RULE)  # another choice
    found = choice.report(choice.CHANNEL, WEEK)
    assert {arm: (one.people, one.messages) for arm, one in found.groups.items()} == {
        "best": (2, 2), "control": (1, 1), "explore": (1, 1),
    }  # fmt: skip
    assert [found.groups["best"].rates[name].number for name in choice.OUTCOMES] == [1, 1, 0]
    assert found.groups["control"].rates["opened"].share == 1.0
    assert list(choice.report(choice.HOUR, WEEK).groups) == ["best"]
    assert choice.report(choice.CHANNEL, Period(date(2026, 3, 1), date(2026, 3, 2))).groups == {}


def test_a_message_that_was_held_first_counts_once_and_one_that_did_not_leave_not_at_all() -> None:
    held = chosen("best", rule=send_time.RULE)
    decided(held, "best", send_time.RULE, decided_at=NOON - DAY, outcome=Decision.Outcome.HOLD)
    unsent = make_queued(make_contact(), state=Message.State.DROPPED, due_at=None)
    decided(unsent, "best", send_time.RULE)
    assert choice.report(choice.HOUR, WEEK).groups["best"].messages == 1


def test_a_conversion_is_a_goal_that_the_messages_run_reached_afterwards() -> None:
    version = make_version({"steps": {}}, slug="story")
    for ended in (NOON + DAY, NOON - DAY):
        contact = make_contact()
        run = Run.objects.create(
            contact=contact, slot=slots.of(contact.id), journey=version.journey, version=version,
            step="end", state=Run.State.CONVERTED, since=NOON, entered_at=NOON - 2 * DAY, ended_at=ended,
        )  # fmt: skip
        chosen("best", contact=contact, origin_run=run.pk)
    assert choice.report(choice.CHANNEL, WEEK).groups["best"].rates["converted"].number == 1


def _group(arm: str, people: int, each: int, chance: float, dice: random.Random) -> choice.Group:
    """What the statement gives for so many people with as many messages each, who answer all or none."""
    answers = [each if dice.random() < chance else 0 for _person in range(people)]
    sums = (sum(answers), sum(one * one for one in answers), sum(one * each for one in answers))
    return choice._group(arm, people, people * each, people * each * each, *sums, *sums, *sums)


def test_messages_of_one_person_are_no_more_evidence_than_one() -> None:
    """Of intervals with 95 % about so many hold the truth, also where people answer all alike."""
    dice, held, tries = random.Random(7), 0, 400
    for _try in range(tries):
        groups = {
            "best": _group("best", 300, 5, 0.3, dice),
            "control": _group("control", 100, 5, 0.2, dice),
        }
        one = choice.Report(choice.CHANNEL, WEEK, groups).against("control")["clicked"]
        held += one.low <= 0.1 <= one.high
    assert 0.92 <= held / tries <= 0.98


def test_with_too_few_people_no_difference_is_told() -> None:
    dice = random.Random(1)
    groups = {
        "best": _group("best", 500, 1, 0.3, dice),
        "control": _group("control", choice.FEWEST - 1, 1, 0.2, dice),
    }
    assert choice.Report(choice.CHANNEL, WEEK, groups).against("control") == {}


def test_the_ledger_is_read_by_its_index_of_choices_in_one_statement() -> None:
    chosen("best")
    with statements() as asked:
        choice.report(choice.CHANNEL, WEEK)
    assert asked.total == 5  # a savepoint and a limit of time about the one
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT FROM channels_decision d WHERE decided_at >= now() AND"
            " (d.trace @> '[[\"smart_channel\"]]' OR d.trace @> '[[\"best_hour\"]]')"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan


def test_page_and_program_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(3)
    groups = {
        "best": _group("best", 900, 2, 0.3, dice),
        "control": _group("control", 200, 2, 0.1, dice),
    }
    monkeypatch.setattr(choice, "report", lambda what, period: choice.Report(what, period, groups))
    boss = signed_in(make_person("boss", superuser=True))
    page = boss.get("/admin/analytics/dailykpi/smart-choice/?what=hour&days=7").content.decode()
    assert "Left as they are" in page
    assert "better" in page
    assert re.search(r">\+\d+\.\d</td>", page)
    answer = boss.get("/api/v1/reports/smart-choice").json()
    assert [one["arm"] for one in answer["groups"]] == ["best", "control"]
    clicked = next(one for one in answer["differences"] if one["outcome"] == "clicked")
    assert clicked["clear"]
    assert clicked["low"] < clicked["value"] < clicked["high"]
    assert boss.get("/api/v1/reports/smart-choice?first=2020-01-01&last=2026-01-01").status_code == 400


def test_what_takes_too_long_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_asked: Any) -> choice.Report:
        raise choice.TooLongError

    monkeypatch.setattr(choice, "report", slow)
    boss = signed_in(make_person("boss", superuser=True))
    page = boss.get("/admin/analytics/dailykpi/smart-choice/").content.decode()
    assert "Counting took too long" in page


def test_before_anything_was_chosen_the_page_says_how_to_begin() -> None:
    boss = signed_in(make_person("boss", superuser=True))
    page = boss.get("/admin/analytics/dailykpi/smart-choice/").content.decode()
    assert "Nothing was chosen in this period" in page
