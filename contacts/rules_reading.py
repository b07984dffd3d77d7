"""From JSON to a rule: every condition checked, every error with the path to its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contacts import rules_values as values
from contacts.rules_tree import (
    AT_LEAST_ONCE,
    CONSENT_STATES,
    MESSAGE_EVENTS,
    MESSAGE_FILTERS,
    MOST_CONDITIONS,
    MOST_DEPTH,
    NUMBER_OPS,
    OPERATORS,
    PRESENCE,
    SAMENESS,
    AllOf,
    AnyOf,
    Attribute,
    Consented,
    Everyone,
    Happened,
    InSegment,
    Messaged,
    Not,
    Predicted,
    Range,
    Reachable,
    Rule,
    RuleError,
    Where,
)
from contacts.rules_values import under

_WINDOW = ("within", "after", "before")


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
        values.fields(data, path, ("attribute",), ("op", "value"))
        name = values.text(data["attribute"], under(path, "attribute"))
        test = values.test(data, path, values.column_operators(name))
        values.check_column(name, test, path)
        return Attribute(name, test)

    def _event(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("event",), ("count", "sum", "where", *_WINDOW))
        name = values.text(data["event"], under(path, "event"))
        amount, total = self._count(data, path), None
        if data.get("sum") is not None:
            place = under(path, "sum")
            if data.get("count") is not None:
                raise RuleError(place, "ask for a count or for a sum, not for both")
            given = values.fields(data["sum"], place, ("property",), ("gte", "lte"))
            total = values.key_path(given["property"], under(place, "property"))
            bounds = {key: given[key] for key in given if key != "property"}
            amount = values.amount(bounds, place, counted=False)
        where = data.get("where") or []
        if not isinstance(where, list) or len(where) > 20:
            raise RuleError(under(path, "where"), "a list of at most 20 tests is needed here")
        return Happened(
            name,
            amount,
            total,
            values.window(data, path, in_journey=self._in_journey),
            tuple(where_from(part, under(under(path, "where"), index)) for index, part in enumerate(where)),
        )

    def _message(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("message",), ("count", *MESSAGE_FILTERS, *_WINDOW))
        state = values.choice(data["message"], under(path, "message"), MESSAGE_EVENTS)
        filters = tuple(
            (key, values.text(data[key], under(path, key)))
            for key in MESSAGE_FILTERS
            if data.get(key) is not None
        )
        window = values.window(data, path, in_journey=self._in_journey)
        return Messaged(state, filters, self._count(data, path), window)

    def _consent(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("consent",), ("state",))
        place = under(path, "consent")
        given = values.fields(data["consent"], place, ("channel", "purpose"))
        return Consented(
            values.text(given["channel"], under(place, "channel")),
            values.text(given["purpose"], under(place, "purpose")),
            values.choice(data.get("state", "allowed"), under(path, "state"), CONSENT_STATES),
        )

    def _segment(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("segment",), ("member",))
        slug = values.text(data["segment"], under(path, "segment"))
        return InSegment(slug, values.flag(data.get("member", True), under(path, "member")))

    def _prediction(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("prediction",), ("op", "value"))
        name = values.text(data["prediction"], under(path, "prediction"))
        return Predicted(name, values.test(data, path, (*SAMENESS, *NUMBER_OPS, *PRESENCE)))

    def _address(self, data: Mapping[str, Any], path: str) -> Rule:
        values.fields(data, path, ("address",), ("reachable",))
        channel = values.text(data["address"], under(path, "address"))
        return Reachable(channel, values.flag(data.get("reachable", True), under(path, "reachable")))

    @staticmethod
    def _count(data: Mapping[str, Any], path: str) -> Range:
        if data.get("count") is None:
            return AT_LEAST_ONCE
        return values.amount(data["count"], under(path, "count"), counted=True)


def where_from(data: Any, path: str) -> Where:
    """One property test of an event."""
    given = values.fields(data, path, ("property",), ("op", "value"))
    key = values.key_path(given["property"], under(path, "property"))
    return Where(key, values.test(given, path, OPERATORS))
