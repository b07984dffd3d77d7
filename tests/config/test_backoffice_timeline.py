from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Decision, Message
from config import timeline, timeline_names, timeline_words
from config.timeline import Asked
from config.timeline_words import Entry
from contacts import consent, event_log, timeline_log
from contacts.event_log import SYSTEM, TRACK, NewEvent
from contacts.models import Contact, Merge
from journeys.models import StepEntry
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")


def everything(_permission: str) -> bool:
    return True


def make_event(
    contact: Contact, name: str, at: datetime = NOON, *, kind: int = TRACK, **properties: object
) -> None:
    event_log.append([NewEvent(contact.pk, name, at, at, kind=kind, properties=properties)])


def make_message(contact: Contact, at: datetime = NOON, **values: object) -> Message:
    defaults = {
        "created_at": at,
        "slot": contact.slot,
        "contact": contact,
        "key": uuid.uuid4(),
        "due_at": at,
        "wanted": ["email"],
        "content": {"email": "spring"},
    }
    return Message.objects.create(**{**defaults, **values})


def make_decision(message: Message, at: datetime = NOON, **values: object) -> Decision:
    defaults = {
        "decided_at": at,
        "slot": message.slot,
        "contact_id": message.contact_id,
        "message_id": message.pk,
        "message_created_at": message.created_at,
        "outcome": Decision.Outcome.HOLD,
        "reason": "quiet_hours",
    }
    return Decision.objects.create(**{**defaults, **values})


def make_step(contact: Contact, at: datetime = NOON, visit: int = 1) -> StepEntry:
    return StepEntry.objects.create(
        at=at, slot=contact.slot, contact_id=contact.pk, run_id=1, journey_id=1, version_id=1,
        step="day_1", visit=visit, outcome="advanced",
    )  # fmt: skip


def read_all(contact: Contact, *, size: int, kind: str = "") -> list[timeline.Placed]:
    rows: list[timeline.Placed] = []
    below = None
    for _page in range(100):
        page = timeline.read(contact, Asked(kind=kind), below=below, may_see=everything, size=size)
        rows += page.rows
        if page.older is None:
            return rows
        below = page.older
    raise AssertionError("the timeline never ends")


def in_words(contact: Contact, may_see: Callable[[str], bool] = everything) -> list[Entry]:
    page = timeline.read(contact, may_see=may_see)
    return timeline_words.entries(page.rows, timeline_names.load(page.rows), PARIS)


