"""What is tried anew while the database is away, and for how long."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, transaction

from contacts import contention

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("error", [OperationalError, psycopg.OperationalError, psycopg.InterfaceError])
def test_an_outage_is_outlasted(error: type[Exception]) -> None:
    failures = [error("away"), error("away")]

    def act() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert contention.outlast(act, 60) == "done"


def test_an_outage_that_lasts_is_told_in_the_end() -> None:
    def act() -> None:
        raise psycopg.OperationalError("away")

    with pytest.raises(psycopg.OperationalError):
        contention.outlast(act, 0)


def test_a_transaction_that_broke_is_not_gone_on_with() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        raise psycopg.OperationalError("away")

    with pytest.raises(psycopg.OperationalError), transaction.atomic():
        contention.outlast(act, 60)
    assert len(tries) == 1


def test_what_the_data_brought_about_is_told_at_once() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        raise psycopg.DataError("no such day")

    with pytest.raises(psycopg.DataError):
        contention.outlast(act, 60)
    assert len(tries) == 1
