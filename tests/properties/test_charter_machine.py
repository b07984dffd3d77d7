"""Charters, tags, bands and addresses change while messages are decided, leave, fail and are tried again.

What was let out is checked against a model of its own: lists of what each person got, and the rules as they
stood at the instant of the decision. It asks neither the policy nor the ledger.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import settings as machine_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from channels import charter, deciding, outbox
from channels.lifecycle import State
from channels.models import Message, Template
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from tests.examples import TIMES
from tests.factories import NOON, make_contact, make_intent, make_provider
from tests.properties.test_pressure import deliver

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")
#: Public holidays of France between March and June 2026.
HOLIDAYS = {date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 14), date(2026, 5, 25)}
CHARTERS: list[dict[str, Any]] = [
    {"caps": [{"limit": 1, "rolling": "2 days", "tags": ["promo"]}, {"limit": 3, "rolling": "3 days"}]},
    {
        "caps": [
            {"limit": 1, "rolling": "1 days", "bands": ["low"]},
            {"limit": 3, "rolling": "2 days", "bands": ["medium", "high"]},
            {"limit": 1, "rolling": "3 days", "bands": ["low"], "tags": ["promo"]},
        ]
    },
    {"caps": [{"limit": 2, "calendar": "day", "zone": "UTC", "channels": ["sms"]}], "laws": [{"pack": "fr"}]},
    {"laws": [{"pack": "fr"}], "caps": [{"limit": 2, "rolling": "1 days", "tags": ["promo", "sale"]}]},
    {},
]
people, channels = st.integers(0, 2), st.sampled_from([("email",), ("sms",), ("sms", "email")])
slugs = st.sampled_from(["spring", "story"])
often = st.sampled_from([["decide", "leave"], ["decide"], ["leave"], []])


@dataclass
class Place:
    """A message that was let out: what it was then, and when it left; None while it is on its way."""

    person: int
    channel: str
    tags: frozenset[str]
    left: datetime | None = None


class CharterMachine(RuleBasedStateMachine):
    """Each rule does something to the database; the model looks at what was let out."""

    @initialize()
    def begin(self) -> None:
        # What one example did is gone for the next one.
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.now, self.ruling = NOON, CHARTERS[0]
        self.out: dict[int, Place] = {}
        self.bands, self.french = ["low", "medium", "high"], [True, False, True]
        charter.publish(charter.draft(self.ruling), self.now)
        for channel in ("email", "sms"):
            make_provider(channel)
        self.tags = {"spring": frozenset({"promo"}), "story": frozenset[str]()}
        for slug, own in self.tags.items():
            Template.objects.create(name=slug, slug=slug, channel="email", tags=",".join(own))
        known = [
            ("+33612345670", "FR", "low"),
            ("+491511234567", "DE", "medium"),
            ("+33612345672", "DE", "high"),
        ]
        self.contacts = [
            make_contact(
                email=f"{band}@example.com", phone=phone, country=country, timezone="Europe/Paris",
                attributes={"engagement_band": band},
            )
            for phone, country, band in known
        ]  # fmt: skip
        given = [(one.id, channel) for one in self.contacts for channel in ("email", "sms")]
        consent.record([NewConsent(*one, "*", True, "test") for one in given], NOON - DAY)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.frame.__exit__(None, None, None)

    @rule(which=st.sampled_from(range(len(CHARTERS))))
    def publish(self, which: int) -> None:
        self.ruling = CHARTERS[which]
        charter.publish(charter.draft(self.ruling), self.now)

    @rule(slug=slugs, tags=st.sampled_from([(), ("promo",), ("sale", "promo")]))
    def retag(self, slug: str, tags: tuple[str, ...]) -> None:
        self.tags[slug] = frozenset(tags)
        Template.objects.filter(slug=slug).update(tags=",".join(tags))

    @rule(person=people, band=st.sampled_from(["low", "medium", "high"]))
    def react(self, person: int, band: str) -> None:
        self.bands[person] = band
        self._change(person, attributes={"engagement_band": band})

    @rule(person=people, country=st.sampled_from(["FR", "DE"]), own=st.booleans())
    def move(self, person: int, country: str, own: bool) -> None:
        """To another country, with a number of France or of Germany."""
        phone = f"+3361234567{person}" if own else f"+491511234567{person}"
        self.french[person] = country == "FR" or own
        self._change(person, country=country, phone=phone)

    @rule(person=people, wanted=channels, slug=slugs, number=st.integers(1, 3), then=often)
    def wish(self, person: int, wanted: tuple[str, ...], slug: str, number: int, then: list[str]) -> None:
        content = dict.fromkeys(wanted, slug)
        intents = [
            make_intent(self.contacts[person], wanted=wanted, content=content) for _one in range(number)
        ]
        outbox.intend(intents, self.now)
        self._then(then)

    @rule(hours=st.sampled_from([1, 2, 3, 9, 17, 30]), then=often)
    def wait(self, hours: int, then: list[str]) -> None:
        self.now += hours * HOUR
        self._then(then)

    def _then(self, acts: list[str]) -> None:
        """What mostly follows soon: left to chance alone, few messages would ever leave."""
        if "decide" in acts:
            self.decide()
        if "leave" in acts:
            self.leave(State.ACCEPTED)

    @rule()
    def decide(self) -> None:
        deciding.decide_batch(self.now, most_slots=64)
        fresh = Message.objects.filter(state=State.QUEUED).exclude(id__in=self.out).order_by("id")
        let_out = {}
        for one in fresh:
            person = next(place for place, own in enumerate(self.contacts) if own.id == one.contact_id)
            let_out[one.id] = Place(person, one.channel, self.tags[one.content[one.channel]])
            assert set(filter(None, one.tags.split(","))) == let_out[one.id].tags
        self.out |= let_out
        for place in let_out.values():
            assert not self._forbidden(place)
            for cap in self.ruling.get("caps", ()):
                assert not self._concerned(cap, place) or self._taken(cap, place) <= cap["limit"], cap

    @rule(outcome=st.sampled_from([State.ACCEPTED, State.ACCEPTED, State.REJECTED, State.QUEUED]))
    def leave(self, outcome: State) -> None:
        """Everything that is due is claimed, asked about once more, and accepted, refused or tried later."""
        due = list(Message.objects.filter(state=State.QUEUED, due_at__lte=self.now))
        deliver(due, self.now, lambda _message: outcome)
        for one in Message.objects.filter(id__in=[message.id for message in due]):
            if one.state == State.ACCEPTED:
                self.out[one.id].left = self.now
                assert not self._forbidden(self.out[one.id])
            elif one.state != State.QUEUED:
                # Refused, or turned back: it gives its place back.
                del self.out[one.id]

    @invariant()
    def every_place_is_a_message(self) -> None:
        waiting = Message.objects.filter(state=State.QUEUED).values_list("id", flat=True)
        assert set(waiting) == {number for number, place in self.out.items() if place.left is None}

    def _change(self, person: int, **values: Any) -> None:
        Contact.objects.filter(pk=self.contacts[person].pk).update(**values)

    def _forbidden(self, place: Place) -> bool:
        """Whether the law of France keeps a text from leaving now, as it is written in the newspaper."""
        if not self.ruling.get("laws") or place.channel != "sms" or not self.french[place.person]:
            return False
        local = self.now.astimezone(PARIS)
        return not 8 <= local.hour < 20 or local.weekday() == 6 or local.date() in HOLIDAYS

    def _concerned(self, cap: dict[str, Any], place: Place) -> bool:
        return self._counts(cap, place) and self.bands[place.person] in cap.get("bands", self.bands)

    @staticmethod
    def _counts(cap: dict[str, Any], place: Place) -> bool:
        by_channel = place.channel in cap.get("channels", [place.channel])
        return by_channel and ("tags" not in cap or not place.tags.isdisjoint(cap["tags"]))

    def _taken(self, cap: dict[str, Any], this: Place) -> int:
        times = [
            one.left or self.now
            for one in self.out.values()
            if one.person == this.person and self._counts(cap, one)
        ]
        if "calendar" in cap:
            return sum(at.date() == self.now.date() for at in times)
        days = int(cap["rolling"].split()[0])
        return sum(at > self.now - days * DAY for at in times)


@pytest.mark.django_db
def test_charters_tags_bands_and_places_change_and_no_rule_of_the_moment_is_broken() -> None:
    run_state_machine_as_test(
        CharterMachine, settings=machine_settings(max_examples=12 * TIMES, stateful_step_count=30)
    )


@pytest.mark.django_db
def test_nor_in_long_walks_by_dice(seed: int) -> None:
    """Longer and more varied than what Hypothesis tries first; the same rules, the same model."""
    dice, let_out = random.Random(seed), 0
    for _walk in range(12 * TIMES):
        machine = CharterMachine()
        machine.begin()
        for _step in range(40):
            _step_of(machine, dice)
            machine.every_place_is_a_message()
        let_out += len(machine.out)
        machine.teardown()
    assert let_out > 40 * TIMES


def _step_of(machine: CharterMachine, dice: random.Random) -> None:
    person, then = dice.randrange(3), dice.choice([["decide", "leave"], ["decide"], ["leave"], []])
    match dice.choice(["wish", "wish", "wish", "wait", "wait", "publish", "retag", "react", "move", "leave"]):
        case "wish":
            wanted = dice.choice([("email",), ("sms",), ("sms", "email")])
            machine.wish(person, wanted, dice.choice(["spring", "story"]), dice.randint(1, 3), then)
        case "wait":
            machine.wait(dice.choice([1, 2, 3, 9, 17, 30]), then)
        case "publish":
            machine.publish(dice.randrange(len(CHARTERS)))
        case "retag":
            machine.retag(dice.choice(["spring", "story"]), dice.choice([(), ("promo",), ("sale", "promo")]))
        case "react":
            machine.react(person, dice.choice(["low", "medium", "high"]))
        case "move":
            machine.move(person, dice.choice(["FR", "DE"]), dice.random() < 0.5)
        case _:
            machine.leave(dice.choice([State.ACCEPTED, State.REJECTED, State.QUEUED]))
