"""What endpoints told a run, looked into by path, such as ``score.body.risk`` of step ``score``. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
