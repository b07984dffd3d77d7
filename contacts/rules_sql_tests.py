"""Comparisons in SQL that never raise, whatever a JSON value holds: a wrong type is simply no match."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, cast

from contacts.rules_sql_text import FALSE, Sql, instant, joined, number, numbers, piece, text, texts
from contacts.rules_tree import Check

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


def declared_or_inferred(alias: str, name: str) -> JsonValue:
    """An attribute of the contact: what the person said, else what was inferred."""
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


def json_test(value: JsonValue, test: Check, as_of: datetime) -> Sql:
    """Whether a JSON value passes; NULL counts as no, so a caller that negates adds ``IS TRUE``."""
    match test.op:
        case "is":
            return _is(value, test)
        case "is_not":
            return piece("({} IS NOT TRUE)", _is(value, test))
        case "in":
            return _in(value, test)
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
        case "exists":
            return piece("({} <> '')", value.text)
        case "missing":
            return piece("(COALESCE({}, '') = '')", value.text)
        case "gt" | "gte" | "lt" | "lte":
            return compared(as_number(value), test, as_of)
        case _:
            return compared(as_instant(value), test, as_of)


def compared(left: Sql, test: Check, as_of: datetime) -> Sql:
    """A typed expression (number or instant) against the value of ``test``."""
    value = test.value
    if test.op == "within_days":
        since = as_of - timedelta(days=cast(int, value))
        return piece("({} > {} AND {} <= {})", left, instant(since), left, instant(as_of))
    if isinstance(value, timedelta):
        value = as_of - value
    right = instant(value) if isinstance(value, datetime) else number(cast(Decimal, value))
    return piece(f"({{}} {_COMPARE[test.op]} {{}})", left, right)


def text_test(column: str, test: Check) -> Sql:
    """A test of a text column, which is never NULL."""
    left = Sql(column)
    match test.op:
        case "is":
            return piece("({} = {})", left, text(cast(str, test.value)))
        case "is_not":
            return piece("({} <> {})", left, text(cast(str, test.value)))
        case "in":
            return piece("({} = ANY({}))", left, texts(cast(tuple[str, ...], test.value)))
        case "contains":
            return piece("(strpos(lower({}), lower({})) > 0)", left, text(cast(str, test.value)))
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
