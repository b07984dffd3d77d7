"""Following events and the clock gives the same members as computing every segment anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from contacts import consent, event_log, merging, profile_rows, rules, segments, slots, unmerging
from contacts.consent import NewConsent
from contacts.event_log import NewEvent
from contacts.models import ChannelAddress, Contact, Merge, Prediction, Segment
from contacts.rules_sql import matching
from tests.contacts.test_rules_against_model import COUNTS, KEYS, LENGTHS, PROPERTIES, RULES, VALUES
from tests.examples import examples
from tests.factories import NOON

# Few people and few names, so that acts and rules often meet.
WHO = st.integers(1, 2)
NAMES = st.sampled_from(["Order Completed", "Order Completed", "Message Opened"])
# Nothing within the minute ahead: the follower takes that for skew between clocks.
DATED = st.sampled_from([timedelta(minutes=m) for m in (0, 0, -1, -61, -1441, -43000, 2, 90, 3000)])
CLOCK = st.sampled_from(
    [timedelta(minutes=m) for m in (1, 59, 61, 1440, 2880, 43200, -61, -2880)] + [timedelta(seconds=1)]
)
HAPPENING = st.tuples(st.just("event"), WHO, NAMES, DATED, PROPERTIES)
ACT = st.one_of(
    HAPPENING,
    HAPPENING,
    HAPPENING,
    st.tuples(st.just("trait"), WHO, KEYS, VALUES),
    st.tuples(
        st.just("consent"),
        WHO,
        st.sampled_from(["offers", "news", "*"]),
        st.booleans(),
        st.sampled_from([None, timedelta(minutes=61), timedelta(days=1)]),
    ),
    st.tuples(st.just("list"), WHO, st.booleans()),
    st.tuples(st.just("merge")),
    st.tuples(st.just("part")),
    st.tuples(st.just("predict"), WHO, st.sampled_from([0.0, 5.0, 7.5])),
    st.tuples(st.just("address"), WHO, st.booleans()),
)
#: Something is done, then the clock may move.
ACTS = st.lists(
    st.tuples(ACT, st.one_of(st.none(), CLOCK.map(lambda step: ("clock", step)))), min_size=2, max_size=5
).map(lambda pairs: [act for pair in pairs for act in pair if act])


def usable(rule: Any) -> bool:
    try:
        rules.parse(rule, in_journey=False)
    except rules.RuleError:
        return False
    return True


EVENTS = st.builds(
    lambda name, count, within: {"event": name, "count": count, "within": within},
    NAMES,
    COUNTS,
    LENGTHS | LENGTHS | st.none(),
)
PLAIN = st.one_of(
    EVENTS,
    EVENTS.map(lambda rule: {"not": rule}),
    st.lists(EVENTS, min_size=2, max_size=2).map(lambda parts: {"any": parts}),
)
INNER = st.one_of(PLAIN, RULES.filter(usable).filter(lambda rule: not rules.segments(rules.parse(rule))))
OUTER = st.one_of(
    PLAIN.map(lambda rule: {"all": [{"segment": "vip"}, rule]}),
    LENGTHS.map(lambda length: {"any": [{"segment": "friends", "before": length}, {"segment": "vip"}]}),
    LENGTHS.map(lambda length: {"segment": "vip", "within": length}),
    PLAIN,
    RULES.filter(usable),
)


class World:
    """A small installation with a clock of its own."""

    def __init__(self) -> None:
        self.now = NOON
        self.acts: dict[str, Callable[..., None]] = {
            "event": self.event,
            "trait": self.trait,
            "consent": self.consent,
            "predict": self.predict,
            "address": self.address,
            "clock": self.clock,
            "list": self.list,
            "merge": self.merge,
            "part": self.part,
        }

    def begin(self, inner: Any, outer: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE contacts_event, contacts_contact, contacts_segment, contacts_segmentmembership,"
                " contacts_cursor, contacts_consententry, contacts_consentstate, contacts_prediction,"
                " contacts_channeladdress, contacts_suppression, contacts_merge CASCADE"
            )
        for name, slug, rule in (("b", "vip", inner), ("a", "outer", outer)):
            Segment.objects.create(name=name, slug=slug, rule=rule)
        Segment.objects.create(name="c", slug="friends", kind="static")
        segments.ensure_current(self.now)
        for number in (1, 2):
            Contact.objects.create(
                id=number, slot=slots.of(number), first_seen_at=NOON, last_seen_at=NOON, updated_at=NOON
            )
            self.log(number, "Contact Created", self.now)

    def log(self, who: int, name: str, at: datetime, properties: dict[str, Any] | None = None) -> None:
        event_log.append([NewEvent(who, name, at, self.now, properties=properties or {})])

    def event(self, who: int, name: str, dated: timedelta, properties: dict[str, Any]) -> None:
        at = self.now + dated
        self.log(who, name, at, properties)
        Contact.objects.filter(id=who, last_seen_at__lt=at).update(last_seen_at=at)

    def trait(self, who: int, key: str, value: Any) -> None:
        contact = Contact.objects.get(id=who)
        contact.attributes[key] = value
        contact.save()
        self.log(who, "Identified", self.now)

    def consent(self, who: int, purpose: str, given_: bool, ends: timedelta | None) -> None:
        until = self.now + ends if ends and given_ else None
        consent.record([NewConsent(who, "email", purpose, given_, "test", expires_at=until)], self.now)

    def list(self, who: int, kept: bool) -> None:
        act = segments.add if kept else segments.remove
        act(Segment.objects.get(slug="friends"), [who], self.now)

    def merge(self) -> None:
        """As ingest does when an event carries identifiers of both."""
        with transaction.atomic():
            before = profile_rows.load([1, 2])
            if len(before) < 2:
                return
            merging.merge({2: 1}, before, self.now)
            before[1].absorb(before[2])
            profile_rows.save([before[1]])
            self.log(1, "Page Viewed", self.now)
        segments.tick(self.now)

    def part(self) -> None:
        for merge in Merge.objects.filter(undone_at=None):
            unmerging.undo(merge.pk, self.now)
        segments.tick(self.now)

    def predict(self, who: int, number: float) -> None:
        Prediction.objects.update_or_create(
            pk=(who, "churn"), defaults={"slot": slots.of(who), "number": number, "computed_at": self.now}
        )
        segments.tick(self.now)

    def address(self, who: int, kept: bool) -> None:
        address = f"https://push.example/{who}"
        if kept:
            ChannelAddress.objects.get_or_create(
                channel="push",
                address=address,
                defaults={"contact_id": who, "slot": slots.of(who), "created_at": self.now},
            )
        elif not consent.allow_again([("push", address)], self.now):
            consent.suppress([("push", address)], "manual", self.now)
        segments.tick(self.now)

    def clock(self, step: timedelta) -> None:
        self.now += step
        segments.tick(self.now)

    def settle(self) -> None:
        while segments.follow(self.now):
            pass


@pytest.mark.django_db(transaction=True)
@examples(20)
@given(inner=INNER, outer=OUTER, acts=ACTS)
def test_following_equals_computing_anew_at_every_step(
    inner: Any, outer: Any, acts: list[tuple[Any, ...]]
) -> None:
    world = World()
    world.begin(inner, outer)
    for act, *details in acts:
        if details and isinstance(details[0], int) and not Contact.objects.filter(id=details[0]).exists():
            continue  # Merged into the other.
        world.acts[act](*details)
        world.settle()
        for segment in Segment.objects.filter(kind="dynamic"):
            rule = rules.parse(segment.rule)
            expected = set(matching(rule, as_of=world.now).values_list("id", flat=True))
            assert set(segment.memberships.values_list("contact_id", flat=True)) == expected, segment.slug
            assert segment.size == len(expected)
