"""What is learned about when and where people answer, and written to them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from analytics.models import Learning
from analytics.predictions import learning, people, rhythm
from analytics.predictions.sums import ALL, Rhythm, Sums, Tried, Usual, sums_from
from channels import smart
from channels.models import Message
from contacts.models import Contact, Prediction
from contacts.permission import OBJECTION
from tests.factories import NOON, log_event, make_contact, make_queued
from tests.statements import statements

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")


# ── Hours, without a table ──────────────────────────────────────────────────────────────────────────


Messages = list[tuple[datetime, datetime | None]]


def at(day: int, hour: int) -> datetime:
    return (datetime(2026, 1, 5, tzinfo=PARIS) + timedelta(days=day, hours=hour)).astimezone(UTC)


def best(own: Rhythm, sums: Sums, group: str = "FR") -> int:
    hours, _days = rhythm.weights(own, sums, group)
    return max(range(24), key=hours.__getitem__)


def test_hours_are_corrected_for_when_messages_were_sent() -> None:
    """Everything was sent at nine, and half answered at once; of the few sent at seven p.m. all were."""
    morning: Messages = [(at(day, 9), at(day, 9) + HOUR / 4 if day % 4 == 0 else None) for day in range(40)]
    evening: Messages = [(at(day, 19), at(day, 19) + HOUR / 4) for day in range(40, 46)]
    own = rhythm.read(PARIS, morning + evening, [], 60)
    assert own.answers[9] > own.answers[19], "by bare counts the morning would win"
    assert best(own, Sums()) in (18, 19)


def test_visits_count_and_are_no_better_in_hours_of_sending() -> None:
    own = rhythm.read(PARIS, [(at(day, 9), None) for day in range(20)], [at(d, 21) for d in range(30)], 60)
    sums = Sums()
    sums.add("FR", own, {})
    assert best(own, sums) in (20, 21)


def test_who_has_done_nothing_is_taken_to_be_like_the_others_in_their_country() -> None:
    sums = Sums()
    for _person in range(60):
        sums.add("FR", rhythm.read(PARIS, [(at(d, 12), at(d, 12)) for d in range(10)], [], 60), {})
        sums.add("US", rhythm.read(PARIS, [(at(d, 20), at(d, 20)) for d in range(10)], [], 60), {})
    assert best(Rhythm(), sums, "FR") == 12
    assert best(Rhythm(), sums, "US") == 20


def test_a_few_answers_do_not_overturn_what_is_usual_and_many_do() -> None:
    sums = Sums()
    for _person in range(60):
        sums.add("FR", rhythm.read(PARIS, [(at(d, 12), at(d, 12)) for d in range(20)], [], 60), {})
    once = rhythm.read(PARIS, [(at(1, 5), at(1, 5))], [], 60)
    noons: Messages = [(at(day, 12), None) for day in range(20)]
    mornings: Messages = [(at(day, 5), at(day, 5)) for day in range(20)]
    often = rhythm.read(PARIS, noons + mornings, [], 60)
    assert best(once, sums) == 12
    assert best(often, sums) == 5


def test_days_of_the_week_are_learned_beside_hours() -> None:
    sundays: Messages = [(at(7 * week + 6, 10), at(7 * week + 6, 10)) for week in range(12)]
    others: Messages = [(at(7 * week + day, 10), None) for week in range(12) for day in range(6)]
    _hours, days = rhythm.weights(rhythm.read(PARIS, sundays + others, [], 90), Sums(), "FR")
    assert max(range(7), key=days.__getitem__) == 6
    assert sum(days) == pytest.approx(7)


def test_an_hour_that_a_change_of_the_clock_repeats_is_the_same_hour() -> None:
    twice = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]
    assert rhythm.read(PARIS, [], twice, 1).visits[2] == 2


# ── Channels, without a table ───────────────────────────────────────────────────────────────────────


def test_how_much_people_differ_is_found_again() -> None:
    """People whose true chance is drawn with a strength of 9: the estimate is near it."""
    chance, tried = random.Random(3), Tried()
    for _person in range(4_000):
        own, sent = chance.betavariate(9 * 0.2, 9 * 0.8), chance.randint(3, 30)
        tried.add(sent, sum(chance.random() < own for _message in range(sent)))
    sums = Sums(tried={ALL: {"email": tried}})
    found = sums.usual("FR", "email")
    assert found.chance == pytest.approx(0.2, abs=0.01)
    assert 7.5 < found.strength < 11


def test_one_answer_to_one_message_is_no_certainty() -> None:
    assert Usual(0.1, 9).of(1, 1) == pytest.approx(0.19)
    assert Usual(0.1, 9).of(0, 0) == pytest.approx(0.1)


def test_sums_survive_being_kept() -> None:
    sums = Sums()
    sums.add("FR", rhythm.read(PARIS, [(at(1, 9), None)], [at(2, 3)], 9), {"email": (4, 1)})
    assert sums_from(sums.plain()) == sums


# ── The walk ────────────────────────────────────────────────────────────────────────────────────────


def sent(contact: Contact, when: datetime, *, clicked: bool = False, **values: Any) -> Message:
    message = make_queued(contact, now=when, **values)
    Message.objects.filter(pk=message.pk).update(
        state=Message.State.ACCEPTED,
        accepted_at=when,
        due_at=None,
        clicked_at=when + HOUR / 6 if clicked else None,
    )
    return message


def walk(now: datetime = NOON, limit: int = 1_000) -> int:
    for steps in range(50):
        if not learning.step(now, limit):
            return steps
    raise AssertionError("it never ends")


def learn(now: datetime = NOON) -> None:
    """The first walk sums, the second one writes."""
    walk(now)
    walk(now)


def ann_and_others() -> Contact:
    ann = make_contact(email="ann@example.com", timezone="Europe/Paris", country="FR", phone="+33612345678")
    for week in range(1, 10):
        evening = NOON - week * 7 * DAY + 6 * HOUR
        sent(ann, evening, clicked=week <= 7, channel="sms")
        sent(ann, NOON - week * 7 * DAY - 4 * HOUR, clicked=week == 1)
    bob = make_contact(email="bob@example.com", timezone="Europe/Paris", country="FR")
    for week in range(1, 6):
        sent(bob, NOON - week * 7 * DAY, clicked=False)
    return ann


@pytest.mark.django_db
def test_what_is_learned_stands_on_the_contact_with_its_reason() -> None:
    ann = ann_and_others()
    learn()
    channels = Prediction.objects.get(contact=ann, name=smart.CHANNELS)
    scores = smart.scores_from(channels.value)
    assert scores["sms"].chance > scores["email"].chance
    assert (scores["sms"].sent, scores["sms"].answered) == (9, 7)
    assert channels.reason == "Clicked email 1 of 9, sms 7 of 9 in 180 days"
    hours = Prediction.objects.get(contact=ann, name=smart.HOURS)
    found = smart.hours_from(hours.value)
    assert found is not None
    assert max(range(24), key=lambda hour: found.weight(1, hour)) in (18, 19)
    assert "7 of 8 answers and visits" in hours.reason


@pytest.mark.django_db
def test_visits_of_machines_and_what_was_long_ago_teach_nothing() -> None:
    bob = make_contact(email="bob@example.com", timezone="Europe/Paris")
    sent(bob, NOON - 200 * DAY, clicked=True)
    log_event(bob, "Message Opened", NOON - DAY)
    learn()
    assert not Prediction.objects.exists()


@pytest.mark.django_db
def test_of_people_who_object_nothing_is_learned_and_what_was_is_forgotten() -> None:
    ann = ann_and_others()
    learn()
    assert Prediction.objects.filter(contact=ann).count() == 2
    Contact.objects.filter(pk=ann.pk).update(attributes={OBJECTION: NOON.isoformat()})
    walk(NOON + 2 * DAY)
    assert Learning.objects.get().sums["tried"][ALL]["email"]["sent"] == 5


@pytest.mark.django_db
def test_predictions_go_when_their_ground_is_gone() -> None:
    ann = ann_and_others()
    learn()
    Message.objects.filter(contact=ann).update(accepted_at=None, state=Message.State.DROPPED)
    walk(NOON + 2 * DAY)
    assert not Prediction.objects.filter(contact=ann).exists()


@pytest.mark.django_db
def test_a_walk_is_taken_up_where_it_stopped_and_comes_once_a_day() -> None:
    ann_and_others()
    assert walk(limit=1) >= 2
    walk(limit=1)
    row = Learning.objects.get()
    assert (row.started_at, row.finished_at, row.seen) == (None, NOON, Contact.objects.count())
    assert learning.step(NOON + 23 * HOUR) == 0
    assert learning.step(NOON + 25 * HOUR) > 0


@pytest.mark.django_db
def test_a_batch_costs_the_same_whatever_the_number_of_people() -> None:
    ann_and_others()
    walk()
    with statements() as few:
        learning.step(NOON, limit=1)
    Learning.objects.update(started_at=None, after_contact=0)
    for _person in range(8):
        sent(make_contact(timezone="Europe/Paris"), NOON - DAY)
    with statements() as many:
        learning.step(NOON, limit=100)
    assert abs(few.total - many.total) <= 1


@pytest.mark.django_db
def test_what_a_batch_reads_is_found_by_indexes() -> None:
    ann_and_others()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + people._MESSAGES.replace("%b", "%s"), [[1, 2], NOON - 180 * DAY, NOON])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index" in plan
    assert "contact_id" in plan
