"""From JSON to tests: one value of an attribute, a property or a prediction against an operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from contacts import rules_values as values
from contacts.rules_length import Months
from contacts.rules_tree import (
    Check,
    RuleError,
    Test,
    Value,
    Where,
    WhereAll,
    WhereAny,
    WhereNot,
    is_time,
    wheres,
)
from contacts.rules_values import under
from contacts.rules_vocabulary import (
    FLAG_COLUMNS,
    LIST_OPS,
    NUMBER_OPS,
    OPERATORS,
    PRESENCE,
    SAMENESS,
    TEXT_COLUMNS,
    TEXT_OPS,
    TIME_COLUMNS,
    TYPES,
)

_MOST_VALUES = 1000
_MOST_TESTS = 20
_MOST_DEPTH = 5
_TODAY = "today"
_LONGEST_ANNIVERSARY = timedelta(days=360)


def test(data: Mapping[str, Any], path: str, allowed: Iterable[str]) -> Check:
    """The ``op``, ``value`` and ``type`` of a condition, checked against each other."""
    place = under(path, "value")
    known = list(allowed)
    if (kind := data.get("type")) is not None:
        of_type = TYPES[values.choice(kind, under(path, "type"), TYPES)]
        known = [op for op in known if op in of_type]
    op = values.choice(data.get("op", "is"), under(path, "op"), known)
    if op in PRESENCE:
        if data.get("value") is not None:
            raise RuleError(place, f'"{op}" takes no value')
        return Check(op)
    if "value" not in data:
        raise RuleError(place, "is missing")
    found = Check(op, _value(op, data["value"], place))
    if kind is not None and op in SAMENESS:
        _check_type(kind, found, place)
    if op == "between":
        check_between(kind, found, place)
    return found


def _value(op: str, value: Any, place: str) -> Value:
    if op in ("in", "not_in", *LIST_OPS):
        if not isinstance(value, list) or not 1 <= len(value) <= _MOST_VALUES:
            raise RuleError(place, f"a list of 1 to {_MOST_VALUES} values is needed here")
        return tuple(values.scalar(item, under(place, index)) for index, item in enumerate(value))
    if op in SAMENESS:
        return values.scalar(value, place)
    if op in TEXT_OPS:
        return values.text(value, place)
    if op == "between":
        return _between(value, place)
    if op in NUMBER_OPS:
        return values.number(value, place)
    if op == "within_days":
        return values.whole(value, place, least=1, most=36_500)
    return _moment(op, value, place)


def _moment(op: str, value: Any, place: str) -> Value:
    """What a test of time compares with: a date or a length; of whole days where days are compared."""
    if op in ("before", "after"):
        return values.instant_or_offset(value, place, forward=True)
    if op == "within":
        return values.offset(value, place)
    if op == "anniversary_within":
        length = values.offset(value, place)
        if isinstance(length, Months) or length % timedelta(days=1) or abs(length) > _LONGEST_ANNIVERSARY:
            raise RuleError(place, 'write a length of 1 to 360 days, such as "in 7 days"')
        return length
    if value == _TODAY:
        return timedelta()
    found = (
        values.offset(value, place)
        if op == "anniversary_on"
        else values.instant_or_offset(value, place, forward=True)
    )
    if isinstance(found, timedelta) and found % timedelta(days=1):
        raise RuleError(place, "whole days are needed here")
    return found


def _between(value: Any, place: str) -> Value:
    if not isinstance(value, list) or len(value) != 2:
        raise RuleError(place, "a list of two numbers or two dates is needed here")
    if all(isinstance(item, str) for item in value):
        first, last = (values.instant(item, under(place, index)) for index, item in enumerate(value))
        if first >= last:
            raise RuleError(place, "the second date must be later than the first")
        return (first, last)
    low, high = (values.number(item, under(place, index)) for index, item in enumerate(value))
    if low > high:
        raise RuleError(place, "the second number must be as high as the first")
    return (low, high)


def _check_type(kind: str, found: Check, place: str) -> None:
    given = found.value if isinstance(found.value, tuple) else (found.value,)
    fits = {"text": str, "number": Decimal, "boolean": bool}[kind]
    for index, item in enumerate(given):
        if not isinstance(item, fits):
            where = under(place, index) if isinstance(found.value, tuple) else place
            raise RuleError(where, f"a {kind} is needed here")


def check_between(kind: str | None, found: Check, place: str) -> None:
    """Between two dates, or between two numbers, where ``kind`` says which."""
    if kind is not None and (kind == "date") != is_time(found):
        raise RuleError(place, f"a list of two {kind}s is needed here")


def column_operators(name: str) -> tuple[str, ...]:
    """The operators that make sense for a contact's attribute: all, unless a column has one type."""
    if name in TEXT_COLUMNS:
        return TYPES["text"]
    if name in TIME_COLUMNS:
        return TYPES["date"]
    if name in FLAG_COLUMNS:
        return ("is", "is_not")
    return OPERATORS


def check_column(name: str, found: Check, path: str) -> None:
    """A column of text is compared with texts, a flag with true or false."""
    given = found.value if isinstance(found.value, tuple) else (found.value,)
    if name in TEXT_COLUMNS and found.op in SAMENESS and not all(isinstance(value, str) for value in given):
        raise RuleError(under(path, "value"), f"{name} is a text")
    if name in FLAG_COLUMNS and not isinstance(found.value, bool):
        raise RuleError(under(path, "value"), f"{name} is true or false")
    if name in TIME_COLUMNS and found.op == "between":
        check_between("date", found, under(path, "value"))


def property_tests(data: Any, path: str) -> tuple[Test, ...]:
    """Tests of one event's properties: a list, which all must pass, or ``all``, ``any``, ``not`` of them."""
    if data is None:
        return ()
    if isinstance(data, list):
        if len(data) > _MOST_TESTS:
            raise RuleError(path, f"a list of at most {_MOST_TESTS} tests is needed here")
        found = tuple(_property_test(part, under(path, index), 1) for index, part in enumerate(data))
    elif isinstance(data, Mapping):
        found = (_property_test(data, path, 1),)
    else:
        raise RuleError(path, f"a list of at most {_MOST_TESTS} tests is needed here")
    if len(wheres(found)) > _MOST_TESTS:
        raise RuleError(path, f"at most {_MOST_TESTS} tests, however they are nested")
    return found


def _property_test(data: Any, path: str, depth: int) -> Test:
    if depth > _MOST_DEPTH:
        raise RuleError(path, f"tests can be nested {_MOST_DEPTH} deep at most")
    if isinstance(data, Mapping) and "not" in data:
        inner = values.fields(data, path, ("not",))["not"]
        return WhereNot(_property_test(inner, under(path, "not"), depth + 1))
    for key, group in (("all", WhereAll), ("any", WhereAny)):
        if isinstance(data, Mapping) and key in data:
            place = under(path, key)
            parts = values.fields(data, path, (key,))[key]
            if not isinstance(parts, list) or not 1 <= len(parts) <= _MOST_TESTS:
                raise RuleError(place, f"a list of 1 to {_MOST_TESTS} tests is needed here")
            return group(
                tuple(
                    _property_test(part, under(place, number), depth + 1) for number, part in enumerate(parts)
                )
            )
    given = values.fields(data, path, ("property",), ("op", "value", "type"))
    key_path = values.key_path(given["property"], under(path, "property"))
    return Where(key_path, test(given, path, OPERATORS))
