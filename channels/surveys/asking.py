"""Surveys in messages: what a message carries of its survey, and what its template may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings

from channels.links import signer
from channels.surveys import versions
from channels.surveys.wording import Definition

#: The variable of a message that names its survey, and of a template that asks it.
NAME = "survey"
#: What a link's token is for. Its number is what was picked, one higher; 0 is nothing yet.
USE = "survey"

Surveys = Mapping[tuple[str, int], Definition]


class Asking(Protocol):
    """The part of a message that a survey needs."""

    @property
    def id(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def variables(self) -> dict[str, Any]: ...


def variables(slug: str, number: int) -> dict[str, Any]:
    """What a message carries that asks a survey in this version."""
    return {NAME: {"slug": slug, "version": number}}


def named(message: Asking) -> tuple[str, int] | None:
    """Survey and version that a message asks, or None."""
    told = message.variables.get(NAME)
    if not isinstance(told, dict):
        return None
    slug, number = told.get("slug"), told.get("version")
    return (slug, number) if isinstance(slug, str) and isinstance(number, int) else None


def load(messages: Iterable[Asking]) -> Surveys:
    """The surveys that a batch of messages asks. At most one statement."""
    return versions.load({ref for message in messages if (ref := named(message))})


def shown(message: Asking, known: Surveys, language: str) -> dict[str, Any]:
    """What the message's template may use as ``survey``; nothing where it asks none."""
    ref = named(message)
    if ref is None or ref not in known:
        return {}
    return {NAME: values(known[ref], language, message.id, message.created_at)}


def values(survey: Definition, language: str, message_id: int, created_at: datetime) -> dict[str, Any]:
    """The survey in words, with the person's own links: to its page, and there with an answer picked."""
    words = survey.words(language)
    return {
        "slug": survey.slug,
        "kind": survey.kind,
        "question": words.question,
        "low": words.low,
        "high": words.high,
        "comment": words.comment,
        "thanks": words.thanks,
        "url": _link(message_id, created_at, 0),
        "choices": [
            {
                "value": value,
                "label": survey.label(value, language),
                "url": _link(message_id, created_at, value + 1),
            }
            for value in survey.values
        ],
    }


def in_app(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser needs to ask it in its own page: everything but the links."""
    if not shown:
        return {}
    choices = [{"value": one["value"], "label": one["label"]} for one in shown["choices"]]
    return {**{name: text for name, text in shown.items() if name != "url"}, "choices": choices}


def _link(message_id: int, created_at: datetime, number: int) -> str:
    return f"{settings.SEGUE_BASE_URL}/q/{signer().sign(USE, message_id, created_at, number)}"
