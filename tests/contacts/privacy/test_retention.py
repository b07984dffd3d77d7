"""Each period lets go what is older, nothing else, and only what it names."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.models import Hit, Message
from contacts import partitions
from contacts.models import Contact, DeadLetter, Event, Prediction
from contacts.privacy import retention
from journeys.models import StepEntry
from tests.contacts.privacy import cast
from tests.factories import NOON, log_event, make_contact, make_source

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=1_000)


def enforce(now: datetime = LATER) -> None:
    while retention.enforce(now):
        pass


def only(name: str, days: int) -> None:
    """This period alone."""
    for each in retention.PERIODS:
        retention.save(each, days if each == name else None, NOON)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("events", Event),
        ("messages", Message),
        ("steps", StepEntry),
        ("predictions", Prediction),
        ("hits", Hit),
        ("dead_letters", DeadLetter),
        ("inactive", Contact),
    ],
)
def test_each_setting_changes_what_is_kept(name: str, model: type) -> None:
    cast.make_somebody()
    only(name, 5_000)
    enforce()
    assert model.objects.exists()  # type: ignore[attr-defined]
    only(name, 900)
    enforce()
    assert not model.objects.exists()  # type: ignore[attr-defined]


def test_anonymous_contacts_go_with_all_that_is_theirs_and_known_ones_stay() -> None:
    known, stranger = make_contact(), make_contact()
    Contact.objects.filter(pk=stranger.pk).update(known=False, email="")
    fresh = make_contact(now=LATER)
    Contact.objects.filter(pk=fresh.pk).update(known=False)
    log_event(stranger, "Page Viewed", NOON)
    only("anonymous", 400)
    assert [one.rows for one in retention.preview("anonymous", 400, LATER)] == [1]
    enforce()
    assert set(Contact.objects.values_list("pk", flat=True)) == {known.pk, fresh.pk}
    assert not Event.objects.exists()


def test_whole_months_are_dropped_and_the_month_of_the_boundary_stays() -> None:
    january, march = datetime(2024, 1, 10, tzinfo=UTC), datetime(2024, 3, 10, tzinfo=UTC)
    partitions.ensure("contacts_event", january.date(), march.date())
    contact = make_contact()
    log_event(contact, "Old", january)
    log_event(contact, "Young", march)
    only("events", 30)
    now = datetime(2024, 4, 20, tzinfo=UTC)
    assert retention.preview("events", 30, now)[0].months == (
        "contacts_event_p202401",
        "contacts_event_p202402",
    )
    enforce(now)
    assert Event.objects.get().name == "Young"
    assert "contacts_event_p202401" not in partitions.older_than("contacts_event", now.date())


def test_a_preview_changes_nothing_and_counts_rightly() -> None:
    shop = make_source()
    for days in (10, 20, 30):
        DeadLetter.objects.create(
            source=shop, received_at=NOON - timedelta(days=days), code="x", reason="x", payload="{}"
        )
    assert retention.preview("dead_letters", 15, NOON)[0].rows == 2
    assert DeadLetter.objects.count() == 3


def test_a_period_below_its_least_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 30"):
        retention.save("events", 7, NOON)


def test_what_nobody_set_has_a_default() -> None:
    assert retention.days("hits") == 30
    assert retention.days("events") is None
