"""The charter as data: its rules, what they mean when left out, and everything that can be wrong. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar

from channels import policy_time
from channels.policy_time import DAYS, PERIODS, QuietHours

CHANNELS = ("email", "sms", "push", "inapp")
#: Channels that wait until the person comes. Rules count and hold them only where they name them.
AWAITED = frozenset({"inapp"})
_REACHING = tuple(channel for channel in CHANNELS if channel not in AWAITED)
PERSON = "person"
#: All channels, or all purposes.
ALL: frozenset[str] = frozenset()

_Part = TypeVar("_Part")


class Problem(NamedTuple):
    """Something wrong at ``path`` (such as ``caps.0.limit``). A warning does not stop publishing."""

    path: str
    message: str
    warning: bool = False


class CharterError(Exception):
    """The charter cannot be read; ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``limit`` messages to a person in ``rolling`` time, or in a calendar period of a zone."""

    name: str
    limit: int
    rolling: timedelta | None = None
    calendar: str = ""
    zone: str = PERSON
    channels: frozenset[str] = ALL
    purposes: frozenset[str] = ALL
    count_transactional: bool = False

    def concerns(self, channel: str, purpose: str) -> bool:
        named = channel in self.channels if self.channels else channel not in AWAITED
        return named and (not self.purposes or purpose in self.purposes)

    @property
    def reach(self) -> timedelta:
        """How far back the messages lie that this cap counts."""
        longest = {"day": 2, "week": 8, "month": 32}
        return self.rolling or timedelta(days=longest[self.calendar])


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Leave out ``drop`` where ``when`` is scheduled within ``ahead`` or went out within ``behind``."""

    drop: str
    when: str
    ahead: timedelta
    behind: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Charter:
    """The rules of marketing pressure. Service messages are exempt from all of them."""

    caps: tuple[Cap, ...] = ()
    one_a_day: bool = False
    apart: timedelta = timedelta()
    quiet_hours: tuple[QuietHours, ...] = ()
    redundancy: tuple[Redundancy, ...] = ()
    order: tuple[str, ...] = CHANNELS
    order_by: str = "message"
    fallback: str = "refused"
    unasked: str = "refuse"
    unknown_zone: str = "every"
    default_zone: str = "UTC"
    jitter: timedelta = timedelta()
    number: int | None = field(default=None, compare=False)

    @property
    def reach(self) -> timedelta:
        """How far back the policy must know what a person received."""
        spans = [cap.reach for cap in self.caps] + [rule.behind for rule in self.redundancy]
        return max([*spans, self.apart, timedelta(days=2 if self.one_a_day else 0)])


#: What rules until somebody publishes another charter.
DEFAULT: dict[str, Any] = {
    "caps": [
        {"name": "four a week", "limit": 4, "rolling": "7 days"},
        {"name": "two texts a week", "limit": 2, "calendar": "week", "zone": PERSON, "channels": ["sms"]},
    ],
    "spacing": {"one_a_day": True, "apart": "12 hours"},
    "quiet_hours": [
        {"channels": ["sms", "push"], "from": "20:00", "to": "08:00"},
        {"channels": ["sms"], "from": "00:00", "to": "00:00", "days": ["sunday"]},
    ],
    "redundancy": [{"drop": "push", "when": "email", "ahead": "24 hours"}],
    "channels": {"order": ["email", "push", "sms", "inapp"], "order_by": "message", "fallback": "refused"},
    "consent": {"unasked": "refuse"},
    "time": {"unknown_zone": "every", "default_zone": "Europe/Paris", "jitter": "15 minutes"},
}


def parse(data: object, number: int | None = None) -> Charter:
    """Read a charter; raises CharterError with every problem that is not a mere warning."""
    reader = _Reader()
    charter = reader.charter(data, number)
    if reader.problems:
        raise CharterError(reader.problems)
    return charter


def lint(data: object) -> list[Problem]:
    """Everything wrong or doubtful in a charter, by path."""
    try:
        charter = parse(data)
    except CharterError as error:
        return error.problems
    return _doubts(charter)


def _doubts(charter: Charter) -> list[Problem]:
    found = [
        Problem(f"caps.{i}.limit", "a limit of 0 lets nothing out", warning=True)
        for i, cap in enumerate(charter.caps)
        if cap.limit == 0
    ]
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    for channel in CHANNELS:
        hours = [one for one in charter.quiet_hours if channel in one.channels]
        if policy_time.free_of_quiet_hours(monday, hours, [charter.default_zone]) is None:
            found.append(Problem("quiet_hours", f"{channel} never has a free hour", warning=True))
        if channel not in charter.order:
            found.append(Problem("channels.order", f"{channel} is switched off", warning=True))
    return found


