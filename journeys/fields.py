"""Reading a definition field by field, collecting every problem with its path instead of the first only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from contacts import rules

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a definition, and where: ``steps.mail.content.sms``."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class Fields:
    """One mapping of a definition. Reads give a value that is safe to use even where it was wrong."""

    def __init__(self, data: object, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self._read: set[str] = set()
        self._data: Mapping[str, Any] = {}
        if isinstance(data, Mapping):
            self._data = data
        else:
            self.problem("", "must be a mapping of names to values")

    def at(self, name: str) -> str:
        return ".".join(part for part in (self.path, name) if part)

    def problem(self, name: str, message: str) -> None:
        self.problems.append(Problem(self.at(name), message))

    def raw(self, name: str) -> Any:
        self._read.add(name)
        return self._data.get(name)

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def text(self, name: str, default: str = "", *, required: bool = False, most: int = 200) -> str:
        value = self.raw(name)
        if value is None:
            if required:
                self.problem(name, "is missing")
            return default
        if not isinstance(value, str) or not value.strip() or len(value) > most or "\x00" in value:
            self.problem(name, f"must be a text of 1 to {most} characters")
            return default
        return value

    def choice(self, name: str, choices: Collection[str], default: str = "") -> str:
        value = self.text(name, default, required=not default)
        if value and value not in choices:
            self.problem(name, f"must be one of {', '.join(choices)}")
            return default or next(iter(choices))
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem(name, "must be true or false")
            return default
        return value

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.problem(name, f"must be a number from {least:g} to {most:g}")
            return default
        return value

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self.number(name, default, least=least, most=most)
        if value != int(value):
            self.problem(name, "must be a whole number")
        return int(value)

    def parsed(self, name: str, parse: Callable[[object], T], default: T, *, required: bool = False) -> T:
        """The value as ``parse`` makes it; its ValueError becomes a problem."""
        value = self.raw(name)
        if value is None:
            if required:
                self.problem(name, "is missing")
            return default
        try:
            return parse(value)
        except ValueError as error:
            self.problem(name, str(error))
            return default

    def texts(self, name: str, *, most: int = 50) -> tuple[str, ...]:
        value = self.raw(name)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            self.problem(name, "must be a list of names")
            return ()
        if len(value) > most or len(set(value)) != len(value):
            self.problem(name, f"must name at most {most} things, each once")
        return tuple(value[:most])

    def items(self, name: str, *, least: int, most: int) -> list[Fields]:
        """The mappings of a list, each to be read by itself."""
        value = self.raw(name)
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.problem(name, f"must be a list of {least} to {most} entries")
            return []
        return [Fields(item, f"{self.at(name)}[{index}]", self.problems) for index, item in enumerate(value)]

    def inner(self, name: str) -> Fields:
        return Fields(self.raw(name), self.at(name), self.problems)

    def rule(self, name: str, *, required: bool = False) -> CheckedRule | None:
        """A rule of the condition language; what is wrong inside it is named by its own path."""
        value = self.raw(name)
        if value is None:
            if required:
                self.problem(name, "is missing")
            return None
        return checked(value, self.at(name), self.problems)

    def done(self) -> None:
        """Names that nobody read are mistakes: a misspelt field must not be ignored silently."""
        for name in self._data:
            if name not in self._read:
                self.problem(str(name)[:60], "is not a field known here")


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A rule as it was written, and as parsed."""

    data: Mapping[str, Any]
    rule: rules.Rule

    def words(self) -> str:
        """The rule as a sentence."""
        return rules.explain(self.rule)

    def within(self) -> str:
        """The rule as a part of a longer sentence."""
        text = self.words()
        return text[:1].lower() + text[1:]


def checked(data: Any, path: str, problems: list[Problem]) -> CheckedRule | None:
    """``data`` as a rule, or None with a problem noted."""
    try:
        return CheckedRule(data, rules.parse(data))
    except rules.RuleError as error:
        inner = error.path
        problems.append(Problem(".".join(part for part in (path, inner) if part), error.message))
        return None


def _(text: str) -> str:
    """Marks ``text`` as one to translate. Whoever shows it translates it: nothing pure knows a language."""
    return text


InputKind = Literal[
    "text",
    "number",
    "whole",
    "flag",
    "choice",
    "choices",
    "span",  # "2 days"
    "clock",  # "09:00"
    "numbers",  # a list of numbers, or the word "last"
    "day",  # "2026-12-24"
    "rule",  # the condition language
    "where",  # property filters, of the event named in the field ``event``
    "event",  # name of an event
    "property",  # name of a property of the event that started the run
    "attribute",
    "prediction",
    "segment",
    "list",  # a segment by hand
    "audience",
    "purpose",
    "journey",
    "endpoint",
    "survey",
    "templates",  # a template for each channel chosen in the field ``channels``
    "step",  # where to go on
    "values",  # names and values: {attribute: value or expression}
    "entries",  # a list, each entry with the inputs of ``inner``
]


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a definition, as a form shows it. ``name`` is its key in the definition.

    Where a form has modes, the input is shown in those of ``modes`` (in all, if it names none). ``default``
    is what counts when the field is missing. ``label``, ``help`` and the words of ``choices`` are marked for
    translation, not translated.
    """

    name: str
    kind: InputKind
    label: str
    help: str = ""
    required: bool = False
    default: Any = None
    #: (value, words)
    choices: tuple[tuple[str, str], ...] = ()
    least: float | None = None
    most: float | None = None
    modes: tuple[str, ...] = ()
    inner: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """How a part of a definition is asked for. The builder draws it.

    ``modes`` are ways to say one thing, each named by the field that only it has: (field, words). A
    definition is in the mode whose field it has; a new one in the first.
    """

    label: str
    help: str
    inputs: tuple[Input, ...] = ()
    modes: tuple[tuple[str, str], ...] = ()
    #: Where the palette puts it: message, time, decision, person, outside.
    group: str = ""

    def mode(self, data: Mapping[str, Any]) -> str:
        """The mode that ``data`` is in."""
        named = [name for name, _words in self.modes]
        return next((name for name in named if data.get(name) is not None), named[0] if named else "")

    def shown(self, mode: str) -> tuple[Input, ...]:
        """The inputs of one mode."""
        return tuple(each for each in self.inputs if not each.modes or mode in each.modes)


def next_input(name: str = "next", label: str = _("Then")) -> Input:
    """Where a step goes on; the builder draws it as an edge instead of a field."""
    return Input(name, "step", label, _("Empty: the path ends here."))
