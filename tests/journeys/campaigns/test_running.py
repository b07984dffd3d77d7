from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from channels.models import Message
from contacts.models import Event
from journeys import engine, triggers
from journeys.campaigns import acts, running
from journeys.campaigns.releasing import BATCH
from journeys.graph import GraphError
from journeys.models import Campaign, CampaignOccurrence, CampaignRecipient, Journey, Run
from journeys.publishing import NotAllowedError
from tests.factories import NOON, log_event
from tests.journeys.campaigns.stage import (
    mails,
    make_campaign,
    make_people,
    prepare,
    pulse,
    put_in,
    refreshed,
    start,
    states,
)
from tests.statements import statements

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
At = CampaignOccurrence.State
S = Campaign.State


@pytest.fixture(autouse=True)
def _prepared() -> None:
    prepare()


def only(campaign: Campaign) -> CampaignOccurrence:
    return campaign.occurrences.get()


def test_everybody_of_the_audience_gets_it_once_and_nobody_else() -> None:
    wanted = make_people(30, "buyers")
    make_people(5)
    campaign = start(make_campaign(everyone=False, segments=["buyers"]))
    pulse(NOON)
    assert Counter(mails()) == Counter(one.email for one in wanted)
    assert refreshed(campaign).state == S.DONE
    assert only(campaign).state == At.DONE
    pulse(NOON + HOUR)
    assert len(mails()) == 30


def test_whoever_is_excluded_or_does_not_fit_the_rule_gets_nothing() -> None:
    fitting = make_people(3, "buyers", country="FR")
    make_people(2, "buyers", country="DE")
    both = make_people(2, "buyers", country="FR")
    put_in("staff", both)
    rule = {"attribute": "country", "op": "is", "value": "FR"}
    start(make_campaign(everyone=False, segments=["buyers"], rule=rule, excluded=["staff"]))
    pulse(NOON)
    assert Counter(mails()) == Counter(one.email for one in fitting)


def test_the_audience_is_who_belongs_to_it_when_it_begins() -> None:
    make_people(3, "buyers")
    campaign = start(make_campaign(everyone=False, segments=["buyers"], throttle=1))
    for _step in range(70):
        running.tick(NOON)
    put_in("buyers", make_people(4, now=NOON + MINUTE))
    for minute in range(20):
        pulse(NOON + minute * MINUTE)
    assert len(mails()) == 3
    assert only(campaign).audience == 3


def test_whoever_comes_into_an_excluded_segment_meanwhile_gets_nothing_any_more() -> None:
    people = make_people(3, "buyers")
    put_in("staff", make_people(1))
    start(make_campaign(everyone=False, segments=["buyers"], excluded=["staff"], throttle=1))
    for _step in range(70):
        running.tick(NOON)
    put_in("staff", people)
    for minute in range(5):
        pulse(NOON + minute * MINUTE)
    assert len(mails()) <= 1


def test_its_messages_are_told_apart_by_campaign_and_occurrence() -> None:
    make_people(1)
    campaign = start(make_campaign())
    pulse(NOON)
    message = Message.objects.get()
    assert (message.origin_kind, message.origin_id, message.origin_step, message.origin_slug) == (
        "campaign",
        campaign.pk,
        "2026-03-10 13:00",
        "spring",
    )


def test_each_person_gets_it_at_their_own_hour() -> None:
    zones = ["Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu"]
    people = {zone: make_people(1, timezone=zone)[0] for zone in zones}
    day = date(2026, 3, 12)
    start(make_campaign(every="once", day=day, at=time(9)))
    got: dict[str, datetime] = {}
    now = datetime(2026, 3, 11, 18, tzinfo=UTC)
    while now < datetime(2026, 3, 13, 12, tzinfo=UTC):
        seen = set(mails())
        pulse(now)
        got |= dict.fromkeys(set(mails()) - seen, now)
        now += 30 * MINUTE
    expected = {
        "Europe/Paris": datetime(2026, 3, 12, 8, tzinfo=UTC),
        "America/New_York": datetime(2026, 3, 12, 13, tzinfo=UTC),
        "Asia/Kolkata": datetime(2026, 3, 12, 3, 30, tzinfo=UTC),
        "Pacific/Auckland": datetime(2026, 3, 11, 20, tzinfo=UTC),
        "Pacific/Honolulu": datetime(2026, 3, 12, 19, tzinfo=UTC),
    }
    assert got == {people[zone].email: at for zone, at in expected.items()}


