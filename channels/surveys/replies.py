"""A text message as the answer to a survey: a number, a number in words, or one of the choices. Pure.

Only what stands alone, or is set off from what follows, is an answer: "10 minutes late" is none.
"""

from __future__ import annotations

import re
import unicodedata

from channels.surveys.wording import Definition

_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7,
    "huit": 8, "neuf": 9, "dix": 10,
}  # fmt: skip
_ANSWER = re.compile(
    r"\W*(?P<number>\d{1,2}|[a-zA-Zéè]+)(?:\s*/\s*(?:5|10)\b|\s+(?:out of|sur)\s+(?:5|10|five|ten|cinq|dix)\b"
    r"|\s+(?:stars?|étoiles?|points?)\b)?\s*(?:$|[.,;:!?\n–—-]\s*|\s+(?=(?:because|car|parce)\b))(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def read(text: str, survey: Definition) -> tuple[int | None, str] | None:
    """(value, comment) of an answer to ``survey``; the value is None for free text. None: it is no answer."""
    said = text.strip()
    if not said:
        return None
    if survey.is_free:
        return None, said
    for words in survey.languages.values():
        for value, choice in enumerate(words.choices, 1):
            if _plain(said) == _plain(choice):
                return value, ""
    match = _ANSWER.match(said)
    if match is None:
        return None
    told = match["number"]
    value = int(told) if told.isdecimal() else _WORDS.get(_plain(told), -1)
    return (value, match["rest"].strip()) if value in survey.values else None


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    signs = (sign for sign in folded if not unicodedata.combining(sign))
    return " ".join("".join(sign if sign.isalnum() else " " for sign in signs).split())
