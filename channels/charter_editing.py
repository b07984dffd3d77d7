"""A charter's data, changed part by part: nothing is changed in place. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from channels import charter_rules
from channels.charter_reading import Problem

#: Where a part lies within another one.
_WITHIN = {"roles": "channels"}


def part(rules: Mapping[str, Any], name: str) -> Any:
    """What the rules say in one part; None where they say nothing."""
    holder = rules.get(_WITHIN[name], {}) if name in _WITHIN else rules
    return holder.get(name)


def with_part(rules: Mapping[str, Any], name: str, data: Any) -> dict[str, Any]:
    """The rules with one part said anew; an empty one is left out."""
    if name in _WITHIN:
        outer = _WITHIN[name]
        return _said(rules, outer, _said(rules.get(outer, {}), name, data))
    if name in _WITHIN.values():
        inner = {key: value for key, value in rules.get(name, {}).items() if _WITHIN.get(key) == name}
        data = {**data, **inner}
    return _said(rules, name, data)


def with_rule(rules: Mapping[str, Any], name: str, data: Any, place: int | None) -> dict[str, Any]:
    """The rules with one rule of a list said anew, or added where ``place`` is None."""
    own = list(part(rules, name) or [])
    if place is None:
        own.append(data)
    else:
        own[place] = data
    return with_part(rules, name, own)


def without_rule(rules: Mapping[str, Any], name: str, place: int) -> dict[str, Any]:
    """The rules without one rule of a list."""
    own = [one for i, one in enumerate(part(rules, name) or []) if i != place]
    return with_part(rules, name, own)


def mark(shown: Mapping[str, Any]) -> str:
    """What tells whether a part or rule is still the one that a form was filled in for."""
    return f"{zlib.crc32(json.dumps(shown, sort_keys=True).encode()):08x}"


def problems(rules: Mapping[str, Any], name: str, place: int | None = None) -> list[Problem]:
    """What is wrong or doubtful in one part, or in one rule of it."""
    path = f"{_WITHIN[name]}.{name}" if name in _WITHIN else name
    if place is not None:
        path = f"{path}.{place}"
    found = charter_rules.lint(rules)
    return [one for one in found if one.path == path or one.path.startswith(f"{path}.")]


def _said(rules: Mapping[str, Any], name: str, data: Any) -> dict[str, Any]:
    rest = {key: value for key, value in rules.items() if key != name}
    return rest if data in (None, [], {}) else {**rest, name: data}
