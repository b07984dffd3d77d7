"""The condition language: one JSON grammar for segments, triggers, branches, goals, exits and exclusions.

``parse`` checks it and gives frozen values; ``explain`` says it in words; ``contacts.rules_sql`` is the
one evaluator. Nothing in a rule is ever code: names and values travel to the database as parameters.
"""

from __future__ import annotations

from typing import Any

from contacts.rules_reading import Reading
from contacts.rules_reading_tests import property_tests
from contacts.rules_tree import (
    Attribute,
    Consented,
    Happened,
    InSegment,
    Messaged,
    Reachable,
    Rule,
    RuleError,
    Test,
    Where,
    leaves,
)
from contacts.rules_words import explain

__all__ = [
    "PROFILE_EVENTS",
    "Rule",
    "RuleError",
    "Test",
    "Where",
    "event_names",
    "explain",
    "parse",
    "parse_where",
    "segments",
]

#: Events after which any answer may differ: the profile changed, or history moved to another contact.
PROFILE_EVENTS = frozenset({"Identified", "Aliased", "Contact Created"})
_CONSENT_EVENTS = frozenset({"Consent Given", "Consent Withdrawn"})
_SEGMENT_EVENTS = frozenset({"Segment Entered", "Segment Left"})
_ADDRESS_EVENTS = frozenset(
    {"Message Bounced", "Message Complained", "Message Unsubscribed", "Address Allowed"}
)


def parse(data: Any, *, in_journey: bool = True) -> Rule:
    """The rule written in ``data`` (decoded JSON); raises ``RuleError`` with the path of the first fault.

    With ``in_journey=False``, windows since a journey's entry or step are faults too.
    """
    return Reading(in_journey=in_journey).rule(data)


def parse_where(data: Any, path: str = "where") -> tuple[Test, ...]:
    """Property tests alone, as a trigger has them; errors name the place below ``path``."""
    return property_tests(data, path)


def event_names(rule: Rule) -> frozenset[str]:
    """Names of the log's events after which the answer for a contact may differ."""
    names: set[str] = set()
    for leaf in leaves(rule):
        match leaf:
            case Happened():
                names.update(leaf.names)
            case Messaged():
                names.update(leaf.as_event().names)
            case Consented():
                names |= _CONSENT_EVENTS
            case InSegment():
                names |= _SEGMENT_EVENTS
            case Reachable():
                names |= PROFILE_EVENTS | _ADDRESS_EVENTS
            case Attribute():
                names |= PROFILE_EVENTS
            case _:
                pass
    return frozenset(names)


def segments(rule: Rule) -> frozenset[str]:
    """Slugs of the segments that the rule asks about."""
    return frozenset(leaf.slug for leaf in leaves(rule) if isinstance(leaf, InSegment))
