"""From JSON to a rule: every condition checked, every error with the path to its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contacts import rules_reading_events, rules_reading_tests
from contacts import rules_values as values
from contacts.rules_reading_events import WINDOW
from contacts.rules_tree import (
    AllOf,
    AnyOf,
    Attribute,
    Consented,
    Everyone,
    InSegment,
    Not,
    Predicted,
    Reachable,
    Rule,
    RuleError,
    Window,
)
from contacts.rules_values import under
from contacts.rules_vocabulary import (
    COLUMNS,
    CONSENT_STATES,
    INFERRED_COLUMNS,
    MOST_CONDITIONS,
    MOST_DEPTH,
    ORIGINS,
    PREDICTION_OPS,
)


class Reading:
    """One reading of one rule; counts its conditions."""

    def __init__(self, *, in_journey: bool) -> None:
        self._in_journey = in_journey
        self._conditions = 0
        self.kinds: dict[str, Callable[[Mapping[str, Any], str], Rule]] = {
            "attribute": self._attribute,
            "event": self._event,
            "message": self._message,
            "consent": self._consent,
            "segment": self._segment,
            "prediction": self._prediction,
            "address": self._address,
        }

    def rule(self, data: Any, path: str = "", depth: int = 1) -> Rule:
        if not isinstance(data, Mapping):
            raise RuleError(path, "a condition in braces is needed here")
        if depth > MOST_DEPTH:
            raise RuleError(path, f"conditions can be nested {MOST_DEPTH} deep at most")
        if not data:
            return Everyone()
        for key, group in (("all", AllOf), ("any", AnyOf)):
            if key in data:
                return self._group(group, values.fields(data, path, (key,))[key], under(path, key), depth)
        if "not" in data:
            inner = values.fields(data, path, ("not",))["not"]
            return Not(self.rule(inner, under(path, "not"), depth + 1))
        for kind, read in self.kinds.items():
            if kind in data:
                self._conditions += 1
                if self._conditions > MOST_CONDITIONS:
                    raise RuleError(path, f"a rule has {MOST_CONDITIONS} conditions at most")
                return read(data, path)
        known = ", ".join(("all", "any", "not", *self.kinds))
        raise RuleError(under(path, str(next(iter(data)))[:60]), f"unknown condition; known: {known}")

    def _group(self, group: type[AllOf | AnyOf], data: Any, path: str, depth: int) -> Rule:
        if not isinstance(data, list) or not data:
            raise RuleError(path, "a list of at least one condition is needed here")
        if len(data) > MOST_CONDITIONS:
            raise RuleError(path, f"a rule has {MOST_CONDITIONS} conditions at most")
        return group(tuple(self.rule(part, under(path, index), depth + 1) for index, part in enumerate(data)))

    def _attribute(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("attribute",), ("op", "value", "type", "origin"))
        name = values.text(data["attribute"], under(path, "attribute"))
        test = rules_reading_tests.test(data, path, rules_reading_tests.column_operators(name))
        rules_reading_tests.check_column(name, test, path)
        origin = values.choice(data.get("origin", "either"), under(path, "origin"), ORIGINS)
        if origin == "inferred" and name in COLUMNS - INFERRED_COLUMNS:
            raise RuleError(under(path, "origin"), f"{name} is never inferred")
        return Attribute(name, test, origin)

    def _event(self, data: Mapping[str, Any], path: str) -> Rule:
        return rules_reading_events.event(data, path, in_journey=self._in_journey)

    def _message(self, data: Mapping[str, Any], path: str) -> Rule:
        return rules_reading_events.message(data, path, in_journey=self._in_journey)

    def _consent(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("consent",), ("state", "expires_within"))
        place = under(path, "consent")
        given = values.fields(data["consent"], place, ("channel", "purpose"))
        state = values.choice(data.get("state", "allowed"), under(path, "state"), CONSENT_STATES)
        expires = data.get("expires_within")
        if expires is not None and state != "allowed":
            raise RuleError(under(path, "expires_within"), "only what is allowed can expire")
        return Consented(
            values.text(given["channel"], under(place, "channel")),
            values.text(given["purpose"], under(place, "purpose")),
            state,
            None if expires is None else values.length(expires, under(path, "expires_within")),
        )

    def _segment(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("segment",), ("member", *WINDOW))
        slug = values.text(data["segment"], under(path, "segment"))
        member = values.flag(data.get("member", True), under(path, "member"))
        window = values.window(data, path, in_journey=self._in_journey)
        if not member and window != Window():
            raise RuleError(under(path, "member"), "only who is in a segment entered it at some time")
        return InSegment(slug, member, window)

    def _prediction(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("prediction",), ("op", "value"))
        name = values.text(data["prediction"], under(path, "prediction"))
        test = rules_reading_tests.test(data, path, PREDICTION_OPS)
        if test.op == "between":
            rules_reading_tests.check_between("number", test, under(path, "value"))
        return Predicted(name, test)

    def _address(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("address",), ("reachable",))
        channel = values.text(data["address"], under(path, "address"))
        return Reachable(channel, values.flag(data.get("reachable", True), under(path, "reachable")))
