"""The ledger as proof: it only grows, every change is found and named, and erasure does not break it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given as examples
from hypothesis import strategies as st

from contacts import consent, permission, statements
from contacts.consent import NewConsent, anchoring, verifying
from contacts.models import (
    ConsentAnchor,
    ConsentCheck,
    ConsentEntry,
    ConsentRequest,
    ConsentState,
    Contact,
    Merge,
    Purpose,
    Wording,
)
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def alice() -> Contact:
    return make_contact(first_name="Alice")


def say(contact: Contact, purpose: str, given: bool, **values: object) -> None:
    line = NewConsent(contact.id, "email", purpose, given, "test", proof={"ip": "192.0.2.7"}, **values)  # type: ignore[arg-type]
    consent.record([line], NOON)


def may(contact: Contact, purpose: str) -> bool | None:
    return permission.of(consent.states([contact.id]).get(contact.id, {}), "email", purpose)


@contextmanager
def behind_the_back() -> Iterator[None]:
    """What somebody could do who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")


def faults() -> list[str]:
    return [one["fault"] for one in verifying.verify(NOON).faults]


# ── It only grows ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        "action = 'out'",
        "purpose = 'news'",
        "occurred_at = now()",
        "digest = '\\x00'",
        "proof = '{\"ip\": 1}'",
    ],
)
def test_the_database_refuses_to_change_a_line(alice: Contact, change: str) -> None:
    say(alice, "offers", True)
    with (
        pytest.raises((DatabaseError, psycopg.Error), match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE contacts_consententry SET {change}")


@pytest.mark.parametrize("statement", ["DELETE FROM contacts_consententry", "TRUNCATE contacts_consententry"])
def test_the_database_refuses_to_forget_a_line(alice: Contact, statement: str) -> None:
    say(alice, "offers", True)
    statements.run("SET LOCAL segue.ledger_may_be_emptied = 'off'", [])
    with pytest.raises((DatabaseError, psycopg.Error), match="only grows"), transaction.atomic():
        statements.run(statement, [])


def test_a_line_without_its_place_in_the_chain_is_refused(alice: Contact) -> None:
    forged = ConsentEntry(
        slot=alice.slot, contact=alice, channel="email", purpose="offers", action="in", origin="forged",
        occurred_at=NOON, recorded_at=NOON,
    )  # fmt: skip
    with pytest.raises((DatabaseError, psycopg.Error), match="consent_chained"), transaction.atomic():
        forged.save()


def test_a_line_older_than_the_chain_still_follows_merges_and_erasures(alice: Contact) -> None:
    say(alice, "offers", True)
    with behind_the_back(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_consententry SET chain = NULL, seq = NULL, digest = NULL, salt = NULL"
        )
    assert statements.run("UPDATE contacts_consententry SET contact_id = contact_id + 1", []) == 1
    assert consent.shred([alice.id + 1]) == 1


def test_deleting_a_contact_leaves_its_lines(alice: Contact) -> None:
    say(alice, "offers", True)
    Contact.objects.filter(pk=alice.pk).delete()
    assert ConsentEntry.objects.count() == 1


def test_a_wording_that_somebody_agreed_to_never_changes(alice: Contact) -> None:
    used = Wording.objects.create(slug="box", number=1, text="Yes", effective_at=NOON)
    free = Wording.objects.create(slug="box", number=2, text="Yes!", effective_at=NOON)
    say(alice, "offers", True, wording="box-1")
    Wording.objects.filter(pk=free.pk).update(text="Yes, please")
    with pytest.raises((DatabaseError, psycopg.Error), match="somebody agreed"), transaction.atomic():
        Wording.objects.filter(pk=used.pk).update(text="Yes to everything")


# ── Every change is found ───────────────────────────────────────────────────────────────────────────


def test_a_ledger_as_it_was_written_has_no_faults(alice: Contact) -> None:
    bob = make_contact()
    for purpose in ("offers", "news", "*"):
        say(alice, purpose, True)
        say(bob, purpose, False)
    anchoring.anchor(NOON)
    check = verifying.verify(NOON)
    assert (check.faults, check.lines, check.anchors) == ([], 6, 1)


def test_proof_of_any_kind_is_verified(alice: Contact) -> None:
    proof = {"n": 1.50, "big": 10**20, "tiny": 1e-7, "é": ["ü", None, True], "at": NOON}
    consent.record([NewConsent(alice.id, "email", "offers", True, "test", proof=proof)], NOON)
    assert faults() == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE contacts_consententry SET action = 'out' WHERE seq = 2", "changed"),
        ("UPDATE contacts_consententry SET proof = '{}' WHERE seq = 2", "proof"),
        ("DELETE FROM contacts_consententry WHERE seq = 2", "missing"),
        ("UPDATE contacts_consententry SET previous = digest WHERE seq = 2", "unlinked"),
        ("UPDATE contacts_consententry SET contact_id = contact_id + 1 WHERE seq = 2", "moved"),
        ("DELETE FROM contacts_consententry WHERE seq = 3", "gone"),
    ],
)
def test_what_was_changed_behind_the_back_is_named(alice: Contact, statement: str, fault: str) -> None:
    for purpose in ("offers", "news", "other"):
        say(alice, purpose, True)
    second, third = ConsentEntry.objects.filter(seq__gte=2).order_by("seq").values_list("id", flat=True)
    with behind_the_back(), connection.cursor() as cursor:
        cursor.execute(statement)
    found = verifying.verify(NOON).faults
    assert found[0]["fault"] == fault
    assert found[0]["entry"] in (second, third)


