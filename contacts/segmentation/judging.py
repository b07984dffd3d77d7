"""What is wrong with a rule, everywhere at once, and what it says: the answer that an editor shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from contacts import rules, segment_order
from contacts.rules import Rule, RuleError
from contacts.rules_values import under
from contacts.rules_vocabulary import MOST_DEPTH

_MOST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """Where in the JSON, and what; an empty path is the rule as a whole."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule that was read, or the faults for which it cannot be."""

    rule: Rule | None
    words: str
    faults: tuple[Fault, ...] = ()


def judge(data: Any, slug: str = "") -> Judged:
    """Read ``data`` as the rule of segment ``slug``. Where it has faults, each condition is looked at."""
    try:
        rule = rules.parse(data, in_journey=False)
    except RuleError as first:
        found = islice(_each(data, "", 1), _MOST_FAULTS)
        faults = [Fault(error.path, error.message) for error in found]
        return Judged(None, "", tuple(faults) or (Fault(first.path, first.message),))
    try:
        segment_order.check(slug, rule)
    except RuleError as error:
        faults = [Fault(place, error.message) for place in _asking(data, "", slug)]
        return Judged(None, rules.explain(rule), tuple(faults) or (Fault("", error.message),))
    return Judged(rule, rules.explain(rule))


def _each(data: Any, path: str, depth: int) -> Iterator[RuleError]:
    """The first fault of every condition by itself."""
    parts = list(_parts(data, path)) if depth <= MOST_DEPTH else []
    for part, place in parts:
        yield from _each(part, place, depth + 1)
    if not parts:
        try:
            rules.parse(data, in_journey=False)
        except RuleError as error:
            yield RuleError(_joined(path, error.path), error.message)


def _asking(data: Any, path: str, slug: str) -> Iterator[str]:
    """Places of the conditions on segments that cannot be asked about."""
    for part, place in _parts(data, path):
        yield from _asking(part, place, slug)
    if isinstance(data, dict) and "segment" in data:
        try:
            segment_order.check(slug, rules.parse(data, in_journey=False))
        except RuleError:
            yield under(path, "segment")


def _parts(data: Any, path: str) -> Iterator[tuple[Any, str]]:
    if not isinstance(data, dict):
        return
    for word in ("all", "any"):
        if isinstance(data.get(word), list):
            for index, part in enumerate(data[word]):
                yield part, under(under(path, word), index)
            return
    if isinstance(data.get("not"), dict):
        yield data["not"], under(path, "not")


def _joined(path: str, inner: str) -> str:
    if not path or not inner:
        return path or inner
    return f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"
