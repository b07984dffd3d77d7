"""Whether a template sounds as the charter wants it: words, capitals, marks, required parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from channels.charter_parts import Charter

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<style.*?</style>|<[^>]*>|https?://\S+", re.DOTALL | re.IGNORECASE)
#: Fewer letters than this say nothing about capitals: a code, a name.
_FEW_LETTERS = 12
_VALUE = re.compile(r"^[a-z_]+(\.[a-z_]+)+$")


class Remark(NamedTuple):
    """What is against the charter's tone, in a part of the template. ``line`` counts within it.

    Its ``rule`` is that of the charter, or ``lawful`` for what a law asks for: that is said, and no obstacle,
    since a service message need not have it.
    """

    part: str
    rule: str
    found: str
    line: int | None = None


def remarks(channel: str, parts: Mapping[str, str], charter: Charter) -> list[Remark]:
    """Everything in the parts of a template (subject, body, text …) that the charter does not want."""
    tone = charter.tone
    read = {name: text for name, text in parts.items() if text and name not in ("link", "image")}
    found = [one for name, text in read.items() for one in _words(name, text, tone.forbidden)]
    if tone.capitals is not None:
        found += [
            Remark(name, "capitals", f"{share} %")
            for name, text in read.items()
            if (share := _capitals(text)) > tone.capitals
        ]
    if tone.exclamations is not None:
        count = sum(
            _plain(text).count("!") for name, text in read.items() if name != "text" or channel != "email"
        )
        if count > tone.exclamations:
            found.append(Remark("body", "exclamations", str(count)))
    return found + _missing(channel, parts.values(), charter)


def _words(part: str, text: str, forbidden: Iterable[str]) -> list[Remark]:
    plain = _plain(text)
    found = []
    for words in forbidden:
        pattern = r"(?<!\w)" + r"\s+".join(re.escape(word) for word in words.split()) + r"(?!\w)"
        match = re.search(pattern, plain, re.IGNORECASE)
        if match:
            found.append(Remark(part, "forbidden", words, plain.count("\n", 0, match.start()) + 1))
    return found


def _capitals(text: str) -> int:
    letters = [letter for letter in _plain(text) if letter.isalpha()]
    if len(letters) < _FEW_LETTERS:
        return 0
    return round(100 * sum(letter.isupper() for letter in letters) / len(letters))


def _missing(channel: str, texts: Iterable[str], charter: Charter) -> list[Remark]:
    whole = "\n".join(texts)
    found = [
        Remark("body", "required", part)
        for where, part in charter.tone.required
        if where == channel and not _has(whole, part)
    ]
    return found + [
        Remark("body", "lawful", f"{part} ({law})")
        for where, part, law in charter.lawful
        if where == channel and not _has(whole, part)
    ]


def _has(whole: str, part: str) -> bool:
    """Whether a template has a part: a value that Liquid writes, or else words, whatever their case."""
    if _VALUE.match(part):
        return re.search(r"\{[{%][^}]*" + re.escape(part), whole) is not None
    return part.lower() in whole.lower()


def _plain(text: str) -> str:
    """The words alone: code, tags and addresses become as many line breaks as they had."""
    return _CODE.sub(lambda match: " " + "\n" * match[0].count("\n"), text)