def test_an_unknown_zone_is_looked_for_in_the_country_and_then_the_charters() -> None:
    (french,) = make_people(1, country="FR")
    (american,) = make_people(1, country="US")
    (nowhere,) = make_people(1)
    campaign = start(make_campaign(every="once", day=date(2026, 3, 12), at=time(9)))
    for _step in range(70):
        running.tick(datetime(2026, 3, 11, 20, tzinfo=UTC))
    due = dict(CampaignRecipient.objects.values_list("contact_id", "due_at"))
    assert due[french.pk] == due[nowhere.pk] == datetime(2026, 3, 12, 8, tzinfo=UTC)
    # In no part of the country before nine.
    assert due[american.pk] == datetime(2026, 3, 12, 19, tzinfo=UTC)
    assert only(campaign).audience == 3


def test_those_whose_hour_has_passed_too_long_ago_are_told_and_left_out() -> None:
    (late,) = make_people(1, timezone="Asia/Tokyo")
    (soon,) = make_people(1, timezone="America/New_York")
    campaign = start(make_campaign(every="once", day=NOON.date(), at=time(9)))
    pulse(NOON)
    pulse(NOON + 2 * HOUR)
    assert mails() == [soon.email]
    occurrence = only(campaign)
    assert (occurrence.audience, occurrence.late, occurrence.released) == (2, 1, 1)
    assert CampaignRecipient.objects.get(contact=late).state == CampaignRecipient.State.LATE


def test_a_pace_is_held_steadily() -> None:
    make_people(30)
    campaign = start(make_campaign(throttle=60))
    for _step in range(70):
        running.tick(NOON)
    handed = []
    for second in range(31):
        running.tick(NOON + timedelta(seconds=second))
        handed.append(only(campaign).released)
    assert handed[0] == 1
    assert handed == [*range(1, 31), 30]


def test_what_a_pace_missed_is_not_made_up_for_in_a_rush() -> None:
    make_people(200)
    campaign = start(make_campaign(throttle=60))
    for _step in range(70):
        running.tick(NOON)
    running.tick(NOON + HOUR)
    assert only(campaign).released <= 1 + 10


def test_a_pause_keeps_back_what_has_not_left_and_resuming_repeats_nothing() -> None:
    people = make_people(40)
    campaign = start(make_campaign())
    while not CampaignRecipient.objects.filter(state=2).exists():
        running.tick(NOON)
    while engine.advance(NOON):
        pass
    acts.pause(campaign, NOON)
    pulse(NOON)
    assert mails() == []
    assert states() == {"HELD": 40}
    pulse(NOON + HOUR)
    assert mails() == []
    acts.resume(refreshed(campaign), NOON + 2 * HOUR)
    pulse(NOON + 2 * HOUR)
    assert Counter(mails()) == Counter(one.email for one in people)
    assert refreshed(campaign).state == S.DONE


def test_a_pause_takes_nothing_from_the_time_a_message_may_wait() -> None:
    make_people(3)
    campaign = start(make_campaign(wait_hours=2))
    while not CampaignRecipient.objects.filter(state=2).exists():
        running.tick(NOON)
    engine.advance(NOON)
    acts.pause(campaign, NOON)
    pulse(NOON)
    acts.resume(refreshed(campaign), NOON + 30 * HOUR)
    pulse(NOON + 30 * HOUR)
    assert len(mails()) == 3


def test_a_message_waits_no_longer_than_it_may() -> None:
    make_people(2)
    campaign = make_campaign(wait_hours=2)
    assert campaign.journey.draft["steps"]["broadcast"]["deadline"] == "2 hours"
    start(campaign)
    while not CampaignRecipient.objects.filter(state=2).exists():
        running.tick(NOON)
    engine.advance(NOON)
    pulse(NOON + 3 * HOUR)
    assert states() == {"EXPIRED": 2}


def test_what_was_cancelled_never_leaves() -> None:
    make_people(40)
    campaign = start(make_campaign(throttle=600))
    for _step in range(70):
        running.tick(NOON)
    running.tick(NOON + timedelta(seconds=2))
    engine.advance(NOON + timedelta(seconds=2))
    running.tick(NOON + timedelta(seconds=3))
    acts.cancel(refreshed(campaign), NOON + timedelta(seconds=4))
    pulse(NOON + timedelta(seconds=4))
    pulse(NOON + HOUR)
    assert mails() == []
    assert set(states()) == {"CANCELLED"}
    occurrence = only(campaign)
    assert occurrence.state == At.CANCELLED
    assert occurrence.released < occurrence.audience
    assert not Run.objects.filter(state=Run.State.LIVE).exists()