class _Reader:
    """Reads the parts of a charter and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))

    def charter(self, data: object, number: int | None) -> Charter:
        parts = self._object(
            data, "", {"caps", "spacing", "quiet_hours", "redundancy", "channels", "consent", "time"}
        )
        spacing = self._object(parts.get("spacing", {}), "spacing", {"one_a_day", "apart"})
        channels = self._object(parts.get("channels", {}), "channels", {"order", "order_by", "fallback"})
        consent = self._object(parts.get("consent", {}), "consent", {"unasked"})
        times = self._object(parts.get("time", {}), "time", {"unknown_zone", "default_zone", "jitter"})
        return Charter(
            caps=tuple(self._each(parts, "caps", self._cap)),
            one_a_day=self._flag(spacing, "spacing.one_a_day", default=False),
            apart=self._duration(spacing, "spacing.apart"),
            quiet_hours=tuple(self._each(parts, "quiet_hours", self._quiet)),
            redundancy=tuple(self._each(parts, "redundancy", self._redundancy)),
            order=tuple(self._channels(channels, "channels.order", CHANNELS)),
            order_by=self._choice(channels, "channels.order_by", ("message", "charter")),
            fallback=self._choice(channels, "channels.fallback", ("refused", "held")),
            unasked=self._choice(consent, "consent.unasked", ("refuse", "allow")),
            unknown_zone=self._choice(times, "time.unknown_zone", ("every", "default")),
            default_zone=self._zone(times, "time.default_zone", "UTC"),
            jitter=self._duration(times, "time.jitter"),
            number=number,
        )

    def _cap(self, data: object, path: str) -> Cap:
        keys = {"name", "limit", "rolling", "calendar", "zone", "channels", "purposes", "count_transactional"}
        part = self._object(data, path, keys)
        limit = part.get("limit")
        if not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit <= 1000:
            self.wrong(f"{path}.limit", "must be a whole number from 0 to 1000")
            limit = 1
        if ("rolling" in part) == ("calendar" in part):
            self.wrong(path, "needs either “rolling” or “calendar”")
        rolling = self._duration(part, f"{path}.rolling") if "rolling" in part else None
        if rolling is not None and not timedelta() < rolling <= timedelta(days=366):
            self.wrong(f"{path}.rolling", "must be more than nothing and at most 366 days")
        purposes = self._words(part, f"{path}.purposes")
        return Cap(
            name=str(part.get("name", "")),
            limit=limit,
            rolling=rolling,
            calendar=self._choice(part, f"{path}.calendar", PERIODS) if "calendar" in part else "",
            zone=self._zone(part, f"{path}.zone", PERSON, also=PERSON),
            channels=frozenset(self._channels(part, f"{path}.channels", ())),
            purposes=frozenset(purposes),
            count_transactional=self._flag(part, f"{path}.count_transactional", default=False),
        )

    def _quiet(self, data: object, path: str) -> QuietHours:
        part = self._object(data, path, {"channels", "from", "to", "days"})
        days = [day.lower() for day in self._words(part, f"{path}.days")]
        for day in days:
            if day not in DAYS:
                self.wrong(f"{path}.days", f"“{day}” is not a day of the week")
        return QuietHours(
            channels=frozenset(self._channels(part, f"{path}.channels", _REACHING)),
            begins=self._clock(part, f"{path}.from"),
            ends=self._clock(part, f"{path}.to"),
            days=frozenset(DAYS.index(day) for day in days if day in DAYS) or frozenset(range(7)),
        )

    def _redundancy(self, data: object, path: str) -> Redundancy:
        part = self._object(data, path, {"drop", "when", "ahead", "behind"})
        if part.get("drop") == part.get("when"):
            self.wrong(path, "“drop” and “when” must differ")
        return Redundancy(
            drop=self._choice(part, f"{path}.drop", CHANNELS),
            when=self._choice(part, f"{path}.when", CHANNELS),
            ahead=self._duration(part, f"{path}.ahead"),
            behind=self._duration(part, f"{path}.behind"),
        )

    def _object(self, data: object, path: str, keys: set[str]) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            self.wrong(path or "charter", "must be an object")
            return {}
        for key in sorted(data.keys() - keys, key=str):
            self.wrong(f"{path}.{key}".lstrip("."), f"is not known; known are {', '.join(sorted(keys))}")
        return data

    def _each(self, parts: Mapping[str, Any], name: str, read: Callable[[object, str], _Part]) -> list[_Part]:
        items = parts.get(name, [])
        if not isinstance(items, list):
            self.wrong(name, "must be a list")
            return []
        return [read(item, f"{name}.{i}") for i, item in enumerate(items)]

    def _flag(self, part: Mapping[str, Any], path: str, *, default: bool) -> bool:
        value = part.get(_last(path), default)
        if not isinstance(value, bool):
            self.wrong(path, "must be true or false")
            return default
        return value

    def _choice(self, part: Mapping[str, Any], path: str, choices: tuple[str, ...]) -> str:
        value = part.get(_last(path), choices[0])
        if value not in choices:
            self.wrong(path, f"must be one of {', '.join(choices)}")
            return choices[0]
        return str(value)

    def _words(self, part: Mapping[str, Any], path: str) -> list[str]:
        value = part.get(_last(path)) or []
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            self.wrong(path, "must be a list of words")
            return []
        return value

    def _channels(self, part: Mapping[str, Any], path: str, default: tuple[str, ...]) -> list[str]:
        words = self._words(part, path) or list(default)
        for word in words:
            if word not in CHANNELS:
                self.wrong(path, f"“{word}” is not a channel; channels are {', '.join(CHANNELS)}")
        return words

    def _duration(self, part: Mapping[str, Any], path: str) -> timedelta:
        value = part.get(_last(path)) or "0 minutes"
        try:
            return policy_time.duration(str(value))
        except ValueError as error:
            self.wrong(path, str(error))
            return timedelta()

    def _clock(self, part: Mapping[str, Any], path: str) -> time:
        value = part.get(_last(path))
        try:
            return time.fromisoformat(value if isinstance(value, str) else "").replace(tzinfo=None)
        except ValueError:
            self.wrong(path, "must be a time such as “20:00”")
            return time()

    def _zone(self, part: Mapping[str, Any], path: str, default: str, also: str = "") -> str:
        value = part.get(_last(path), default)
        if value != also and value not in policy_time.zone_names():
            self.wrong(path, f"“{value}” is not a time zone such as Europe/Paris")
            return default
        return str(value)


def _last(path: str) -> str:
    return path.rpartition(".")[2]
