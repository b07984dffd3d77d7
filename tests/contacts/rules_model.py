"""Another evaluator of rules: slow, in memory, straight from the JSON, written apart from the product's."""

from __future__ import annotations

import itertools
import operator
import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
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
    #: (channel, purpose, given, until) in the order of recording.
    consents: list[tuple[str, str, bool, datetime | None]] = field(default_factory=list)
    #: Slug -> since when.
    segments: dict[str, datetime] = field(default_factory=dict)
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
        return _passes(rule, _attribute(person, rule["attribute"], rule.get("origin", "either")), as_of)
    if "event" in rule or "message" in rule:
        return _picked(rule, person, as_of) if "pick" in rule else _events(rule, person, as_of)
    if "consent" in rule:
        return _consented(rule, person, as_of)
    if "segment" in rule:
        since = person.segments.get(rule["segment"])
        if not rule.get("member", True):
            return since is None
        return since is not None and _in_window(rule, since, person, as_of)
    if "prediction" in rule:
        return _passes(rule, person.predictions.get(rule["prediction"]), as_of)
    return bool(rule.get("reachable", True)) is _reachable(person, rule["address"])


def _attribute(person: Person, name: str, origin: str) -> Any:
    if name in (*_TEXT_COLUMNS, *_TIME_COLUMNS, "known"):
        return person.columns[name]
    if origin != "either":
        return (person.attributes if origin == "declared" else person.inferred).get(name)
    said = person.attributes.get(name)
    return person.inferred.get(name) if said is None else said


def _name_and_tests(rule: Json) -> tuple[str, list[Json]]:
    if "event" in rule:
        where = rule.get("where") or []
        return rule["event"], where if isinstance(where, list) else [where]
    filters = ("channel", "journey", "step", "template", "purpose")
    tests = [{"property": key, "value": rule[key]} for key in filters if key in rule]
    return f"Message {_STATES[rule['message']]}", tests


def _matching(rule: Json, person: Person, as_of: datetime) -> list[tuple[datetime, Json]]:
    """What happened and is asked about, whenever it was before the instant, with what came after it."""
    name, tests = _name_and_tests(rule)
    return [
        (at, properties)
        for event, at, properties in person.events
        if event == name
        and at <= as_of
        and all(_where(test, properties, as_of) for test in tests)
        and _followed(rule, at, properties, person, as_of)
    ]


def _followed(rule: Json, at: datetime, properties: Json, person: Person, as_of: datetime) -> bool:
    follow = rule.get("then") or rule.get("then_not")
    if not follow:
        return True
    within = _fixed(follow["within"]) if follow.get("within") else None
    same = [follow["same"]] if isinstance(follow.get("same"), str) else follow.get("same") or []
    found = any(
        later > at
        and (within is None or later <= at + within)
        and all(_same_text(_reach(properties, key), _reach(other, key)) for key in same)
        for later, other in _matching(follow, person, as_of)
    )
    if "then" in rule:
        return found
    return not found and (within is None or at + within <= as_of)


def _same_text(one: Any, other: Any) -> bool:
    return one is not None and type(one) is type(other) and bool(one == other)


def _picked(rule: Json, person: Person, as_of: datetime) -> bool:
    every = [
        (at, properties)
        for event, at, properties in person.events
        if event == rule["event"]
        and at <= as_of
        and all(_where(test, properties, as_of) for test in rule.get("among") or [])
    ]
    if not every:
        return False
    by_time = sorted(enumerate(every), key=lambda pair: (pair[1][0], pair[0]))
    at, properties = by_time[0 if rule["pick"] == "first" else -1][1]
    tests = _name_and_tests(rule)[1]
    return (
        _in_window(rule, at, person, as_of)
        and all(_where(test, properties, as_of) for test in tests)
        and _followed(rule, at, properties, person, as_of)
    )


def _events(rule: Json, person: Person, as_of: datetime) -> bool:
    found = _matching(rule, person, as_of)
    if per := rule.get("per"):
        ends = [_ago(per["period"], as_of, number) for number in range(per["last"] + 1)]
        good = [
            _amount(rule, [each for at, each in found if start < at <= end])
            for end, start in itertools.pairwise(ends)
        ]
        return sum(good) >= int(per.get("at_least", per["last"]))
    return _amount(rule, [each for at, each in found if _in_window(rule, at, person, as_of)])


def _amount(rule: Json, found: list[Json]) -> bool:
    for measure in ("sum", "avg", "min", "max"):
        if asked := rule.get(measure):
            values = [_number(_reach(each, asked["property"])) for each in found]
            numbers = [number for number in values if number is not None]
            if measure == "sum":
                return _in_bounds(asked, sum(numbers))
            if not numbers:
                return False
            whole = {"avg": sum(numbers) / Fraction(len(numbers)), "min": min(numbers), "max": max(numbers)}
            return _in_bounds(asked, whole[measure])
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
    elif within and at <= _ago(within, as_of):
        return False
    if after and at < _instant(after):
        return False
    if before and _is_length(before):
        return at <= _ago(before, as_of)
    return not before or at < _instant(before)


