"""The auditor finds what is planted, names it, and says when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from contacts.auditing import looking
from contacts.auditing.promise import Asked, Found, Promise
from contacts.auditing.registry import promises
from contacts.models import Breach, InboxItem, PromiseState
from contacts.statements import rows
from tests.factories import NOON, make_source, put_in_inbox
from tests.promises import assert_promises_hold, broken
from tests.statements import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("months")]

SECOND = timedelta(seconds=1)


def test_an_empty_installation_keeps_every_promise() -> None:
    assert_promises_hold(NOON)


def test_every_app_declares_promises_in_words() -> None:
    known = promises()
    assert {one.room for one in known.values()} >= {"contacts", "channels", "journeys"}
    for one in known.values():
        assert str(one.title)
        assert str(one.meaning)
        assert str(one.remedy)


def test_an_event_that_nobody_takes_in_breaks_a_promise_until_it_is_taken() -> None:
    put_in_inbox(make_source(), {"type": "track", "user_id": "u"})
    assert broken(NOON + 60 * SECOND) == {}
    assert list(broken(NOON + 130 * SECOND)) == ["inbox_moves"]
    state = PromiseState.objects.get(name="inbox_moves")
    assert (state.open, state.oldest) == (1, NOON)
    InboxItem.objects.all().delete()
    assert broken(NOON + 140 * SECOND) == {}
    breach = Breach.objects.get(promise="inbox_moves")
    assert breach.over_at == NOON + 140 * SECOND


def test_a_pulse_looks_only_after_those_whose_turn_it_is() -> None:
    assert looking.pulse(NOON) == len(promises())
    assert looking.pulse(NOON + 5 * SECOND) == 0
    again = looking.pulse(NOON + 31 * SECOND)
    assert 0 < again < len(promises())
    # A clock that was set back does not silence the auditor.
    assert looking.pulse(NOON - timedelta(days=1)) == len(promises())


def test_a_look_that_fails_says_so_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> list[Found]:
        raise ValueError("no answer")

    planted = dict(promises()) | {"odd": Promise("odd", "Odd", "", "", Asked(fail))}
    monkeypatch.setattr(looking, "promises", lambda: planted)
    looking.everything(NOON)
    assert PromiseState.objects.get(name="odd").error == "ValueError: no answer"
    assert not PromiseState.objects.exclude(name="odd").exclude(error="").exists()
    account = looking.account(NOON)
    assert (account.broken, account.unknown) == (0, 1)


def test_what_a_person_settled_alarms_no_more_and_does_not_come_back() -> None:
    put_in_inbox(make_source(), {"type": "track", "user_id": "u"})
    broken(NOON + 130 * SECOND)
    breach = Breach.objects.get()
    assert looking.settle_by_hand([breach.pk], "inbox_moves", "ann", NOON + 131 * SECOND) == 1
    assert looking.account(NOON + 131 * SECOND).violations == 0
    assert broken(NOON + 160 * SECOND) == {}
    assert Breach.objects.count() == 1


def test_a_session_that_idles_in_a_transaction_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    look = promises()["short_transactions"].look
    shorter = look.sql.replace("interval '30 seconds'", "interval '0 seconds'")  # type: ignore[union-attr]
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone() or (0,)
            found = rows(shorter, {"now": NOON, "most": 10})
            assert pid in {looking._found(row).about["pid"] for row in found}
            assert not rows(look.sql, {"now": NOON, "most": 10})  # type: ignore[union-attr]
    finally:
        other.close()


def test_looking_costs_the_same_whatever_there_is() -> None:
    looking.pulse(NOON)
    source, counts = make_source(), []
    for number in (1, 30):
        put_in_inbox(source, *({"type": "track", "user_id": f"u{n}"} for n in range(number)))
        with statements() as count:
            looking.pulse(NOON + timedelta(hours=number))
        counts.append(count.total)
    assert abs(counts[0] - counts[1]) < 20
