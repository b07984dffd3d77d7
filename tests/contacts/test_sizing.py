"""A large base is asked in two lots at once, with the same answer as in one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from benchmarks.segments_by_hand import QUESTIONS
from contacts import rules, sizing
from contacts.models import Contact
from contacts.sizing import Sized
from tests.factories import log_event, make_contact

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEVER = 10**9


def asked(rule: dict[str, Any], large: int, *, seconds: int = 15) -> Sized:
    with transaction.atomic():
        return sizing.sized(rules.parse(rule, in_journey=False), NOW, seconds=seconds, most=3, large=large)


@pytest.fixture
def base(transactional_db: None) -> list[Contact]:
    people = [
        make_contact(
            now=NOW - timedelta(days=90),
            country="FR" if number % 2 else "GB",
            attributes={"plan": "gold" if number % 3 else "free", "city": f"City {number % 9}"},
        )
        for number in range(24)
    ]
    names = ("Order Completed", "Product Viewed", "Product Added", "Checkout Started")
    for number, person in enumerate(people):
        for turn in range(number % 7):
            log_event(
                person,
                names[(number + turn) % 4],
                NOW - timedelta(days=turn * 5 % 40, hours=number),
                total=90 * turn,
                price=100 + 20 * turn,
                category="category 7",
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact; ANALYZE contacts_event")
    return people


def test_two_lots_give_the_answer_of_one(base: list[Contact]) -> None:
    answers = [(asked(question.rule, 1), asked(question.rule, NEVER)) for question in QUESTIONS]

    assert [in_two for in_two, _in_one in answers] == [in_one for _in_two, in_one in answers]
    assert sum(in_one.size > 0 for _in_two, in_one in answers) >= 6


def test_a_large_base_is_asked_on_two_connections(
    base: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []
    beside = sizing._beside

    def watched() -> Any:
        opened.append(True)
        return beside()

    monkeypatch.setattr(sizing, "_beside", watched)
    asked(QUESTIONS[0].rule, NEVER)
    assert opened == []
    asked(QUESTIONS[0].rule, 1)
    assert opened == [True]


def test_what_the_transaction_wrote_itself_is_counted(base: list[Contact]) -> None:
    rule = {"attribute": "country", "op": "is", "value": "FR"}
    before = asked(rule, 1).size
    with transaction.atomic():
        make_contact(now=NOW, country="FR")
        assert asked(rule, 1).size == before + 1


def test_a_question_that_takes_too_long_is_ended(
    base: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sizing._question
    monkeypatch.setattr(
        sizing,
        "_question",
        lambda *given: real(*given)._replace(select="SELECT 1 FROM pg_sleep(20)", params=()),
    )

    with pytest.raises(OperationalError) as ended:
        asked(QUESTIONS[0].rule, 1, seconds=1)
    assert isinstance(ended.value.__cause__, QueryCanceled)
