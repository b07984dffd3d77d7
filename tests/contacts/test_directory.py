"""Who is found by which identifier, without a database."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from contacts.directory import Directory, Identifier, strongest_first
from contacts.identifier_kinds import DEFAULTS, LEAVE_OUT, IdentifierKind, Kinds

ADA, BOB = Identifier("user", "ada"), Identifier("user", "bob")
PHONE_BROWSER, LAPTOP = Identifier("anonymous", "phone"), Identifier("anonymous", "laptop")
MAIL = Identifier("email", "a@example.org")


def test_nobody_found_makes_a_contact_and_the_next_event_finds_it() -> None:
    directory = Directory({})
    first = directory.find((ADA, LAPTOP))
    assert directory.find((LAPTOP,)) == first
    assert (directory.created, directory.added) == (1, {ADA: first, LAPTOP: first})


def test_one_found_gains_the_events_other_identifiers() -> None:
    directory = Directory({ADA: 7}, {7: [ADA]})
    assert directory.find((ADA, LAPTOP)) == 7
    assert directory.added == {LAPTOP: 7}


def test_the_known_one_of_several_remains() -> None:
    directory = Directory({LAPTOP: 3, ADA: 7}, {3: [LAPTOP], 7: [ADA]})
    assert directory.find((ADA, LAPTOP)) == 7
    assert directory.merged() == {3: 7}


def test_among_equals_the_oldest_remains() -> None:
    directory = Directory({LAPTOP: 9, PHONE_BROWSER: 4}, {9: [LAPTOP], 4: [PHONE_BROWSER]})
    assert directory.find((LAPTOP, PHONE_BROWSER)) == 4


def test_two_users_of_one_browser_stay_two() -> None:
    directory = Directory({})
    ada = directory.find((ADA, LAPTOP))
    bob = directory.find((BOB, LAPTOP))
    assert ada != bob
    assert directory.find((LAPTOP,)) == ada
    assert not directory.merged()


def test_an_address_shared_by_two_users_does_not_join_them() -> None:
    directory = Directory({})
    assert directory.find((ADA, MAIL)) != directory.find((BOB, MAIL))


def test_the_sixth_browser_takes_the_place_of_the_oldest() -> None:
    directory = Directory({})
    ada = directory.find((ADA,))
    for number in range(6):
        assert directory.find((ADA, Identifier("anonymous", str(number)))) == ada
    assert [one.value for one in directory.added if one.kind == "anonymous"] == list("12345")
    assert directory.find((Identifier("anonymous", "0"),)) != ada


def test_a_stored_browser_that_falls_off_is_told_with_its_owner() -> None:
    browsers = [Identifier("anonymous", str(number)) for number in range(5)]
    directory = Directory({ADA: 7}, {7: [ADA, *browsers]})
    assert directory.find((ADA, LAPTOP)) == 7
    assert directory.fallen == {browsers[0]: 7}


def test_the_sixth_email_is_left_out() -> None:
    emails = [Identifier("email", str(number)) for number in range(5)]
    directory = Directory({ADA: 7}, {7: [ADA, *emails]})
    assert directory.find((ADA, MAIL)) == 7
    assert (directory.added, directory.fallen) == ({}, {})


def test_what_somebody_held_before_a_limit_was_lowered_stays() -> None:
    emails = [Identifier("email", str(number)) for number in range(5)]
    kinds = Kinds(tuple(IdentifierKind(kind.slug, kind.name, limit=1) for kind in DEFAULTS))
    directory = Directory({ADA: 7}, {7: [ADA, *emails]}, kinds)
    assert directory.find((ADA, LAPTOP)) == 7
    assert directory.added == {LAPTOP: 7}


def test_merges_in_a_row_end_at_the_last_one() -> None:
    known = {LAPTOP: 3, MAIL: 5, ADA: 7}
    directory = Directory(known, {contact: [one] for one, contact in known.items()})
    directory.find((MAIL, LAPTOP))
    directory.find((ADA, MAIL))
    assert directory.merged() == {3: 7, 5: 7}


kinds = st.sampled_from(["user", "email", "phone", "anonymous", "device"])
identifiers = st.builds(Identifier, kinds, st.sampled_from("12345678"))
event_identifiers = st.lists(identifiers, min_size=1, max_size=4).filter(
    lambda found: sum(one.kind == "user" for one in found) <= 1
)
events = st.lists(event_identifiers.map(strongest_first), max_size=40)


def grouped(seen: list[tuple[Identifier, ...]]) -> set[frozenset[Identifier]]:
    """The rules once more, in the plainest words: contacts are identifiers and when each was first met."""
    people: list[dict[Identifier, int]] = []
    for turn, event in enumerate(seen):
        kept = list(event)
        while True:
            met = [person for person in people if set(person) & set(kept)]
            one = {identifier: age for person in met for identifier, age in person.items()}
            for place, identifier in enumerate(kept):
                one.setdefault(identifier, turn * 100 + place)
            nothing_new = len(met) == 1 and set(kept) <= set(met[0])
            if nothing_new or len(kept) == 1 or fits(one, kept):
                break
            kept.pop()
        people = [person for person in people if person not in met] + [one]
    return {frozenset(person) for person in people if person}


def fits(one: dict[Identifier, int], event: list[Identifier]) -> bool:
    """Whether the limits hold; identifiers that give way to newer ones are taken out of ``one``."""
    rules = {kind.slug: kind for kind in DEFAULTS}
    out: list[Identifier] = []
    for kind, count in Counter(identifier.kind for identifier in one).items():
        excess = count - rules[kind].limit
        old = sorted((age, each) for each, age in one.items() if each.kind == kind and each not in event)
        if excess > 0 and (rules[kind].full == LEAVE_OUT or len(old) < excess):
            return False
        out += [each for _age, each in old[: max(excess, 0)]]
    for each in out:
        del one[each]
    return True


@given(events)
def test_any_order_of_events_gives_the_groups_of_the_plain_rules(seen: list[tuple[Identifier, ...]]) -> None:
    directory = Directory({})
    for event in seen:
        directory.find(event)
    people: dict[int, set[Identifier]] = {}
    for one, contact in directory.added.items():
        people.setdefault(directory.final(contact), set()).add(one)
    assert {frozenset(person) for person in people.values()} == grouped(seen)


@given(events)
def test_no_contact_ever_holds_more_than_the_limits(seen: list[tuple[Identifier, ...]]) -> None:
    directory = Directory({})
    for event in seen:
        directory.find(event)
    held: Counter[tuple[int, str]] = Counter()
    for one, contact in directory.added.items():
        held[directory.final(contact), one.kind] += 1
    limits = {kind.slug: kind.limit for kind in DEFAULTS}
    assert all(count <= limits[kind] for (_contact, kind), count in held.items())
