"""What endpoints told a run, looked into by path, such as ``score.body.risk`` of step ``score``. Pure."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DEEPEST = 12


def look_up(answers: Mapping[str, Mapping[str, Any]], path: str) -> Any:
    """The value at ``path`` (step, then names or places in lists), or None."""
    value: Any = answers
    for part in path.split(".")[: DEEPEST + 1]:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, Sequence) and not isinstance(value, str) and part.isdecimal():
            value = value[int(part)] if len(part) < 6 and int(part) < len(value) else None
        else:
            return None
    return value


OPS = {
    "is": "is",
    "is_not": "is not",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "contains": "contains",
    "exists": "is there",
    "missing": "is missing",
}
_WITHOUT_VALUE = ("exists", "missing")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about what an endpoint answered."""

    path: str
    op: str
    value: Any

    @property
    def step(self) -> str:
        return self.path.partition(".")[0]

    def holds(self, answers: Mapping[str, Mapping[str, Any]]) -> bool:
        found = look_up(answers, self.path)
        if self.op in _WITHOUT_VALUE:
            return (found is None) == (self.op == "missing")
        if self.op == "contains":
            return isinstance(found, str | list) and _contains(found, self.value)
        if self.op in ("is", "is_not"):
            same = isinstance(found, bool) == isinstance(self.value, bool) and found == self.value
            return same == (self.op == "is")
        if not _is_number(found):
            return False
        return bool(_COMPARED[self.op](found, self.value))

    def words(self) -> str:
        value = "" if self.op in _WITHOUT_VALUE else f" “{self.value}”"
        return f"answer {self.path} {OPS[self.op]}{value}"


def parse_asked(data: object) -> Asked:
    """A question as it is written: ``score.body.risk gte 5``. ValueError says what is wrong."""
    path, op, told = [*(data.split(None, 2) if isinstance(data, str) else []), "", "", ""][:3]
    if "." not in path or len(path) > 120:
        raise ValueError('write step and path, a comparison and a value, such as "score.body.risk gte 5"')
    if op not in OPS:
        raise ValueError(f"the comparison must be one of {', '.join(OPS)}")
    if op in _WITHOUT_VALUE:
        return Asked(path, op, None)
    value = _value(told.strip())
    if value == "" or (op in _COMPARED and not _is_number(value)):
        raise ValueError(f"{op} does not go with such a value")
    return Asked(path, op, value)


def _value(text: str) -> str | int | float | bool:
    """A number, true or false where it reads like one, otherwise the text; in quotes it is always a text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text[:500]
    return value if isinstance(value, str | int | float | bool) else text[:500]


def _contains(found: str | list[Any], value: Any) -> bool:
    return str(value) in found if isinstance(found, str) else value in found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_COMPARED = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