def test_lines_taken_off_the_end_are_missed_by_their_anchor(alice: Contact) -> None:
    say(alice, "offers", True)
    anchoring.anchor(NOON)
    with behind_the_back(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM contacts_consententry")
        cursor.execute("DELETE FROM contacts_consentstate")
    assert verifying.verify(NOON).faults == [{"anchor": 1, "fault": "lines", "lines": 0, "expected": 1}]


def test_an_anchor_made_by_somebody_else_is_found(alice: Contact) -> None:
    say(alice, "offers", True)
    anchoring.anchor(NOON)
    ConsentAnchor.objects.update(signature=b"forged")
    assert faults() == ["signature"]


def test_a_young_ledger_waits_a_day_for_its_next_anchor(alice: Contact) -> None:
    say(alice, "offers", True)
    assert anchoring.anchor(NOON) == 1
    say(alice, "news", True)
    assert anchoring.anchor(NOON + HOUR) == 0
    assert anchoring.anchor(NOON + DAY + HOUR) == 1
    assert anchoring.anchor(NOON + 3 * DAY) == 0
    assert faults() == []


def test_the_walk_goes_on_where_it_stopped(alice: Contact) -> None:
    for number in range(7):
        say(alice, f"p{number}", True)
    portions = 0
    while not verifying.walk(NOON, portion=3).finished_at:
        portions += 1
    assert (portions, ConsentCheck.objects.get().lines, ConsentCheck.objects.get().faults) == (2, 7, [])


# ── Erasure and merges leave it whole ───────────────────────────────────────────────────────────────


def test_shredded_proof_is_gone_and_the_chain_holds(alice: Contact) -> None:
    say(alice, "offers", True)
    say(alice, "offers", False)
    anchoring.anchor(NOON)
    assert consent.shred([alice.id]) == 2
    assert consent.shred([alice.id]) == 0
    assert list(ConsentEntry.objects.values_list("proof", "salt")) == [({}, None)] * 2
    assert faults() == []


def merge(loser: Contact, winner: Contact, at: datetime = NOON) -> Merge:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_consententry SET contact_id = %s, slot = %s WHERE contact_id = %s",
            [winner.id, winner.slot, loser.id],
        )
    return Merge.objects.create(
        slot=winner.slot, winner_id=winner.id, loser_id=loser.id, loser_public_id=loser.public_id, reason="t",
        merged_at=at,
    )  # fmt: skip


def test_a_merge_takes_the_lines_along_and_breaks_nothing(alice: Contact) -> None:
    bob = make_contact()
    say(bob, "offers", True)
    say(alice, "offers", True)
    merge(bob, alice)
    say(alice, "news", True)
    assert faults() == []


# ── What was on record at an instant ────────────────────────────────────────────────────────────────


def test_as_of_tells_what_was_on_record_then(alice: Contact) -> None:
    for hours, given in ((0, True), (2, False), (4, True)):
        consent.record([NewConsent(alice.id, "email", "offers", given, "test")], NOON + hours * HOUR)
    answers = [consent.as_of([alice.id], NOON + hours * HOUR) for hours in (-1, 1, 3, 5)]
    assert [one.get(alice.id, {}).get(("email", "offers")) for one in answers] == [None, True, False, True]


def test_as_of_knows_who_was_merged_by_then(alice: Contact) -> None:
    bob = make_contact()
    say(alice, "offers", True)
    say(bob, "offers", False)
    merge(bob, alice, NOON + 2 * HOUR)
    consent.record([NewConsent(alice.id, "email", "offers", True, "test")], NOON + 4 * HOUR)
    answers = [consent.as_of([alice.id], NOON + hours * HOUR)[alice.id] for hours in (1, 3, 5)]
    assert [one["email", "offers"] for one in answers] == [True, False, True]


