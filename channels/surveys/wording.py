"""The words of a survey in each language, and what can be answered. Pure.

``words`` is stored as JSON: language to question, low, high (what the ends of the scale mean), comment (the
question for a comment; none is asked without it), thanks, and choices (a question's own answers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NPS, CSAT, QUESTION = "nps", "csat", "question"
LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt")
MOST_CHOICES = 10
LONGEST = 300
LONGEST_COMMENT = 2_000
_SCALES = {NPS: range(11), CSAT: range(1, 6)}
_TEXTS = ("question", "low", "high", "comment", "thanks")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the words: in which language, in which field."""

    language: str
    field: str
    code: str


@dataclass(frozen=True, slots=True)
class Words:
    """A survey in one language."""

    question: str
    low: str = ""
    high: str = ""
    comment: str = ""
    thanks: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picked:
    """One possible answer. ``score`` is None where the answer is no number; ``answer`` is what is kept."""

    value: int
    score: int | None
    answer: str


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a survey."""

    slug: str
    number: int
    kind: str
    days: int
    languages: Mapping[str, Words]

    def words(self, language: str) -> Words:
        """For a person's language: that very one, its base language, English, or any."""
        base = language.replace("_", "-").split("-", maxsplit=1)[0]
        for candidate in (language, base, "en"):
            if found := self.languages.get(candidate):
                return found
        return next(iter(self.languages.values()))

    @property
    def first(self) -> Words:
        """The words under which answers are counted, whatever language they were given in."""
        return self.words("en")

    @property
    def values(self) -> Sequence[int]:
        """What can be picked, as numbers; none where the answer is free text."""
        return _SCALES.get(self.kind) or range(1, len(self.first.choices) + 1)

    @property
    def is_free(self) -> bool:
        """The answer is free text and nothing else."""
        return not self.values

    def label(self, value: int, language: str) -> str:
        """What a value is called in a language."""
        return str(value) if self.kind in _SCALES else self.words(language).choices[value - 1]

    def picked(self, value: int | None) -> Picked | None:
        """The answer that ``value`` stands for, or None where it stands for nothing."""
        if value is None or value not in self.values:
            return None
        if self.kind in _SCALES:
            return Picked(value, value, str(value))
        return Picked(value, None, self.first.choices[value - 1])


def read(data: Any) -> dict[str, Words]:
    """The words as stored, those of languages without a question left out."""
    found = {}
    for language in LANGUAGES:
        told = data.get(language) if isinstance(data, Mapping) else None
        if isinstance(told, Mapping) and str(told.get("question") or "").strip():
            texts = {name: str(told.get(name) or "").strip() for name in _TEXTS}
            listed = told.get("choices")
            choices = [str(one).strip() for one in listed] if isinstance(listed, list) else []
            found[language] = Words(**texts, choices=tuple(one for one in choices if one))
    return found


def stored(words: Words) -> dict[str, Any]:
    """The words of one language as JSON."""
    return {**{name: getattr(words, name) for name in _TEXTS}, "choices": list(words.choices)}


def faults(kind: str, languages: Mapping[str, Words]) -> list[Fault]:
    """What keeps a survey from being asked."""
    if not languages:
        return [Fault("en", "question", "missing")]
    found = []
    first = languages.get("en") or next(iter(languages.values()))
    for language, words in languages.items():
        long = [name for name in _TEXTS if len(getattr(words, name)) > LONGEST]
        found += [Fault(language, name, "too_long") for name in long]
        if kind != QUESTION:
            continue
        if len(words.choices) != len(first.choices):
            found.append(Fault(language, "choices", "other_number"))
        if len(words.choices) == 1 or len(words.choices) > MOST_CHOICES:
            found.append(Fault(language, "choices", "number"))
        if len(set(words.choices)) != len(words.choices) or any(len(one) > 100 for one in words.choices):
            found.append(Fault(language, "choices", "unclear"))
    return found