def _where(test: Json, properties: Json, as_of: datetime) -> bool:
    if "all" in test:
        return all(_where(part, properties, as_of) for part in test["all"])
    if "any" in test:
        return any(_where(part, properties, as_of) for part in test["any"])
    if "not" in test:
        return not _where(test["not"], properties, as_of)
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
    if op in ("in", "not_in"):
        return any(_same(value, each) for each in wanted) is (op == "in")
    if op in ("contains", "not_contains"):
        return _contains(value, wanted) is (op == "contains")
    if op in ("starts_with", "ends_with"):
        text = value.lower() if isinstance(value, str) else None
        if text is None:
            return False
        return text.startswith(wanted.lower()) if op == "starts_with" else text.endswith(wanted.lower())
    if op in ("has_any", "has_all", "has_none"):
        had = [_has(value, each) for each in wanted]
        return {"has_any": any(had), "has_all": all(had), "has_none": not any(had)}[op]
    if op == "between" and not isinstance(wanted[0], str):
        number = _number(value)
        return number is not None and Fraction(str(wanted[0])) <= number <= Fraction(str(wanted[1]))
    if op in ("gt", "gte", "lt", "lte"):
        number = _number(value)
        return number is not None and _in_bounds({op: wanted}, number)
    return _dated(op, wanted, value if isinstance(value, datetime) else _maybe_instant(value), as_of)


def _contains(value: Any, wanted: str) -> bool:
    if isinstance(value, list):
        return wanted in [each for each in value if isinstance(each, str)]
    return isinstance(value, str) and wanted.lower() in value.lower()


def _has(value: Any, item: Any) -> bool:
    if not isinstance(value, list):
        return False
    return any(type(each) is type(item) and each == item for each in value)


def _dated(op: str, wanted: Any, at: datetime | None, as_of: datetime) -> bool:
    if at is None:
        return False
    if op == "between":
        return _instant(wanted[0]) <= at <= _instant(wanted[1])
    if op in ("within", "within_days"):
        other = as_of - timedelta(days=wanted) if op == "within_days" else _ago(wanted, as_of)
        return min(other, as_of) < at <= max(other, as_of)
    bound = _ago(wanted, as_of) if _is_length(wanted) else _instant(wanted)
    if op == "on":
        return at.astimezone(UTC).date() == bound.astimezone(UTC).date()
    if op.startswith("anniversary"):
        first, last = bound.date(), bound.date() if op == "anniversary_on" else as_of.date()
        first, last = min(first, last), max(first, last)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return any(_is_anniversary(at.astimezone(UTC).date(), day) for day in days) and at.date() < first
    return at < bound if op == "before" else at > bound


def _is_anniversary(born: date, day: date) -> bool:
    if born.year >= day.year:
        return False
    try:
        return born.replace(year=day.year) == day
    except ValueError:
        return day == date(day.year, 2, 28)


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


def _is_length(value: str) -> bool:
    return value == "today" or value.rsplit(maxsplit=1)[-1].rstrip("s") in (*_UNITS, "month", "year")


def _fixed(value: str) -> timedelta:
    count, unit = value.split()
    return timedelta(minutes=int(count) * _UNITS[unit.rstrip("s")])


def _ago(value: str, as_of: datetime, times: int = 1) -> datetime:
    """A length back from the instant, or with "in" ahead of it."""
    if value == "today" or not times:
        return as_of
    sign = 1 if value.startswith("in ") else -1
    count, unit = value.removeprefix("in ").split()
    if unit.rstrip("s") in _UNITS:
        return as_of + sign * times * _fixed(f"{count} {unit}")
    months = sign * times * int(count) * (12 if unit.startswith("year") else 1)
    month = as_of.year * 12 + as_of.month - 1 + months
    if as_of.day <= monthrange(month // 12, month % 12 + 1)[1]:
        return as_of.replace(year=month // 12, month=month % 12 + 1)
    month += 1
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _consented(rule: Json, person: Person, as_of: datetime) -> bool:
    given, until = _consent(person, rule["consent"])
    if given is None:
        state = "unknown"
    elif given and until and until <= as_of:
        state = "expired"
    else:
        state = "allowed" if given else "refused"
    if soon := rule.get("expires_within"):
        return state == "allowed" and until is not None and until <= _ago(f"in {soon}", as_of)
    return bool(state == rule.get("state", "allowed"))


def _consent(person: Person, asked: Json) -> tuple[bool | None, datetime | None]:
    """Walk through the ledger: what was said of the purpose, else of all (``*``), and until when."""
    own: tuple[bool, datetime | None, int] | None = None
    every: tuple[bool, datetime | None, int] | None = None
    for number, (channel, purpose, given, until) in enumerate(person.consents):
        if channel != asked["channel"] or purpose not in (asked["purpose"], "*"):
            continue
        line = (given, until if given else None, number)
        if purpose != "*":
            own = line
            continue
        closed = own is not None and every is not None and not every[0] and own[2] == every[2]
        if own is not None and own[0] is not given and (not given or closed):
            own = line
        every = line
    standing = own or every
    return (standing[0], standing[1]) if standing else (None, None)


def _reachable(person: Person, channel: str) -> bool:
    if channel in person.suppressed:
        return False
    return {
        "email": bool(person.columns["email"]),
        "sms": bool(person.columns["phone"]),
        "push": person.push,
    }[channel]