def test_every_occurrence_of_a_recurring_one_is_sent_once_to_who_belongs_then() -> None:
    first = make_people(2)
    campaign = start(make_campaign(every="day", at=time(9), own_clock=False, until_day=date(2026, 3, 12)))
    assert refreshed(campaign).next_at == datetime(2026, 3, 11, 8, tzinfo=UTC)
    pulse(datetime(2026, 3, 11, 8, tzinfo=UTC))
    assert refreshed(campaign).state == S.SCHEDULED
    later = make_people(1, now=datetime(2026, 3, 11, 9, tzinfo=UTC))
    for hour in range(8, 12):
        pulse(datetime(2026, 3, 12, hour, tzinfo=UTC))
    pulse(datetime(2026, 3, 14, 8, tzinfo=UTC))
    assert Counter(Message.objects.values_list("contact_id", flat=True)) == Counter(
        {first[0].pk: 2, first[1].pk: 2, later[0].pk: 1}
    )
    assert refreshed(campaign).state == S.DONE
    assert [one.label for one in campaign.occurrences.order_by("id")] == [
        "2026-03-11 09:00",
        "2026-03-12 09:00",
    ]


def test_what_nobody_looked_after_in_time_is_skipped_and_said_so() -> None:
    make_people(2)
    campaign = start(make_campaign(every="day", at=time(9), own_clock=False, misfire_minutes=60))
    pulse(datetime(2026, 3, 14, 8, 30, tzinfo=UTC))
    found = {one.label: (one.state, one.reason) for one in campaign.occurrences.all()}
    assert found == {
        "2026-03-11 09:00": (At.SKIPPED, "too_late"),
        "2026-03-12 09:00": (At.SKIPPED, "too_late"),
        "2026-03-13 09:00": (At.SKIPPED, "too_late"),
        "2026-03-14 09:00": (At.DONE, ""),
    }
    assert len(mails()) == 2


def test_a_longer_misfire_limit_lets_a_late_one_go() -> None:
    make_people(1)
    campaign = start(make_campaign(misfire_minutes=60 * 5))
    pulse(NOON + 4 * HOUR)
    assert only(campaign).state == At.DONE
    other = start(make_campaign("Other", misfire_minutes=60), NOON + 5 * HOUR)
    pulse(NOON + 9 * HOUR)
    assert only(other).state == At.SKIPPED


def test_a_sending_that_nobody_looked_after_stops_and_asks() -> None:
    make_people(3)
    campaign = start(make_campaign(throttle=1, misfire_minutes=60))
    for _step in range(70):
        running.tick(NOON)
    pulse(NOON)
    pulse(NOON + 40 * 24 * HOUR)
    assert len(mails()) == 1
    found = refreshed(campaign)
    assert (found.state, found.halted) == (S.PAUSED, "unattended")
    acts.resume(found, NOON + 40 * 24 * HOUR)
    for minute in range(6):
        pulse(NOON + 40 * 24 * HOUR + minute * MINUTE)
    assert len(mails()) == 3


def test_a_clock_that_was_set_back_repeats_nothing() -> None:
    make_people(4)
    campaign = start(make_campaign(every="day", at=time(9), own_clock=False))
    for shift in (0, -2, 0, -2, 1, 0):
        pulse(datetime(2026, 3, 11, 8, 30, tzinfo=UTC) + shift * HOUR)
    assert len(mails()) == 4
    assert campaign.occurrences.count() == 1


@pytest.mark.django_db(transaction=True)
def test_reaching_the_goal_in_time_counts_and_calls_off_what_waits() -> None:
    buyer, other = make_people(2)
    campaign = start(make_campaign(goal={"event": "Order Completed", "value": "total", "window": "3 days"}))
    pulse(NOON)
    log_event(buyer, "Order Completed", NOON + HOUR, total=20)
    while triggers.follow(NOON + HOUR) or engine.advance(NOON + HOUR):
        pass
    running.tick(NOON + HOUR)
    assert Run.objects.get(contact=buyer).state == Run.State.CONVERTED
    assert Run.objects.get(contact=other).state == Run.State.LIVE
    assert Event.objects.get(name="Journey Converted").properties["value"] == 20
    engine.advance(NOON + timedelta(days=3))
    assert Run.objects.get(contact=other).state == Run.State.COMPLETED
    running.tick(NOON + timedelta(days=5))
    assert refreshed(campaign).journey.status == Journey.Status.STOPPED


