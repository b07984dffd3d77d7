"""Comparisons in SQL that never raise, whatever a JSON value holds: a wrong type is simply no match."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, cast

from contacts.rules_length import Length, ahead
from contacts.rules_sql_moment import Moment, Own, earliest, instant, latest, midnight
from contacts.rules_sql_text import FALSE, TRUE, Sql, joined, number, numbers, piece, text, texts
from contacts.rules_tree import Check, Test, Where, WhereAll, WhereAny, is_time

_NUMBER = r"^-?[0-9]{1,15}([.][0-9]{1,10})?$"
_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
_ZONE = r"(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?"
#: Texts that are read as an instant; without a zone they are UTC.
INSTANT = rf"^{_DAY}([T ]{_CLOCK}{_ZONE})?$"
NUMBER = _NUMBER
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "before": "<", "after": ">"}


class JsonValue(NamedTuple):
    """A value inside a JSON column: as jsonb, and as the text of a scalar."""

    json: Sql
    text: Sql


def key(column: str, path: tuple[str, ...]) -> JsonValue:
    """The value at ``path`` of a jsonb ``column``."""
    if len(path) == 1:
        return JsonValue(
            piece(f"({column} -> {{}})", text(path[0])), piece(f"({column} ->> {{}})", text(path[0]))
        )
    return JsonValue(piece(f"({column} #> {{}})", texts(path)), piece(f"({column} #>> {{}})", texts(path)))


def attribute(alias: str, name: str, origin: str) -> JsonValue:
    """An attribute of the contact: what the person said, what was inferred, or the one before the other."""
    if origin != "either":
        return key(f"{alias}.{'attributes' if origin == 'declared' else 'inferred'}", (name,))
    both = piece(
        f"COALESCE(NULLIF({alias}.attributes -> {{}}, 'null'), {alias}.inferred -> {{}})",
        text(name),
        text(name),
    )
    return JsonValue(both, piece("({} #>> '{{}}')", both))


def as_number(value: JsonValue) -> Sql:
    """A JSON number, or a text that looks like one; else NULL."""
    return piece(
        "(CASE jsonb_typeof({}) WHEN 'number' THEN ({})::numeric"
        " WHEN 'string' THEN CASE WHEN {} ~ {} THEN ({})::numeric END END)",
        value.json,
        value.json,
        value.text,
        text(_NUMBER),
        value.text,
    )


def as_instant(value: JsonValue) -> Sql:
    """A text in ISO form that is a real date; else NULL."""
    return piece(
        "(CASE WHEN jsonb_typeof({}) = 'string' AND {} ~ {} THEN"
        " CASE WHEN pg_input_is_valid({}, 'timestamptz') THEN ({})::timestamptz END END)",
        value.json,
        value.text,
        text(INSTANT),
        value.text,
        value.text,
    )


def json_test(value: JsonValue, test: Check, as_of: Moment) -> Sql:
    """Whether a JSON value passes; NULL counts as no, so a caller that negates adds ``IS TRUE``."""
    match test.op:
        case "is":
            return _is(value, test)
        case "is_not":
            return piece("({} IS NOT TRUE)", _is(value, test))
        case "in":
            return _in(value, test)
        case "not_in":
            return piece("({} IS NOT TRUE)", _in(value, test))
        case "not_contains":
            return piece("({} IS NOT TRUE)", json_test(value, Check("contains", test.value), as_of))
        case "has_any" | "has_all" | "has_none":
            return _has(value, test)
        case "contains":
            return piece(
                "(CASE jsonb_typeof({}) WHEN 'array' THEN {} @> to_jsonb({})"
                " WHEN 'string' THEN strpos(lower({}), lower({})) > 0 END)",
                value.json,
                value.json,
                text(cast(str, test.value)),
                value.text,
                text(cast(str, test.value)),
            )
        case "starts_with":
            return piece(
                "(jsonb_typeof({}) = 'string' AND starts_with(lower({}), lower({})))",
                value.json,
                value.text,
                text(cast(str, test.value)),
            )
        case "ends_with":
            return piece("(jsonb_typeof({}) = 'string' AND {})", value.json, _ends_with(value.text, test))
        case "exists":
            return piece("({} <> '')", value.text)
        case "missing":
            return piece("(COALESCE({}, '') = '')", value.text)
        case _:
            return compared(as_instant(value) if is_time(test) else as_number(value), test, as_of)


def property_tests(column: str, tests: Sequence[Test], as_of: Moment) -> Sql:
    """Whether the properties in a jsonb ``column`` pass all ``tests``; NULL counts as no."""
    return joined(" AND ", [_property_test(column, test, as_of) for test in tests]) if tests else TRUE


def _property_test(column: str, test: Test, as_of: Moment) -> Sql:
    match test:
        case Where(path, check):
            return json_test(key(column, path), check, as_of)
        case WhereAll(parts) | WhereAny(parts):
            word = " AND " if isinstance(test, WhereAll) else " OR "
            return piece("({})", joined(word, [_property_test(column, part, as_of) for part in parts]))
        case _:
            return piece("({} IS NOT TRUE)", _property_test(column, test.part, as_of))


def compared(left: Sql, test: Check, as_of: Moment) -> Sql:
    """A typed expression (number or instant) against the value of ``test``."""
    value = test.value
    match test.op:
        case "between":
            low, high = (
                instant(each) if isinstance(each, datetime) else number(each)
                for each in cast("tuple[datetime | Decimal, ...]", value)
            )
            return piece("({} >= {} AND {} <= {})", left, low, left, high)
        case "within" | "within_days":
            length = timedelta(days=value) if isinstance(value, int) else cast(Length, value)
            start, end = (as_of, as_of - length) if ahead(length) else (as_of - length, as_of)
            return piece("({} > {} AND {} <= {})", left, instant(start), left, instant(end))
        case "on":
            start = value if isinstance(value, datetime) else as_of - cast(Length, value)
            start = midnight(start)
            end = start + timedelta(days=1)
            return piece("({} >= {} AND {} < {})", left, instant(start), left, instant(end))
        case "anniversary_on" | "anniversary_within":
            return (
                _own_anniversary(left, test, as_of)
                if isinstance(as_of, Own)
                else _anniversary(left, test, as_of, as_of)
            )
        case _:
            bound = value if isinstance(value, datetime | Decimal) else as_of - cast(Length, value)
            right = number(bound) if isinstance(bound, Decimal) else instant(bound)
            return piece(f"({{}} {_COMPARE[test.op]} {{}})", left, right)


def days_between(left: Sql, test: Check, since: datetime, until: datetime) -> Sql:
    """Whether a test by days may answer differently at some instant from ``since`` to ``until``."""
    length = cast(Length, test.value)
    first, last = midnight(since - length), midnight(until - length)
    if test.op == "on":
        return (
            piece("({} >= {} AND {} < {})", left, instant(first), left, instant(last + timedelta(days=1)))
            if first < last
            else FALSE
        )
    return _anniversary(left, test, since, until) if midnight(since) < midnight(until) else FALSE


def _anniversary(left: Sql, test: Check, since: datetime, until: datetime) -> Sql:
    """The same month and day as one of some days, of an earlier year. 29 February also has 28 February."""
    (first, _end), (start, last) = _days_asked(test, since), _days_asked(test, until)
    days = [first + timedelta(days=number) for number in range(min((last - first).days + 1, 366))]
    named = {f"{day:%m-%d}" for day in days}
    if any(day.month == 2 and (day + timedelta(days=1)).month == 3 for day in days):
        named.add("02-29")
    return piece(
        "({} < {} AND to_char({} AT TIME ZONE 'UTC', 'MM-DD') = ANY({}))",
        left,
        instant(start),
        left,
        texts(sorted(named)),
    )


def _own_anniversary(left: Sql, test: Check, as_of: Own) -> Sql:
    """The same where each row has its own instant of asking: the days are compared one by one."""
    today = as_of.midnight()
    day = (as_of - cast(Length, test.value)).midnight()
    first, last = (
        (day, day) if test.op == "anniversary_on" else (earliest([day, today]), latest([day, today]))
    )
    return piece(
        "({} < {} AND EXISTS (SELECT 1 FROM generate_series({}, {}, interval '1 day') AS d(day)"
        " WHERE to_char({} AT TIME ZONE 'UTC', 'MM-DD') = to_char(d.day AT TIME ZONE 'UTC', 'MM-DD')"
        " OR (to_char({} AT TIME ZONE 'UTC', 'MM-DD') = '02-29'"
        " AND to_char(d.day AT TIME ZONE 'UTC', 'MM') = '02'"
        " AND to_char((d.day AT TIME ZONE 'UTC') + interval '1 day', 'MM') = '03')))",
        left,
        instant(first),
        instant(first),
        instant(last),
        left,
        left,
    )


def _days_asked(test: Check, as_of: datetime) -> tuple[datetime, datetime]:
    """The first and the last day whose anniversaries are asked for."""
    day = midnight(as_of - cast(Length, test.value))
    if test.op == "anniversary_on":
        return day, day
    today = midnight(as_of)
    return min(day, today), max(day, today)


def text_test(left: Sql, test: Check) -> Sql:
    """A test of a text column, which is never NULL."""
    match test.op:
        case "is":
            return piece("({} = {})", left, text(cast(str, test.value)))
        case "is_not":
            return piece("({} <> {})", left, text(cast(str, test.value)))
        case "in":
            return piece("({} = ANY({}))", left, texts(cast(tuple[str, ...], test.value)))
        case "not_in":
            return piece("({} <> ALL({}))", left, texts(cast(tuple[str, ...], test.value)))
        case "contains" | "not_contains":
            found = "> 0" if test.op == "contains" else "= 0"
            return piece(f"(strpos(lower({{}}), lower({{}})) {found})", left, text(cast(str, test.value)))
        case "ends_with":
            return _ends_with(left, test)
        case "starts_with":
            return piece("starts_with(lower({}), lower({}))", left, text(cast(str, test.value)))
        case "exists":
            return piece("({} <> '')", left)
        case _:
            return piece("({} = '')", left)


def _is(value: JsonValue, test: Check) -> Sql:
    wanted = test.value
    if isinstance(wanted, Decimal):
        return piece("({} = {})", as_number(value), number(wanted))
    return _same_text(value, [_written(cast("str | bool", wanted))])


def _in(value: JsonValue, test: Check) -> Sql:
    wanted = cast("tuple[str | bool | Decimal, ...]", test.value)
    counted = [item for item in wanted if isinstance(item, Decimal)]
    written = [_written(item) for item in wanted if not isinstance(item, Decimal)]
    parts = [_same_text(value, written)] if written else []
    if counted:
        parts.append(piece("({} = ANY({}))", as_number(value), numbers(counted)))
    return piece("({})", joined(" OR ", parts)) if parts else FALSE


def _has(value: JsonValue, test: Check) -> Sql:
    """Whether a list has one or all of some items; what is no list has none of them."""
    items = [
        f"{item:f}" if isinstance(item, Decimal) else json.dumps(item, ensure_ascii=False)
        for item in cast("tuple[str | bool | Decimal, ...]", test.value)
    ]
    word = "ALL" if test.op == "has_all" else "ANY"
    body = piece(
        f"(jsonb_typeof({{}}) = 'array' AND {{}} @> {word}({{}}::jsonb[]))",
        value.json,
        value.json,
        texts(items),
    )
    return piece("({} IS NOT TRUE)", body) if test.op == "has_none" else body


def _ends_with(left: Sql, test: Check) -> Sql:
    end = text(cast(str, test.value))
    return piece("(right(lower({}), length(lower({}))) = lower({}))", left, end, end)


def _same_text(value: JsonValue, wanted: list[str]) -> Sql:
    if len(wanted) == 1:
        same = piece("({} = {})", value.text, text(wanted[0]))
    else:
        same = piece("({} = ANY({}))", value.text, texts(wanted))
    if any(item[:1] in ("{", "[") for item in wanted):
        # Only then can the text of a whole object or list look like what was asked for.
        return piece("({} AND jsonb_typeof({}) NOT IN ('object', 'array'))", same, value.json)
    return same


def _written(value: str | bool) -> str:
    """As JSON writes it: true and false have the same text as the words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
