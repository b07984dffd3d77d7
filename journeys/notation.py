"""Definitions as people write them: YAML or JSON text to plain data, and back.

Plain YAML 1.1 reads ``on`` as true, ``10:00`` as 600 and dates as objects; here words stay words.
Aliases are refused: a few lines of them can unfold to gigabytes.
"""

from __future__ import annotations

import re
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
    """``data`` as YAML, in the order in which it was written."""
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    return text