def test_a_campaign_leaves_no_word_in_the_log_but_those_of_its_messages() -> None:
    make_people(2)
    start(make_campaign())
    pulse(NOON)
    assert set(Event.objects.values_list("name", flat=True)) <= {"Message Sent", "Message Delivered"}


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"everyone": False}, "segments"),
        ({"everyone": False, "segments": ["nobody"]}, "segments"),
        ({"excluded": ["nobody"]}, "excluded"),
        ({"rule": {"attribute": "country", "op": "sounds"}}, "rule"),
        ({"channels": []}, "channels"),
        ({"content": {}}, "content.email"),
        ({"content": {"email": "unknown"}}, "content.email"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "gossip"}, "purpose"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"every": "once", "at": None}, "at"),
        ({"every": "once"}, "day"),
        ({"every": "once", "day": date(2026, 3, 1)}, "day"),
        ({"every": "week"}, "weekdays"),
        ({"every": "month"}, "monthdays"),
        ({"every": "day", "until_day": date(2026, 3, 1)}, "until_day"),
        ({"throttle": 0}, "throttle"),
        ({"wait_hours": 0}, "wait_hours"),
        ({"misfire_minutes": 0}, "misfire_minutes"),
        ({"goal": {"event": ""}}, "goal"),
    ],
)
def test_what_is_missing_is_said_by_the_name_of_the_setting(settings: dict[str, Any], path: str) -> None:
    campaign = make_campaign(**settings)
    with pytest.raises(GraphError) as caught:
        start(campaign)
    assert caught.value.problems[0].path.startswith(path)
    assert refreshed(campaign).state == S.DRAFT


def test_acts_are_open_by_state_only() -> None:
    make_people(1)
    campaign = make_campaign()
    for act in (acts.pause, acts.resume, acts.cancel, acts.recall):
        with pytest.raises(NotAllowedError):
            act(campaign, NOON)
    start(campaign)
    with pytest.raises(NotAllowedError):
        acts.schedule(campaign, None, NOON)
    acts.recall(campaign, NOON)
    assert refreshed(campaign).state == S.DRAFT
    pulse(NOON)
    assert mails() == []
    start(campaign)
    pulse(NOON)
    assert len(mails()) == 1


def test_a_draft_that_waits_for_its_second_pair_of_eyes_is_asked_for_again_when_changed(
    django_user_model: Any,
) -> None:
    ann, ben = (django_user_model.objects.create_user(name) for name in ("ann", "ben"))
    make_people(2)
    campaign = make_campaign()
    request = acts.ask(campaign, ann, NOON)
    with pytest.raises(NotAllowedError):
        acts.approve(request, ann, NOON)
    campaign.throttle = 5
    acts.save(campaign, ann, NOON)
    request.refresh_from_db()
    assert request.state == "withdrawn"
    approved = acts.approve(acts.ask(campaign, ann, NOON), ben, NOON)
    assert approved.state == S.SCHEDULED
    pulse(NOON + MINUTE)
    assert len(mails()) >= 1


def test_a_copy_has_the_same_settings_and_a_name_of_its_own() -> None:
    campaign = make_campaign(throttle=7, excluded=[])
    copy = acts.duplicate(campaign, None)
    assert copy.journey.name == "Spring (2)"
    assert all(getattr(copy, name) == getattr(campaign, name) for name in acts.SETTINGS)
    assert acts.duplicate(campaign, None).journey.name == "Spring (3)"


def test_handing_on_costs_the_same_number_of_statements_for_any_number() -> None:
    make_people(3)
    small = start(make_campaign("Small"))
    for _step in range(64 + 1):
        running.tick(NOON)
    with statements() as few:
        running.tick(NOON)
    assert only(small).released == 3
    pulse(NOON)
    make_people(60)
    start(make_campaign("Large"), NOON)
    for _step in range(64 + 1):
        running.tick(NOON)
    with statements() as many:
        running.tick(NOON)
    assert many.total <= few.total + 1
    assert BATCH > 60


def test_a_vanished_person_is_not_waited_for() -> None:
    people = make_people(3)
    campaign = start(make_campaign())
    for _step in range(65):
        running.tick(NOON)
    people[0].delete()
    pulse(NOON)
    assert len(mails()) == 2
    assert only(campaign).state == At.DONE


def test_nobody_in_the_audience_is_said_and_done() -> None:
    put_in("empty", [])
    campaign = start(make_campaign(everyone=False, segments=["empty"]))
    pulse(NOON)
    assert (only(campaign).state, only(campaign).reason) == (At.DONE, "nobody")
    assert refreshed(campaign).state == S.DONE