@pytest.fixture
def busy() -> Contact:
    """A contact with five rows in each table, all five at the same instants."""
    contact = make_contact()
    for hour in range(5):
        at = NOON - timedelta(hours=hour // 2)
        make_event(contact, "Product Viewed", at)
        make_decision(make_message(contact, at), at)
        make_step(contact, at, visit=hour)
        consent.record(
            [consent.NewConsent(contact.pk, "email", "offers", hour % 2 == 0, "form", occurred_at=at)], at
        )
    return contact


@pytest.mark.parametrize("size", [1, 2, 3, 7, 30])
def test_pages_show_each_row_once_and_newest_first(busy: Contact, size: int) -> None:
    marks = [placed.mark for placed in read_all(busy, size=size)]

    assert len(set(marks)) == len(marks) == 25
    assert marks == sorted(marks, reverse=True)


def test_a_page_costs_the_same_however_much_it_shows(busy: Contact) -> None:
    counts = []
    for size in (2, 25):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = timeline.read(busy, may_see=everything, size=size)
            timeline_words.entries(page.rows, timeline_names.load(page.rows), PARIS)
        counts.append(len(queries))

    assert counts[0] <= counts[1] <= 16


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_going_up_shows_the_same_rows_as_going_down(busy: Contact, size: int) -> None:
    all_rows = [placed.mark for placed in read_all(busy, size=30)]
    last = timeline.read(busy, below=all_rows[-2], may_see=everything, size=size)
    seen = [placed.mark for placed in last.rows]
    page = last
    while page.newer is not None:
        page = timeline.read(busy, above=page.newer, may_see=everything, size=size)
        marks = [placed.mark for placed in page.rows]
        seen = [mark for mark in marks if mark not in seen] + seen

    assert seen == all_rows


def test_a_link_to_one_entry_shows_it_first(busy: Contact) -> None:
    for placed in read_all(busy, size=30):
        page = timeline.read_from(busy, Asked(), placed.mark, may_see=everything)
        assert page.rows[0].mark == placed.mark


def test_many_names_are_read_by_time_instead() -> None:
    contact = make_contact()
    event_log.append(
        NewEvent(contact.pk, f"Name {number}", NOON - timedelta(hours=number // 3), NOON, kind=TRACK)
        for number in range(timeline_log.MOST_NAMES + 30)
    )
    marks = [placed.mark for placed in read_all(contact, size=50)]

    assert len(set(marks)) == timeline_log.MOST_NAMES + 30
    assert marks == sorted(marks, reverse=True)


def test_a_name_a_period_a_channel_and_words_narrow_what_is_shown() -> None:
    contact = make_contact()
    make_event(contact, "Product Viewed", NOON - timedelta(days=3), title="Red shoes")
    make_event(contact, "Product Viewed", NOON, title="Blue 100% cotton")
    make_event(contact, "Page Viewed", NOON)
    make_event(contact, "Message Opened", NOON, kind=SYSTEM, channel="sms")
    make_message(contact, wanted=["sms", "email"])
    make_message(contact, channel="email", origin_slug="spring-sale")

    def found(asked: Asked) -> list[str]:
        page = timeline.read(contact, asked, may_see=everything)
        return sorted(
            getattr(placed.row, "name", "") or type(placed.row).__name__.lower() for placed in page.rows
        )

    assert found(Asked(name="Product Viewed")) == ["Product Viewed"] * 2
    assert found(Asked(name="Product Viewed", until=NOON)) == ["Product Viewed"]
    assert found(Asked(since=NOON, kind="activity")) == ["Page Viewed", "Product Viewed"]
    assert found(Asked(channel="sms")) == ["Message Opened", "message"]
    assert found(Asked(words="100%")) == ["Product Viewed"]
    assert found(Asked(words="SHOES")) == ["Product Viewed"]
    assert found(Asked(words="spring-sale")) == ["message"]
    assert found(Asked(words="%")) == ["Product Viewed"]


def test_a_merge_is_told_and_so_is_its_undoing() -> None:
    winner = make_contact()
    Merge.objects.create(
        slot=winner.slot, winner_id=winner.pk, loser_id=winner.pk + 1, loser_public_id=uuid.uuid4(),
        reason="by hand", snapshot={"contact": {"first_name": "Bob"}}, merged_at=NOON,
        undone_at=NOON + timedelta(hours=1),
    )  # fmt: skip

    titles = [entry.title for entry in in_words(winner)]

    assert titles == ["The merge with Bob was undone", "Bob became part of this contact"]


def test_something_new_does_not_shift_the_next_page(busy: Contact) -> None:
    first = timeline.read(busy, may_see=everything, size=5)
    make_event(busy, "Order Completed", NOON + timedelta(hours=1))

    second = timeline.read(busy, below=first.older, may_see=everything, size=5)

    assert second.rows[0].mark < first.rows[-1].mark
    assert len(second.rows) == 5


@pytest.mark.parametrize(
    ("kind", "tables"),
    [
        ("activity", {"Event"}),
        ("messages", {"Event", "Message"}),
        ("decisions", {"Decision"}),
        ("journeys", {"Event", "StepEntry"}),
        ("segments", {"Event"}),
        ("consent", {"ConsentEntry"}),
    ],
)
def test_a_filter_shows_only_its_kind(busy: Contact, kind: str, tables: set[str]) -> None:
    make_event(busy, "Message Opened", kind=SYSTEM)
    make_event(busy, "Journey Entered", kind=SYSTEM)
    make_event(busy, "Segment Entered", kind=SYSTEM)

    assert {type(placed.row).__name__ for placed in read_all(busy, size=9, kind=kind)} == tables


def test_what_a_table_tells_itself_is_not_told_again_by_the_log() -> None:
    contact = make_contact()
    consent.record([consent.NewConsent(contact.pk, "email", "offers", True, "form")], NOON)
    for name in timeline_log.TOLD_ELSEWHERE:
        make_event(contact, name, kind=SYSTEM)

    assert [entry.title for entry in in_words(contact)] == ["Allowed offers by email"]


def test_a_shop_event_that_is_named_like_ours_is_shown() -> None:
    contact = make_contact()
    make_event(contact, "Message Sent", kind=TRACK)

    assert [entry.title for entry in in_words(contact)] == ["Message Sent"]


def test_rows_that_a_person_may_not_see_are_left_out(busy: Contact) -> None:
    shown = timeline.read(busy, may_see=lambda permission: permission == "contacts.view_event")

    assert {type(placed.row).__name__ for placed in shown.rows} == {"Event"}


def test_another_contacts_rows_never_show(busy: Contact) -> None:
    assert read_all(make_contact(), size=10) == []


@pytest.mark.parametrize("text", ["", "x", "1", "1.2", "-1.0.1", "1.0.1; DROP", "9" * 40 + ".0.1", "1.99.1"])
def test_a_bent_mark_starts_at_the_top(text: str) -> None:
    assert timeline.mark_from(text) is None


def test_a_mark_survives_its_link() -> None:
    mark = timeline.Mark(NOON + timedelta(microseconds=7), 3, 991)

    assert timeline.mark_from(mark.text()) == mark


def test_an_order_says_what_it_was_worth_and_what_was_in_it() -> None:
    contact = make_contact()
    products = [{"name": "Mango"}, {"name": "Lime"}, {"name": "Mint"}, {"name": "Rum"}]
    make_event(contact, "Order Completed", total=48.9, currency="EUR", products=products)

    (entry,) = in_words(contact)

    assert entry.text == "48.90 EUR · Mango, Lime, Mint · and 1 more"


def test_a_held_message_says_until_when_on_the_persons_clock() -> None:
    contact = make_contact()
    until = datetime(2026, 3, 11, 7, 0, tzinfo=NOON.tzinfo)
    make_decision(make_message(contact), until=until)

    decision = next(entry for entry in in_words(contact) if entry.title.startswith("Held"))

    assert "11 Mar, 08:00 Paris time" in decision.text


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"total": None, "products": "none"},
        {"total": [], "products": [1, None]},
        {"name": {"a": 1}, "price": "x"},
    ],
)
def test_odd_properties_are_borne(properties: dict[str, object]) -> None:
    contact = make_contact()
    event_log.append(
        [
            NewEvent(contact.pk, name, NOON, NOON, kind=TRACK, properties=properties)
            for name in ("Order Completed", "X")
        ]
    )

    assert len(in_words(contact)) == 2
