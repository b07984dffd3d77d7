"""From JSON to conditions on what happened: events and messages, how often, when, and what came after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contacts import rules_values as values
from contacts.rules_reading_tests import property_tests
from contacts.rules_tree import (
    AT_LEAST_ONCE,
    Follow,
    Happened,
    Messaged,
    Periods,
    Range,
    RuleError,
    Test,
    filters_as_tests,
)
from contacts.rules_values import under
from contacts.rules_vocabulary import MESSAGE_EVENTS, MESSAGE_FILTERS, PICKS, TOTALS

WINDOW = ("within", "after", "before")
_THEN = ("then", "then_not")
_MOST_FOLLOWS = 5
_MOST_PERIODS = 60


def event(data: Mapping[str, Any], path: str, *, in_journey: bool) -> Happened:
    allowed = ("count", *TOTALS, "where", "pick", "among", "per", *_THEN, *WINDOW)
    values.fields(data, path, ("event",), allowed)
    name = values.text(data["event"], under(path, "event"))
    amount, measure, total = _amount(data, path)
    pick = data.get("pick")
    if pick is not None:
        values.choice(pick, under(path, "pick"), PICKS)
        _alone(data, path, "pick", ("count", *TOTALS, "per"))
    if data.get("among") is not None and pick is None:
        raise RuleError(under(path, "among"), "say with pick whether the first or the last of them is meant")
    return Happened(
        name,
        amount,
        total,
        values.window(data, path, in_journey=in_journey),
        property_tests(data.get("where"), under(path, "where")),
        measure=measure,
        pick=pick,
        among=property_tests(data.get("among"), under(path, "among")),
        then=_then(data, path, 1),
        periods=_periods(data, path),
    )


def message(data: Mapping[str, Any], path: str, *, in_journey: bool) -> Messaged:
    values.fields(data, path, ("message",), ("count", "per", *MESSAGE_FILTERS, *_THEN, *WINDOW))
    state = values.choice(data["message"], under(path, "message"), MESSAGE_EVENTS)
    window = values.window(data, path, in_journey=in_journey)
    amount, _measure, _total = _amount(data, path)
    return Messaged(state, _filters(data, path), amount, window, _then(data, path, 1), _periods(data, path))


def _filters(data: Mapping[str, Any], path: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (key, values.text(data[key], under(path, key)))
        for key in MESSAGE_FILTERS
        if data.get(key) is not None
    )


def _alone(data: Mapping[str, Any], path: str, key: str, others: tuple[str, ...]) -> None:
    for other in others:
        if data.get(other) is not None:
            raise RuleError(under(path, other), f"has no meaning beside {key}")


def _amount(data: Mapping[str, Any], path: str) -> tuple[Range, str, tuple[str, ...] | None]:
    asked = [key for key in ("count", *TOTALS) if data.get(key) is not None]
    if not asked:
        return AT_LEAST_ONCE, "sum", None
    if len(asked) > 1:
        raise RuleError(under(path, asked[1]), f"ask for {asked[0]} or for {asked[1]}, not for both")
    (key,) = asked
    place = under(path, key)
    if key == "count":
        return values.amount(data[key], place, counted=True), "sum", None
    given = values.fields(data[key], place, ("property",), ("gte", "lte"))
    total = values.key_path(given["property"], under(place, "property"))
    bounds = {name: given[name] for name in given if name != "property"}
    return values.amount(bounds, place, counted=False), key, total


def _then(data: Mapping[str, Any], path: str, depth: int) -> Follow | None:
    asked = [key for key in _THEN if data.get(key) is not None]
    if not asked:
        return None
    if len(asked) > 1:
        raise RuleError(under(path, asked[1]), "ask for then or for then_not, not for both")
    place = under(path, asked[0])
    if depth > _MOST_FOLLOWS:
        raise RuleError(place, f"at most {_MOST_FOLLOWS} events can be asked to follow each other")
    given = data[asked[0]]
    wanted = asked[0] == "then"
    where: tuple[Test, ...]
    more = _THEN if wanted else ()
    if isinstance(given, Mapping) and "message" in given:
        values.fields(given, place, ("message",), (*MESSAGE_FILTERS, "within", "same", *more))
        state = values.choice(given["message"], under(place, "message"), MESSAGE_EVENTS)
        name, where, own = MESSAGE_EVENTS[state], filters_as_tests(_filters(given, place)), True
    else:
        values.fields(given, place, ("event",), ("where", "within", "same", *more))
        name, own = values.text(given["event"], under(place, "event")), False
        where = property_tests(given.get("where"), under(place, "where"))
    within = given.get("within")
    return Follow(
        name,
        wanted,
        None if within is None else values.fixed_length(within, under(place, "within")),
        where,
        _same(given, place),
        _then(given, place, depth + 1),
        own,
    )


def _same(given: Mapping[str, Any], path: str) -> tuple[tuple[str, ...], ...]:
    same = given.get("same")
    if same is None:
        return ()
    place = under(path, "same")
    if isinstance(same, str):
        return (values.key_path(same, place),)
    if not isinstance(same, list) or not 1 <= len(same) <= 5:
        raise RuleError(place, "the name of a property, or a list of 1 to 5, is needed here")
    return tuple(values.key_path(name, under(place, index)) for index, name in enumerate(same))


def _periods(data: Mapping[str, Any], path: str) -> Periods | None:
    if data.get("per") is None:
        return None
    _alone(data, path, "per", WINDOW)
    place = under(path, "per")
    given = values.fields(data["per"], place, ("period", "last"), ("at_least",))
    last = values.whole(given["last"], under(place, "last"), least=1, most=_MOST_PERIODS)
    least = values.whole(given.get("at_least", last), under(place, "at_least"), least=1, most=last)
    return Periods(values.length(given["period"], under(place, "period")), last, least)
