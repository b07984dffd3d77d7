"""Another evaluator of rules: slow, in memory, straight from the JSON, written apart from the product's."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

Json = dict[str, Any]

_STATES = {"sent": "Sent", "opened": "Opened", "clicked": "Clicked", "bounced": "Bounced"}
_UNITS = {"minute": 1, "hour": 60, "day": 1440, "week": 10080}
_TEXT_COLUMNS = ("email", "phone", "country")
_TIME_COLUMNS = ("first_seen_at", "last_seen_at")


@dataclass
class Person:
    """One contact with all that a rule can ask about."""

    id: int
    columns: Json = field(default_factory=dict)
    attributes: Json = field(default_factory=dict)
    inferred: Json = field(default_factory=dict)
    events: list[tuple[str, datetime, Json]] = field(default_factory=list)
    #: (channel, purpose, given, at) in the order of recording.
    consents: list[tuple[str, str, bool, datetime]] = field(default_factory=list)
    segments: set[str] = field(default_factory=set)
    predictions: dict[str, float] = field(default_factory=dict)
    push: bool = False
    suppressed: set[str] = field(default_factory=set)
    entered_at: datetime | None = None
    step_at: datetime | None = None


def holds(rule: Json, person: Person, as_of: datetime) -> bool:
    if not rule:
        return True
    if "all" in rule:
        return all(holds(part, person, as_of) for part in rule["all"])
    if "any" in rule:
        return any(holds(part, person, as_of) for part in rule["any"])
    if "not" in rule:
        return not holds(rule["not"], person, as_of)
    if "attribute" in rule:
        return _passes(rule, _attribute(person, rule["attribute"]), as_of)
    if "event" in rule:
        return _events(rule, rule["event"], rule.get("where") or [], person, as_of)
    if "message" in rule:
        filters = [
            {"property": key, "value": rule[key]}
            for key in ("channel", "journey", "step", "template", "purpose")
            if key in rule
        ]
        return _events(rule, f"Message {_STATES[rule['message']]}", filters, person, as_of)
    if "consent" in rule:
        return bool(_consent(person, rule["consent"], as_of) == rule.get("state", "allowed"))
    if "segment" in rule:
        return bool(rule.get("member", True)) is (rule["segment"] in person.segments)
    if "prediction" in rule:
        return _passes(rule, person.predictions.get(rule["prediction"]), as_of)
    return bool(rule.get("reachable", True)) is _reachable(person, rule["address"])


def _attribute(person: Person, name: str) -> Any:
    if name in (*_TEXT_COLUMNS, *_TIME_COLUMNS, "known"):
        return person.columns[name]
    said = person.attributes.get(name)
    return person.inferred.get(name) if said is None else said


def _events(rule: Json, name: str, where: list[Json], person: Person, as_of: datetime) -> bool:
    found = [
        properties
        for event, at, properties in person.events
        if event == name
        and _in_window(rule, at, person, as_of)
        and all(_where(w, properties, as_of) for w in where)
    ]
    if rule.get("sum"):
        numbers = [_number(_reach(each, rule["sum"]["property"])) for each in found]
        total: Fraction | int = sum(number for number in numbers if number is not None)
        return _in_bounds(rule["sum"], total)
    count = rule.get("count")
    if count is None:
        count = {"gte": 1}
    return _in_bounds(count if isinstance(count, dict) else {"eq": count}, len(found))


def _in_bounds(bounds: Json, amount: Fraction | int) -> bool:
    compare: dict[str, Callable[[Any, Any], bool]] = {
        "gte": operator.ge,
        "gt": operator.gt,
        "lte": operator.le,
        "lt": operator.lt,
        "eq": operator.eq,
    }
    return all(test(amount, Fraction(str(bounds[op]))) for op, test in compare.items() if op in bounds)


def _in_window(rule: Json, at: datetime, person: Person, as_of: datetime) -> bool:
    within, after, before = rule.get("within"), rule.get("after"), rule.get("before")
    if at > as_of:
        return False
    if within in ("since_entry", "since_step"):
        start = person.entered_at if within == "since_entry" else person.step_at
        if start is not None and at <= start:
            return False
    elif within and at <= as_of - _length(within):
        return False
    if after and at < _instant(after):
        return False
    if before and before[0] in "123456789" and before.split()[-1].rstrip("s") in _UNITS:
        return at <= as_of - _length(before)
    return not before or at < _instant(before)


def _where(test: Json, properties: Json, as_of: datetime) -> bool:
    return _passes(test, _reach(properties, test["property"]), as_of)


def _reach(value: Any, path: str | list[str]) -> Any:
    for key in [path] if isinstance(path, str) else path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _passes(rule: Json, value: Any, as_of: datetime) -> bool:
    op: str = rule.get("op", "is")
    wanted: Any = rule.get("value")
    if op == "exists":
        return value not in (None, "")
    if op == "missing":
        return value in (None, "")
    if op == "is":
        return _same(value, wanted)
    if op == "is_not":
        return not _same(value, wanted)
    if op == "in":
        return any(_same(value, each) for each in wanted)
    if op == "contains":
        if isinstance(value, list):
            return wanted in [each for each in value if isinstance(each, str)]
        return isinstance(value, str) and wanted.lower() in value.lower()
    if op == "starts_with":
        return isinstance(value, str) and value.lower().startswith(wanted.lower())
    if op in ("gt", "gte", "lt", "lte"):
        number = _number(value)
        return number is not None and _in_bounds({op: wanted}, number)
    return _dated(op, wanted, value if isinstance(value, datetime) else _maybe_instant(value), as_of)


def _dated(op: str, wanted: Any, at: datetime | None, as_of: datetime) -> bool:
    if at is None:
        return False
    if op == "within_days":
        return as_of - timedelta(days=wanted) < at <= as_of
    bound = as_of - _length(wanted) if wanted.split()[-1].rstrip("s") in _UNITS else _instant(wanted)
    return at < bound if op == "before" else at > bound


def _same(value: Any, wanted: Any) -> bool:
    if value is None or isinstance(value, dict | list):
        return False
    if isinstance(wanted, bool | str):
        return _written(value) == _written(wanted)
    number = _number(value)
    return number is not None and number == Fraction(str(wanted))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(value: Any) -> Fraction | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Fraction(str(value))
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", value):
        return Fraction(value)
    return None


def _maybe_instant(value: Any) -> datetime | None:
    if not isinstance(value, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return None
    try:
        return _instant(value)
    except ValueError:
        return None


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _length(value: str) -> timedelta:
    count, unit = value.split()
    return timedelta(minutes=int(count) * _UNITS[unit.rstrip("s")])


def _consent(person: Person, asked: Json, as_of: datetime) -> str:
    """Walk through the ledger as people would read it."""
    state = "unknown"
    refused_itself = False
    for channel, purpose, given, at in person.consents:
        if channel != asked["channel"] or purpose not in (asked["purpose"], "*") or at > as_of:
            continue
        if purpose == asked["purpose"]:
            refused_itself = not given
        if purpose != "*" or not (given and refused_itself):
            state = "allowed" if given else "refused"
    return state


def _reachable(person: Person, channel: str) -> bool:
    if channel in person.suppressed:
        return False
    return {
        "email": bool(person.columns["email"]),
        "sms": bool(person.columns["phone"]),
        "push": person.push,
    }[channel]
