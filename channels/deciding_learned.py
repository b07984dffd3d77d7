"""What was learned about people, added to them for a decision: one statement, where it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from channels import smart
from channels.charter_parts import Charter
from channels.policy_facts import Person
from channels.smart import ALWAYS, Learned
from contacts.models import Prediction


class Asking(Protocol):
    """The part of a message that says whether something is chosen for its person."""

    @property
    def smart_channel(self) -> bool: ...
    @property
    def best_by(self) -> datetime | None: ...


def wanted(rules: Charter, messages: Iterable[Asking]) -> bool:
    """Whether anything is chosen for anybody, by the charter or by one of the messages."""
    if ALWAYS in (rules.smart.channel, rules.smart.hour):
        return True
    return any(one.smart_channel or one.best_by is not None for one in messages)


def add(people: dict[int, Person]) -> None:
    """Let the people carry what was learned about them."""
    names = (smart.CHANNELS, smart.HOURS)
    found = Prediction.objects.filter(contact_id__in=list(people), name__in=names)
    for contact_id, name, value in found.values_list("contact_id", "name", "value"):
        person = people[contact_id]
        if name == smart.CHANNELS:
            learned = Learned(smart.scores_from(value), person.learned.hours)
        else:
            learned = Learned(person.learned.scores, smart.hours_from(value))
        people[contact_id] = replace(person, learned=learned)
