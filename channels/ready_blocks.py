"""Ready-made blocks of MJML: data files of ours, put into a mail as a copy that is then changed.

A content block is another thing: one text that many templates take in and that changes for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

_FILE = Path(__file__).resolve().parent / "starter" / "blocks.yaml"
LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class ReadyBlock:
    """``inside`` is the tag that it stands in: ``mj-body`` for whole sections, ``mj-column`` for parts."""

    slug: str
    name: str
    group: str
    icon: str
    inside: str
    body: str


def in_language(language: str, shown_in: str) -> list[ReadyBlock]:
    """All, their words in ``language`` and their names in ``shown_in``; English where there is no other."""
    words, names = _known(language), _known(shown_in)
    data = _read()
    return [
        ReadyBlock(
            slug=each["slug"],
            name=each["name"][names],
            group=data["groups"][each["group"]][names],
            icon=each["icon"],
            inside="mj-column" if each.get("part") else "mj-body",
            body=poured(each["body"], each.get("words", {}).get(words, {})).strip(),
        )
        for each in data["blocks"]
    ]


def poured(body: str, words: dict[str, str]) -> str:
    """A text with its ``[[holes]]`` filled; pictures are our own until the marketer names others."""
    for name, text in {**words, "pictures": f"{settings.SEGUE_BASE_URL}/static/channels/library"}.items():
        body = body.replace(f"[[{name}]]", text)
    return body


def _known(language: str) -> str:
    short = (language or "")[:2].lower()
    return short if short in LANGUAGES else "en"


@lru_cache(maxsize=1)
def _read() -> Any:
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))
