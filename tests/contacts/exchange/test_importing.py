"""Files of contacts, events and suppressions come in by the rules of ingest; every line is accounted for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contacts import consent, segments
from contacts.consent import NewConsent
from contacts.event_log import IMPORTED
from contacts.exchange import importing
from contacts.models import (
    ConsentEntry,
    ConsentState,
    Contact,
    Event,
    Identifier,
    Import,
    RejectedLine,
    Segment,
    SegmentMembership,
    Suppression,
)
from contacts.privacy import tombstones
from contacts.privacy.people import People
from journeys import triggers
from journeys.models import Run
from tests.contacts.exchange.makers import make_import, run, work
from tests.factories import NOON, log_event, make_contact, make_version

pytestmark = pytest.mark.django_db(transaction=True)

MESSY = (
    "E-mail;Prénom;Téléphone;Pays;Points;Inscrit le\n"
    "ada@example.com;Ada;06 12 34 56 78;FR;1 234,5;31/12/2025\n"
    "ADA@example.com ;Ada;06 12 34 56 78;FR;7;01/02/2026\n"
    "bob@example.com;=1+1;12;FR;3;05/02/2026\n"
    "no-address;Zoé;;FR;3;05/02/2026\n"
    "eve@example.com;=HYPERLINK(1);;FR;;30/02/2026\n"
    "zoe@example.com;Zoé;;FR;;\n"
).encode("cp1252")


def adds_up(job: Import) -> bool:
    return job.lines == job.created + job.updated + job.unchanged + job.rejected


def test_a_messy_file_comes_in_and_what_does_not_says_why() -> None:
    job = run(make_import(MESSY))
    assert job.state == Import.State.FINISHED
    assert (job.lines, job.created, job.updated, job.rejected) == (6, 2, 1, 3)
    assert list(RejectedLine.objects.order_by("line").values_list("line", "code", "column")) == [
        (4, "bad_phone", "Téléphone"),
        (5, "bad_email", "E-mail"),
        (6, "bad_date", "Inscrit le"),
    ]
    ada = Contact.objects.get(email="ada@example.com")
    assert (ada.first_name, ada.phone, ada.country) == ("Ada", "+33612345678", "FR")
    assert ada.attributes == {"points": 7, "inscrit_le": "2026-02-01"}
    assert Contact.objects.get(email="zoe@example.com").first_name == "Zoé"


def test_the_fixed_file_changes_only_what_is_new() -> None:
    text = "email,first name,plan\na@example.com,Ada,gold\nb@example.com,Bob,free\n"
    run(make_import(text))
    events = Event.objects.count()
    again = run(make_import(text.replace("free", "gold") + "c@example.com,Cy,free\n"))
    assert (again.created, again.updated, again.unchanged, again.rejected) == (1, 1, 1, 0)
    assert Event.objects.count() == events + 2
    assert adds_up(again)


@pytest.mark.parametrize(
    ("mode", "created", "updated", "code"),
    [("create", 1, 0, "exists"), ("update", 0, 1, "unknown_person"), ("upsert", 1, 1, None)],
)
def test_lines_may_be_limited_to_new_or_known_people(
    mode: str, created: int, updated: int, code: str | None
) -> None:
    run(make_import("email,plan\na@example.com,free\n"))
    job = run(make_import("email,plan\na@example.com,gold\nb@example.com,gold\n", mode=mode))
    assert (job.created, job.updated) == (created, updated)
    assert list(RejectedLine.objects.values_list("code", flat=True)) == ([code] if code else [])


def test_a_line_with_the_ids_of_two_people_merges_them_as_an_event_would() -> None:
    run(make_import("email,user id\na@example.com,\n,u1\n"))
    assert Contact.objects.count() == 2
    job = run(make_import("email,user id\na@example.com,u1\n"))
    assert (job.merged, job.updated, Contact.objects.count()) == (1, 1, 1)


def test_an_import_is_no_visit() -> None:
    old = datetime(2025, 1, 1, tzinfo=UTC)
    contact = make_contact(email="a@example.com", last_seen_at=old, first_seen_at=old)
    Identifier.objects.create(
        kind="email", value="a@example.com", contact=contact, slot=contact.slot, created_at=old
    )
    run(make_import("email,plan\na@example.com,gold\n"))
    contact.refresh_from_db()
    assert contact.attributes["plan"] == "gold"
    assert contact.last_seen_at == old


def test_empty_cells_keep_or_clear() -> None:
    run(make_import("email,plan\na@example.com,gold\n"))
    run(make_import("email,plan\na@example.com,\n"))
    assert Contact.objects.get().attributes["plan"] == "gold"
    run(make_import("email,plan\na@example.com,\n", empty="clear"))
    assert "plan" not in Contact.objects.get().attributes


def test_people_can_be_put_on_a_list() -> None:
    segment = Segment.objects.create(name="Fair", slug="fair", kind=Segment.Kind.STATIC)
    run(make_import("email\na@example.com\nb@example.com\n", segment=segment.pk))
    assert SegmentMembership.objects.filter(segment=segment).count() == 2


def test_consent_comes_with_basis_wording_date_and_proof_and_never_reopens_what_was_closed() -> None:
    text = (
        "email,newsletter,consent date,consent proof\n"
        "a@example.com,yes,2026-01-05,form 7\n"
        "b@example.com,yes,2025-01-05,form 8\n"
    )
    run(make_import("email\nb@example.com\n"))
    closed = Contact.objects.get()
    consent.record([NewConsent(closed.pk, "email", "offers", False, "phone")], NOON)
    job = run(make_import(text, wording="v3"))
    assert job.consents == 1
    entry = ConsentEntry.objects.get(origin=f"import:{job.pk}")
    assert (entry.basis, entry.wording, entry.occurred_at.date().isoformat()) == (
        "consent",
        "v3",
        "2026-01-05",
    )
    assert entry.proof["proof"] == "form 7"
    assert not ConsentState.objects.get(contact_id=closed.pk, channel="email", purpose="offers").allowed
    again = run(make_import(text, wording="v3"))
    assert again.consents == 0


EVENTS = (
    "email,event,date,order id,total\n"
    "a@example.com,Order Completed,2025-11-03 10:00,o1,12.5\n"
    "a@example.com,Order Completed,2025-12-03 10:00,o2,20\n"
    "b@example.com,Order Completed,yesterday,o3,20\n"
    "b@example.com,Order Completed,2031-01-01,o4,20\n"
)


def test_past_events_count_once_however_often_the_file_comes() -> None:
    job = run(make_import(EVENTS, what="events"))
    assert (job.created, job.unchanged, job.rejected) == (2, 0, 2)
    again = run(make_import(EVENTS, what="events"))
    assert (again.created, again.unchanged, again.rejected) == (0, 2, 2)
    found = Event.objects.filter(name="Order Completed").order_by("occurred_at")
    assert [(one.kind, one.properties) for one in found] == [
        (IMPORTED, {"total": 12.5}),
        (IMPORTED, {"total": 20}),
    ]
    contact = Contact.objects.get()
    assert contact.first_seen_at == datetime(2025, 11, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(("asked", "runs"), [(False, 0), (True, 1)])
def test_past_events_start_journeys_only_when_asked(asked: bool, runs: int) -> None:
    make_version(
        {
            "trigger": {"event": "Order Completed", "fresh": "300 days"},
            "start": "end",
            "steps": {"end": {"type": "exit"}},
        }
    )
    run(make_import(EVENTS.replace("b@", "a@"), what="events", journeys=asked))
    while triggers.follow(NOON):
        pass
    assert Run.objects.count() == runs


PEOPLE = "email,plan,newsletter,consent date\na@example.com,gold,yes,2026-01-05\n"


@pytest.mark.parametrize(("asked", "runs"), [(False, 0), (True, 3)])
def test_segments_that_a_file_fills_start_journeys_only_when_asked(asked: bool, runs: int) -> None:
    gold = {"attribute": "plan", "op": "is", "value": "gold"}
    for slug, rule in (("gold", gold), ("nested", {"segment": "gold"}), ("list", None)):
        kind = Segment.Kind.DYNAMIC if rule else Segment.Kind.STATIC
        segment = Segment.objects.create(name=slug, slug=slug, kind=kind, rule=rule or {})
        graph = {"trigger": {"segment": slug}, "start": "end", "steps": {"end": {"type": "exit"}}}
        make_version(graph, slug=slug)
    segments.ensure_current(NOON)
    run(make_import(PEOPLE, journeys=asked, segment=segment.pk))
    for _nested in range(3):
        while segments.follow(NOON):
            pass
        while triggers.follow(NOON):
            pass
    assert SegmentMembership.objects.count() == 3
    assert Run.objects.count() == runs


def test_what_follows_by_itself_starts_journeys_beside_an_import() -> None:
    rule = {"event": "Order Completed", "within": "300 days"}
    Segment.objects.create(name="buyers", slug="buyers", rule=rule)
    graph = {"trigger": {"segment": "buyers"}, "start": "end", "steps": {"end": {"type": "exit"}}}
    make_version(graph, slug="welcome")
    segments.ensure_current(NOON)
    run(make_import(EVENTS, what="events"))
    buyer = make_contact()
    log_event(buyer, "Order Completed", NOON)
    while segments.follow(NOON):
        pass
    while triggers.follow(NOON):
        pass
    assert SegmentMembership.objects.count() == 2
    assert [one.contact_id for one in Run.objects.all()] == [buyer.pk]


def test_no_date_in_a_file_opens_what_a_person_closed() -> None:
    run(make_import("email\na@example.com\n"))
    person = Contact.objects.get()
    early = NOON - timedelta(days=90)
    consent.record([NewConsent(person.pk, "email", "offers", False, "phone", occurred_at=early)], early)
    job = run(make_import(PEOPLE.replace("newsletter", "offers"), wording="v3"))
    assert (job.rejected, job.consents) == (0, 0)
    assert not ConsentState.objects.get(channel="email", purpose="offers").allowed


def test_addresses_are_suppressed_once() -> None:
    text = "email,reason\na@example.com,asked by phone\nnonsense,x\na@example.com,again\n"
    job = run(make_import(text, what="suppressions"))
    assert (job.created, job.unchanged, job.rejected) == (1, 1, 1)
    assert Suppression.objects.get().note in {"asked by phone", "again"}


def test_a_dry_run_foresees_what_happens_and_writes_nothing() -> None:
    run(make_import("email,plan\na@example.com,free\n"))
    job = make_import("email,plan\na@example.com,gold\na@example.com,gold\nb@example.com,x\nbad,x\n")
    before = (Contact.objects.count(), Event.objects.count(), Identifier.objects.count())
    importing.move(job, "check")
    work()
    job.refresh_from_db()
    assert job.state == Import.State.CHECKED
    assert (Contact.objects.count(), Event.objects.count(), Identifier.objects.count()) == before
    said = {name: job.forecast[name] for name in ("lines", "created", "updated", "unchanged", "rejected")}
    assert said == {"lines": 4, "created": 1, "updated": 2, "unchanged": 0, "rejected": 1}
    done = run(job)
    assert said == {name: getattr(done, name) for name in said}


def test_undoing_removes_those_that_only_the_import_made() -> None:
    job = run(make_import("email\na@example.com\nb@example.com\n"))
    touched = Contact.objects.get(email="b@example.com")
    other = run(
        make_import("email,event,date\nb@example.com,Seen,2026-01-01\n", what="events", journeys=True)
    )
    assert other.created == 1
    importing.move(job, "undo")
    work()
    job.refresh_from_db()
    assert job.state == Import.State.UNDONE
    assert list(Contact.objects.values_list("pk", flat=True)) == [touched.pk]
    assert not Identifier.objects.filter(value="a@example.com").exists()


def test_pausing_and_cancelling_keep_what_is_in() -> None:
    job = make_import("email\n" + "".join(f"p{n}@example.com\n" for n in range(10)))
    importing.move(job, "check")
    work()
    job.refresh_from_db()
    importing.move(job, "start")
    importing.move(job, "pause")
    work()
    job.refresh_from_db()
    assert (job.state, job.lines) == (Import.State.PAUSED, 0)
    importing.move(job, "cancel")
    with pytest.raises(importing.NotNowError):
        importing.move(job, "start")


def test_lines_of_erased_people_are_refused_and_not_kept() -> None:
    tombstones.lay(People((), (), (("email", "ada@example.com"),)), NOON)
    job = run(make_import(MESSY))
    assert adds_up(job)
    assert not Identifier.objects.filter(value="ada@example.com").exists()
    erased = RejectedLine.objects.filter(code="erased")
    assert [one.cells for one in erased] == [[], []]
