"""Any order of identify, alias, consent, merge, undo and erase equals a simple model of people as lists."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import LazySettings
from django.db import transaction
from hypothesis import settings as machine_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contacts import consent, identity_rules, ingest, merging_by_hand, unmerging
from contacts.consent import NewConsent
from contacts.directory import KNOWN_BY, Identifier
from contacts.identifier_kinds import DEFAULTS, LEAVE_OUT
from contacts.models import Contact, Event, Merge, PrivacyRequest, Purpose
from contacts.models import Identifier as Stored
from contacts.privacy import erasing, people, requests
from tests.examples import TIMES
from tests.factories import NOON, make_source, put_in_inbox

KINDS = {kind.slug: kind for kind in DEFAULTS} | {
    "anonymous": msgspec.structs.replace(next(one for one in DEFAULTS if one.slug == "anonymous"), limit=2)
}
RANKS = list(KINDS)
users, browsers = st.sampled_from(["u1", "u2", "u3"]), st.sampled_from(["a1", "a2", "a3", "a4"])
emails = st.sampled_from(["x@x.org", "y@x.org"])


@dataclass(eq=False)
class Person:
    number: int
    ids: dict[Identifier, int] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    traits: dict[str, int] = field(default_factory=dict)
    #: Answers (True, False) and persons who were merged into this one, in their order.
    said: list[Any] = field(default_factory=list)

    def allows(self) -> bool | None:
        answer = None
        for one in self.said:
            if isinstance(one, Person):
                theirs = one.allows()
                answer = min((each for each in (answer, theirs) if each is not None), default=None)
            else:
                answer = one
        return answer


@dataclass(eq=False)
class Joined:
    winner: Person
    loser: Person
    ids: list[Identifier]
    events: set[str]
    fallen: list[tuple[Identifier, Person]]
    was: dict[str, int]
    brought: dict[str, int]
    undone: bool = False


class IdentityMachine(RuleBasedStateMachine):
    """Each rule does the same to the database and to ``people``."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.turn = 0
        self.numbers = itertools.count()
        self.people: list[Person] = []
        self.joined: list[Joined] = []
        #: Identifiers of people who were erased.
        self.erased: set[Identifier] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        Purpose.objects.create(slug="offers", name="Offers")
        self.source = make_source()
        identity_rules.publish(list(KINDS.values()), NOON, by="machine", after=0)

    @rule(user=st.none() | users, browser=browsers, email=st.none() | emails)
    def identify(self, user: str | None, browser: str, email: str | None) -> None:
        ids = [("user", user), ("email", email), ("anonymous", browser)]
        told = {f"of {browser}": self.turn, **({"email": email} if email else {})}
        call = {"type": "identify", "user_id": user, "anonymous_id": browser, "properties": told}
        self._arrive(call, ids, {f"of {browser}": self.turn})

    @rule(user=users, browser=browsers)
    def alias(self, user: str, browser: str) -> None:
        call = {"type": "alias", "user_id": user, "previous_id": browser}
        self._arrive(call, [("user", user), ("anonymous", browser)], {})

    @precondition(lambda self: self.people)
    @rule(data=st.data(), given=st.booleans())
    def answer(self, data: st.DataObject, given: bool) -> None:
        person = data.draw(st.sampled_from(self.people))
        self.turn += 1
        line = NewConsent(self._stored(person), "email", "offers", given, "machine")
        consent.record([line], self._now())
        person.said.append(given)

    @precondition(lambda self: len(self.people) > 1)
    @rule(data=st.data())
    def merge_by_hand(self, data: st.DataObject) -> None:
        winner, loser = data.draw(st.permutations(self.people))[:2]
        self.turn += 1
        merging_by_hand.merge_two(self._stored(winner), self._stored(loser), self._now(), by="machine")
        self._join(winner, loser, [])
        winner.ids |= loser.ids

    @precondition(lambda self: any(not one.undone for one in self.joined))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([one for one in self.joined if not one.undone]))
        self.turn += 1
        row = Merge.objects.order_by("id")[self.joined.index(one)]
        if one.winner not in self.people:
            with pytest.raises(unmerging.NotUndoableError):
                unmerging.undo(row.pk, self._now())
            return
        unmerging.undo(row.pk, self._now())
        one.undone = True
        self._part(one)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(self.people))
        self.turn += 1
        contact = Contact.objects.get(pk=self._stored(person))
        # An address that somebody else is found by may be theirs too.
        names = set(person.ids) | ({Identifier("email", contact.email)} if contact.email else set())
        assert {Identifier(*one) for one in people.known([contact.pk]).names} == names
        request = requests.ask(contact, PrivacyRequest.Kind.ERASURE, self._now(), origin="test", by="machine")
        requests.approve(request, self._now(), "machine")
        assert erasing.begin(request, self._now())
        request.refresh_from_db()
        assert erasing.carry_out(request, self._now() + erasing.PATIENCE)
        self.erased |= names
        self._forget(person)

    @invariant()
    def both_agree(self) -> None:
        stored = {}
        for contact in Contact.objects.all():
            ids = frozenset(Identifier(*row) for row in contact.identifiers.values_list("kind", "value"))
            answers = consent.states([contact.pk]).get(contact.pk, {})
            traits = {name: value for name, value in contact.attributes.items() if name.startswith("of ")}
            names = self._events(contact.pk)
            stored[frozenset(names)] = (ids, answers.get(("email", "offers")), traits)
        expected = {
            frozenset(person.events): (frozenset(person.ids), person.allows(), person.traits)
            for person in self.people
        }
        assert stored == expected
        assert set(Stored.objects.values_list("contact_id", flat=True)) <= set(
            Contact.objects.values_list("pk", flat=True)
        )

    def _arrive(
        self, call: dict[str, Any], named: list[tuple[str, str | None]], told: dict[str, int]
    ) -> None:
        self.turn += 1
        event = f"m{self.turn}"
        ids = self._screened([Identifier(kind, value) for kind, value in named if value])
        told = dict.fromkeys(told, self.turn)
        if told:
            call["properties"] |= told
        put_in_inbox(self.source, {**call, "message_id": event, "occurred_at": self._now()}, now=self._now())
        ingest.take_in(self._now())
        if not ids:
            return
        person = self._find(ids)
        person.events.add(event)
        person.traits |= told

    def _screened(self, ids: list[Identifier]) -> list[Identifier]:
        """Without an erased person's browser; nothing where a name of theirs is, or nobody else's is left."""
        known = {one for one in ids if one.kind in KNOWN_BY}
        if known & self.erased or (not known and self.erased & set(ids)):
            return []
        return [one for one in ids if one not in self.erased]

    def _forget(self, person: Person) -> None:
        gone = [person]
        for one in gone:
            gone += [each.loser for each in self.joined if each.winner is one and not each.undone]
        self.joined = [one for one in self.joined if one.winner not in gone and one.loser not in gone]
        self.people.remove(person)

    def _find(self, ids: list[Identifier]) -> Person:
        while True:
            met = [person for person in self.people if set(person.ids) & set(ids)]
            if len(met) == 1 and set(ids) <= set(met[0].ids):
                return met[0]
            together = {one: age for person in met for one, age in person.ids.items()}
            for place, one in enumerate(ids):
                together.setdefault(one, self.turn * 100 + place)
            fallen = self._too_many(together, met, ids)
            if fallen is not None or len(ids) == 1:
                break
            ids = ids[:-1]
        owners = {one: person for person in met for one in person.ids}
        for one in fallen or []:
            del together[one]
        if not met:
            met = [Person(next(self.numbers))]
            self.people += met
        winner = min(met, key=_precedence)
        for loser in sorted((one for one in met if one is not winner), key=lambda one: one.number):
            lost = [(one, owners[one]) for one in fallen or [] if owners.get(one) in (loser, winner)]
            self._join(winner, loser, lost)
        winner.ids = together
        return winner

    def _too_many(
        self, together: dict[Identifier, int], met: list[Person], event: list[Identifier]
    ) -> list[Identifier] | None:
        fallen: list[Identifier] = []
        for kind in {one.kind for one in together}:
            count = sum(one.kind == kind for one in together)
            had = max((sum(one.kind == kind for one in person.ids) for person in met), default=0)
            excess = count - KINDS[kind].limit
            if excess <= 0 or count <= had:
                continue
            old = sorted((age, one) for one, age in together.items() if one.kind == kind and one not in event)
            if KINDS[kind].full == LEAVE_OUT or len(old) < excess:
                return None
            fallen += [one for _age, one in old[:excess]]
        return fallen

    def _join(self, winner: Person, loser: Person, fallen: list[tuple[Identifier, Person]]) -> None:
        gone = {one for one, _owner in fallen}
        kept = [one for one in loser.ids if one not in gone]
        was = dict(winner.traits)
        winner.traits = loser.traits | winner.traits
        self.joined.append(Joined(winner, loser, kept, set(loser.events), fallen, was, dict(winner.traits)))
        winner.events |= loser.events
        winner.said.append(loser)
        self.people.remove(loser)

    def _part(self, one: Joined) -> None:
        winner, loser = one.winner, one.loser
        back = {each: winner.ids.pop(each) for each in one.ids if each in winner.ids}
        loser.ids = back
        loser.events = set(one.events)
        winner.events -= one.events
        taken = {each for person in [*self.people, loser] for each in person.ids}
        for each, owner in one.fallen:
            if each not in taken:
                owner.ids[each] = self.turn * 100
        given_up = {
            name
            for name, value in one.brought.items()
            if one.was.get(name) != value and winner.traits.get(name) == value
        }
        for name in given_up:
            del winner.traits[name]
        for other in self.joined:
            if other.winner is winner and not other.undone:
                again = {name: value for name, value in other.loser.traits.items() if name in given_up}
                winner.traits = again | winner.traits
        since = winner.said[winner.said.index(loser) + 1 :]
        winner.said.remove(loser)
        loser.said += [False] * (False in [answer for answer in since if not isinstance(answer, Person)])
        self.people.append(loser)

    def _stored(self, person: Person) -> int:
        name = next(iter(person.events))
        return int(Event.objects.get(message_id=name).contact_id)

    def _events(self, contact: int) -> set[str]:
        found = Event.objects.filter(contact_id=contact).exclude(message_id=None)
        return {str(name) for name in found.values_list("message_id", flat=True)}

    def _now(self) -> Any:
        return NOON + timedelta(minutes=self.turn)


def _precedence(person: Person) -> tuple[int, int]:
    return min((RANKS.index(one.kind) for one in person.ids), default=len(RANKS)), person.number


@pytest.mark.django_db
def test_any_order_of_acts_equals_the_model(settings: LazySettings, tmp_path: Path) -> None:
    settings.SEGUE_HOME = tmp_path
    run_state_machine_as_test(
        IdentityMachine,
        settings=machine_settings(max_examples=12 * TIMES, stateful_step_count=20, deadline=None),
    )
