"""Definitions as people write them: YAML or JSON text to plain data, and back.

Plain YAML 1.1 reads ``on`` as true, ``10:00`` as 600 and dates as objects; here words stay words.
Aliases are refused: a few lines of them can unfold to gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from journeys.fields import Problem

LARGEST = 256 * 1024
_DEEPEST = 40


class _Loader(yaml.SafeLoader):
    """YAML with the types of JSON only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"nested more than {_DEEPEST} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^-?(?:0|[1-9][0-9]{0,17})$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?$", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def read(text: str) -> tuple[Any, list[Problem]]:
    """The data written in ``text``, or None and what is wrong with it."""
    if len(text) > LARGEST:
        return None, [Problem("", f"is longer than {LARGEST // 1024} KB")]
    try:
        return yaml.load(text, _Loader), []  # noqa: S506 (a safe loader, made safer)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        return None, [Problem(place, str(error.problem or error.context or "cannot be read"))]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, [Problem("", f"cannot be read: {str(error)[:200]}")]


def write(data: Any) -> str:
    """``data`` as YAML, in an order fit for reading: stored JSON does not keep the one it was written in."""
    text: str = yaml.dump(arranged(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


_TOP = [
    "name",
    "description",
    "timezone",
    "trigger",
    "audience",
    "entry",
    "goal",
    "on_goal",
    "exit",
    "start",
    "steps",
]
_FIELDS = [
    "type",
    "for",
    "days",
    "weekday",
    "at",
    "event",
    "rule",
    "where",
    "from",
    "to",
    "weekdays",
    "date",
    "before",
    "after",
    "yearly",
    "timeout",
    "endpoint",
    "survey",
    "prediction",
    "until",
    "most",
    "ways",
    "explore",
    "list",
    "channels",
    "content",
    "purpose",
    "priority",
    "value",
    "on_hold",
    "deadline",
    "smart_channel",
    "best_time_within",
    "conditions",
    "experiment",
    "set",
    "audience",
    "action",
    "reason",
    "attribute",
    "op",
    "message",
    "segment",
    "on",
    "note",
    "stage",
    "touchpoint",
    "intention",
    "name",
    "share",
    "if",
    "branches",
    "shares",
    "next",
    "again",
    "on_timeout",
    "on_limit",
    "on_missing",
    "on_failure",
    "else",
]
_INLINE = 60
"Characters that a mapping or list without others inside may take to stand on one line."


class _Dumper(yaml.SafeDumper):
    """Puts what is short on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        return super().represent_mapping(tag, mapping, flow_style=_short(mapping))

    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, flow_style=_short(sequence))


def _short(data: Any) -> bool:
    inner = data.values() if isinstance(data, dict) else data
    return len(str(data)) <= _INLINE and not any(isinstance(each, dict | list) and each for each in inner)


def arranged(data: Any) -> Any:
    """A definition with its fields in the usual order and its steps in the order in which they follow."""
    if not isinstance(data, dict):
        return data
    ordered = {name: _sorted(value) for name, value in _by(data, _TOP)}
    steps = data.get("steps")
    if isinstance(steps, dict):
        ordered["steps"] = {name: _sorted(steps[name]) for name in _walked(data.get("start"), steps)}
    return ordered


def _by(data: dict[Any, Any], order: Sequence[str]) -> list[tuple[Any, Any]]:
    place = {name: number for number, name in enumerate(order)}
    return sorted(data.items(), key=lambda item: (place.get(item[0], len(order)), str(item[0])))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(inner) for name, inner in _by(value, _FIELDS)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def _walked(start: Any, steps: dict[Any, Any]) -> list[Any]:
    """Names of steps as one meets them from ``start`` on; those that nobody meets come last."""
    found: dict[Any, None] = {}
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if isinstance(name, str) and name in steps and name not in found:
            found[name] = None
            ahead.extend(reversed(_onward(steps[name])))
    return [*found, *(name for name in sorted(steps, key=str) if name not in found)]


_ONWARD = ("again", "next", "on_timeout", "on_limit", "on_missing", "on_failure", "else")


def _onward(step: Any) -> list[Any]:
    if not isinstance(step, dict):
        return []
    ways = [
        way
        for name in ("branches", "shares", "ways")
        for way in step.get(name) or []
        if isinstance(way, dict)
    ]
    return [*(way.get("next") for way in ways), *(step.get(name) for name in _ONWARD)]
