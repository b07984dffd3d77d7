"""Reads the small parts of a charter's data and collects what is wrong with them, by path. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from typing import Any, NamedTuple, TypeVar

from channels import policy_time
from channels.charter_parts import CHANNELS

_Part = TypeVar("_Part")


class Problem(NamedTuple):
    """Something wrong at ``path`` (such as ``caps.0.limit``). A warning does not stop publishing."""

    path: str
    message: str
    warning: bool = False


class Reader:
    """Reads values. What cannot be read is noted in ``problems`` and replaced by something harmless."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))

    def fields(self, data: object, path: str, keys: set[str]) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            self.wrong(path or "charter", "must be an object")
            return {}
        for key in sorted(data.keys() - keys, key=str):
            self.wrong(f"{path}.{key}".lstrip("."), f"is not known; known are {', '.join(sorted(keys))}")
        return data

    def each(
        self, parts: Mapping[str, Any], path: str, read: Callable[[object, str], _Part]
    ) -> tuple[_Part, ...]:
        items = parts.get(_last(path), [])
        if not isinstance(items, list):
            self.wrong(path, "must be a list")
            return ()
        return tuple(read(item, f"{path}.{i}") for i, item in enumerate(items))

    def flag(self, part: Mapping[str, Any], path: str, *, default: bool = False) -> bool:
        value = part.get(_last(path), default)
        if not isinstance(value, bool):
            self.wrong(path, "must be true or false")
            return default
        return value

    def whole(self, part: Mapping[str, Any], path: str, least: int, most: int) -> int:
        value = part.get(_last(path))
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(path, f"must be a whole number from {least} to {most}")
            return least
        return value

    def choice(self, part: Mapping[str, Any], path: str, choices: tuple[str, ...], default: str = "") -> str:
        value = part.get(_last(path), default or choices[0])
        if value not in choices:
            self.wrong(path, f"must be one of {', '.join(choices)}")
            return choices[0]
        return str(value)

    def text(self, part: Mapping[str, Any], path: str, default: str = "", most: int = 100) -> str:
        value = part.get(_last(path), default)
        if not isinstance(value, str) or len(value) > most:
            self.wrong(path, f"must be words, {most} letters at most")
            return default
        return value

    def words(self, part: Mapping[str, Any], path: str) -> list[str]:
        value = part.get(_last(path)) or []
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            self.wrong(path, "must be a list of words")
            return []
        return value

    def channels(self, part: Mapping[str, Any], path: str, default: tuple[str, ...] = ()) -> list[str]:
        words = self.words(part, path) or list(default)
        for word in words:
            if word not in CHANNELS:
                self.wrong(path, f"“{word}” is not a channel; channels are {', '.join(CHANNELS)}")
        if len(set(words)) < len(words):
            self.wrong(path, "names a channel twice")
        return words

    def countries(self, part: Mapping[str, Any], path: str) -> frozenset[str]:
        words = self.words(part, path)
        for word in words:
            if len(word) != 2 or not word.isalpha() or not word.isupper():
                self.wrong(path, f"“{word}” is not a country of two letters, such as FR")
        return frozenset(words)

    def duration(self, part: Mapping[str, Any], path: str, default: str = "0 minutes") -> timedelta:
        value = part.get(_last(path)) or default
        try:
            return policy_time.duration(str(value))
        except ValueError as error:
            self.wrong(path, str(error))
            return timedelta()

    def clock(self, part: Mapping[str, Any], path: str) -> time:
        value = part.get(_last(path))
        try:
            return time.fromisoformat(value if isinstance(value, str) else "").replace(tzinfo=None)
        except ValueError:
            self.wrong(path, "must be a time such as “20:00”")
            return time()

    def day(self, part: Mapping[str, Any], path: str) -> date:
        value = part.get(_last(path))
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            self.wrong(path, "must be a day such as “2026-12-24”")
            return date(2000, 1, 1)

    def zone(self, part: Mapping[str, Any], path: str, default: str, also: str = "") -> str:
        value = part.get(_last(path), default)
        if value != also and value not in policy_time.zone_names():
            self.wrong(path, f"“{value}” is not a time zone such as Europe/Paris")
            return default
        return str(value)


def _last(path: str) -> str:
    return path.rpartition(".")[2]
