"""How much pressure one person is under: what each cap has counted, and when each channel is free again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from channels import charter_words, deciding_facts, deciding_people, explaining, policy_pressure, policy_time
from channels.charter_rules import Cap
from channels.policy_facts import Candidate, Facts

#: A person's own maximum counts on every channel by which people are written to.
_EMAIL = ("email", "")


@dataclass(frozen=True, slots=True)
class CapNow:
    """One cap of the charter in words, with what it has counted in its window of now."""

    words: str
    taken: int
    limit: int

    @property
    def tone(self) -> str:
        return "bad" if self.taken >= self.limit else "warn" if self.taken + 1 == self.limit else "good"


@dataclass(frozen=True, slots=True)
class Free:
    """When a marketing message may leave on a channel: now, at ``at``, or (None) never. Consent apart."""

    channel: str
    now: bool
    at: datetime | None
    because: str = ""

    @property
    def label(self) -> str:
        name = explaining.channel_name(self.channel)
        return name[:1].upper() + name[1:]


@dataclass(frozen=True, slots=True)
class Standing:
    charter_number: int | None
    caps: Sequence[CapNow]
    free: Sequence[Free]


def standing(contact_id: int, now: datetime) -> Standing | None:
    """What the policy would say about time; None for a contact that is gone. Some eight statements."""
    around = deciding_facts.surroundings(now)
    charter = around.charter
    person = deciding_people.people([contact_id], charter, now).get(contact_id)
    if person is None:
        return None
    history = deciding_facts.histories([contact_id], now, now - max(charter.reach, policy_pressure.OWN_WEEK))[
        contact_id
    ]

    def facts(channel: str, purpose: str) -> Facts:
        candidate = Candidate(0, purpose, (channel,), now)
        return Facts(now, candidate, person, charter, around.paused, tuple(history.touches))

    taken: dict[int, int] = {}
    own: list[CapNow] = []
    for cap in charter.caps:
        channel, purpose = _example(cap, charter.order)
        for name, _rule, inputs in policy_pressure.timed_rules(facts(channel, purpose), channel):
            if name == "cap":
                taken[inputs["rule"]] = inputs["taken"]
    for name, _rule, inputs in policy_pressure.timed_rules(facts(*_EMAIL), _EMAIL[0]):
        if name == "own_cap":
            own = [CapNow(_("Their own maximum in 7 days."), inputs["taken"], inputs["limit"])]
    return Standing(
        charter.number,
        [
            CapNow(charter_words.cap(one), taken.get(position, 0), one.limit)
            for position, one in enumerate(charter.caps)
        ]
        + own,
        [_free(facts(channel, ""), channel) for channel in charter.order],
    )


def _example(cap: Cap, channels: Sequence[str]) -> tuple[str, str]:
    """A channel and a purpose that the cap is about."""
    return min(cap.channels, default=channels[0] if channels else ""), min(cap.purposes, default="")


def _free(facts: Facts, channel: str) -> Free:
    rules = policy_pressure.timed_rules(facts, channel)
    until = policy_time.agree(facts.now, [rule for _name, rule, _inputs in rules])
    held = next((name for name, rule, _inputs in rules if rule(facts.now) != facts.now), "")
    return Free(channel, until == facts.now, until, explaining.rule_name(held) if held else "")
