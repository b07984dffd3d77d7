"""The small parts of a rule in words: values, tests, amounts, windows, what comes after."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from contacts.rules_length import Length, Months, ahead
from contacts.rules_tree import (
    Check,
    Follow,
    Periods,
    Range,
    Test,
    Value,
    Where,
    WhereAll,
    WhereAny,
    WhereNot,
    Window,
)
from contacts.rules_vocabulary import SINCE_ENTRY, SINCE_STEP

_OPS = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "has_any": "has any of",
    "has_all": "has all of",
    "has_none": "has none of",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "between": "is between",
    "exists": "is known",
    "missing": "is not known",
    "before": "is before",
    "after": "is after",
    "within": "is within the",
    "within_days": "is within the last",
    "on": "is on",
    "anniversary_on": "has its anniversary",
    "anniversary_within": "has its anniversary within the",
}
_TOTALS = {"sum": "sum", "avg": "average", "min": "smallest", "max": "largest"}


def in_words(check: Check) -> str:
    """A test, as it stands after the name of what is tested."""
    asked, given = _OPS[check.op], check.value
    if given is None:
        return asked
    if check.op == "within_days":
        return f"{asked} {given} day{'' if given == 1 else 's'}"
    if check.op == "between" and isinstance(given, tuple):
        return f"{asked} {value(given[0])} and {value(given[1])}"
    if isinstance(given, timedelta | Months):
        if check.op in ("within", "anniversary_within"):
            return f"{asked} {'next' if ahead(given) else 'last'} {length(given)}"
        if given == timedelta():
            return f"{asked} today"
        return f"{asked} in {length(given)}" if ahead(given) else f"{asked} {length(given)} ago"
    return f"{asked} {value(given)}"


def where(tests: tuple[Test, ...], word: str = "where") -> str:
    """Tests of properties, to stand after an event's name; nothing where there are none."""
    return f" {word} " + " and ".join(_where(test) for test in tests) if tests else ""


def _where(test: Test) -> str:
    match test:
        case Where(path, check):
            return f"{'.'.join(path)} {in_words(check)}"
        case WhereNot(part):
            return f"not ({_where(part)})"
        case WhereAll(parts) | WhereAny(parts):
            joined = (" and " if isinstance(test, WhereAll) else " or ").join(_where(part) for part in parts)
            return joined if len(parts) == 1 else f"({joined})"


def total(measure: str, path: tuple[str, ...]) -> str:
    return f"{_TOTALS[measure]} {'of ' if measure == 'sum' else ''}{'.'.join(path)}"


def amount(asked: Range) -> str:
    if asked.least is not None and asked.least == asked.most:
        return f"exactly {value(asked.least)}"
    if asked.most is None:
        return f"at least {value(asked.least)}"
    if asked.least is None:
        return f"at most {value(asked.most)}"
    return f"{value(asked.least)} to {value(asked.most)}"


def window(asked: Window) -> str:
    words = ""
    if asked.within == SINCE_ENTRY:
        words += " since entering the journey"
    elif asked.within == SINCE_STEP:
        words += " since reaching the step"
    elif isinstance(asked.within, timedelta | Months):
        words += f" in the last {length(asked.within)}"
    if asked.after:
        words += f" after {value(asked.after)}"
    if isinstance(asked.before, timedelta | Months):
        words += f", at least {length(asked.before)} ago"
    elif asked.before:
        words += f" before {value(asked.before)}"
    return words


def periods(asked: Periods | None) -> str:
    if asked is None:
        return ""
    each = f"periods of {length(asked.length)}"
    if asked.least == asked.last:
        return f" in each of the last {asked.last} {each}"
    return f" in at least {asked.least} of the last {asked.last} {each}"


def followed(follow: Follow | None) -> str:
    """What must come after, in order."""
    if follow is None:
        return ""
    same = "".join(f" with the same {'.'.join(path)}" for path in follow.same)
    when = f" within {length(follow.within)}" if follow.within else ""
    words = f", then {'' if follow.wanted else 'not '}“{follow.name}”{where(follow.where)}{same}{when}"
    return words + followed(follow.then)


def value(given: Value) -> str:
    match given:
        case bool():
            return "true" if given else "false"
        case Decimal():
            return f"{given.normalize():f}"
        case str():
            return f"“{given}”"
        case timedelta() | Months():
            return length(given)
        case datetime():
            return (
                f"{given:%Y-%m-%d}" if given.time() == datetime.min.time() else f"{given:%Y-%m-%d %H:%M} UTC"
            )
        case tuple():
            shown = ", ".join(value(item) for item in given[:8])
            return shown if len(given) <= 8 else f"{shown} and {len(given) - 8} more"
        case _:
            return str(given)


def length(given: Length) -> str:
    """A length without its direction."""
    if isinstance(given, Months):
        years, rest = divmod(abs(given.count), 12)
        return _counted(abs(given.count), "month") if rest else _counted(years, "year")
    for unit, size in (("week", 7 * 1440), ("day", 1440), ("hour", 60), ("minute", 1)):
        count, over = divmod(abs(given), timedelta(minutes=size))
        if not over and (unit != "week" or count > 8):
            return _counted(count, unit)
    return str(given)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