@examples(st.lists(st.tuples(st.sampled_from(["offers", "news", "*"]), st.booleans()), max_size=12))
def test_the_ledger_replayed_gives_the_state_that_is_kept(lines: list[tuple[str, bool]]) -> None:
    contact = make_contact()
    for i, (purpose, given) in enumerate(lines):
        consent.record([NewConsent(contact.id, "email", purpose, given, "test")], NOON + i * HOUR)
    assert consent.as_of([contact.id], NOON + 99 * HOUR) == consent.states([contact.id])


# ── Ends, imports ───────────────────────────────────────────────────────────────────────────────────


def test_a_consent_ends_with_its_purposes_term(alice: Contact) -> None:
    Purpose.objects.update_or_create(slug="offers", defaults={"name": "Offers", "lasts_days": 30})
    say(alice, "offers", True)
    after = NOON + 31 * DAY
    assert consent.held([alice.id], after)[alice.id].why == {("email", "offers"): "expired"}
    assert consent.allowed([(alice.id, "email", "offers")], after) == set()
    assert consent.as_of([alice.id], after)[alice.id]["email", "offers"] is False
    assert consent.lapse(NOON + 29 * DAY) == 0
    assert consent.lapse(after) == 1
    assert consent.lapse(after) == 0
    assert may(alice, "offers") is False
    assert ConsentEntry.objects.latest("id").origin == consent.EXPIRED
    say(alice, "offers", True)
    assert may(alice, "offers") is True


def test_an_import_never_overturns_a_refusal_nor_a_later_word(alice: Contact) -> None:
    def bring(purpose: str, given: bool, at: object) -> int:
        line = NewConsent(alice.id, "email", purpose, given, "import", occurred_at=at, gives_way=True)  # type: ignore[arg-type]
        return consent.record([line], NOON + DAY)

    say(alice, "offers", False)
    say(alice, "news", True)
    assert bring("offers", True, NOON + HOUR) == 0
    assert bring("news", False, NOON - HOUR) == 0
    assert bring("other", True, NOON - HOUR) == 1
    assert bring("news", False, NOON + HOUR) == 1
    assert (may(alice, "offers"), may(alice, "news"), may(alice, "other")) == (False, False, True)
    assert faults() == []


# ── Double opt-in ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def news(db: None) -> None:
    Purpose.objects.update_or_create(slug="news", defaults={"name": "News", "confirmed_channels": ["email"]})


def ask(contact: Contact, hours: float = 0) -> int:
    line = NewConsent(contact.id, "email", "news", True, "sign-up form", proof={"ip": "192.0.2.1"})
    return consent.ask([line], NOON + hours * HOUR)["asked"]


@pytest.mark.usefixtures("news")
def test_what_waits_for_confirmation_allows_nothing(alice: Contact) -> None:
    assert ask(alice) == 1
    assert may(alice, "news") is False
    assert consent.held([alice.id], NOON)[alice.id].why == {("email", "news"): "pending"}
    assert consent.pending(alice.id, NOON) == {("email", "news")}
    assert not ConsentEntry.objects.exists()


@pytest.mark.usefixtures("news")
def test_a_confirmation_counts_once_and_keeps_both_proofs(alice: Contact) -> None:
    ask(alice)
    key = asking_key(alice)
    answers = [consent.confirm(key, NOON + HOUR, {"ip": "192.0.2.2"}) for _twice in range(2)]
    assert answers == [consent.Answer.CONFIRMED, consent.Answer.AGAIN]
    assert may(alice, "news") is True
    entry = ConsentEntry.objects.get()
    assert (entry.proof["request"]["ip"], entry.proof["confirmation"]["ip"]) == ("192.0.2.1", "192.0.2.2")


@pytest.mark.usefixtures("news")
def test_a_confirmation_that_comes_too_late_confirms_nothing(alice: Contact) -> None:
    ask(alice)
    assert consent.confirm(asking_key(alice), NOON + 8 * DAY, {}) == consent.Answer.TOO_LATE
    assert may(alice, "news") is False


@pytest.mark.usefixtures("news")
def test_who_refused_stays_refused_while_a_request_waits(alice: Contact) -> None:
    say(alice, "news", False)
    ask(alice)
    assert ConsentState.objects.get().why == ""
    assert may(alice, "news") is False


def asking_key(contact: Contact) -> UUID:
    return ConsentRequest.objects.get(contact=contact).key
