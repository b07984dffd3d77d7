"""What a new installation starts with: templates in English and French, a sandbox for each channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from channels import ready_blocks, rendering
from channels.models import Audience, ProviderAccount, Survey, SurveyVersion, Template, TemplateVersion
from channels.models.provider import Channel

_FOLDER = Path(__file__).resolve().parent
_LANGUAGES = ("en", "fr")
#: Templates that no journey names.
NEEDED = frozenset({"confirm-email", "confirm-sms", "sms-stopped", "sms-started", "sms-help"})


def load(now: datetime) -> int:
    """Add what is missing, touch nothing that is there; returns how many templates were added."""
    added = 0
    with transaction.atomic():
        for channel, label in ((Channel.EMAIL, "Email"), (Channel.SMS, "SMS"), (Channel.PUSH, "Push")):
            if not ProviderAccount.objects.filter(channel=channel).exists():
                ProviderAccount.objects.create(
                    name=f"{label} sandbox", channel=channel, kind="sandbox", settings=_sender(channel)
                )
        if not ProviderAccount.objects.filter(channel=Channel.INAPP).exists():
            ProviderAccount.objects.create(name="In-app messages", channel=Channel.INAPP, kind="inapp")
        Audience.objects.get_or_create(slug="cart-abandoners", defaults={"name": "Cart abandoners"})
        if not ProviderAccount.objects.filter(channel=Channel.AUDIENCE).exists():
            files = ProviderAccount.objects.create(
                name="Audience files", channel=Channel.AUDIENCE, kind="audience_csv"
            )
            Audience.objects.filter(provider=None).update(provider=files)
        for each in _read("surveys.yaml")["surveys"]:
            _add_survey(each, now)
        for each in ready():
            added += _add(each, now)
    return added


def emails() -> list[dict[str, Any]]:
    """The ready emails."""
    return [each for each in ready() if each["channel"] == Channel.EMAIL]


def words(slug: str, language: str) -> dict[str, str] | None:
    """Subject and body of a ready email, in English where the language has none; None where there is none."""
    for each in emails():
        if each["slug"] == slug:
            return dict(each.get(language) or each["en"])
    return None


def _add_survey(each: dict[str, Any], now: datetime) -> None:
    values = {name: each[name] for name in ("name", "kind", "description")}
    survey, is_new = Survey.objects.get_or_create(slug=each["slug"], defaults=values)
    if is_new:
        SurveyVersion.objects.create(survey=survey, number=1, words=each["words"], published_at=now)


def load_needed(now: datetime) -> int:
    """Add those templates that Segue's own messages need (confirmations, answers to texts) where missing."""
    with transaction.atomic():
        return sum(_add(each, now) for each in ready() if each["slug"] in NEEDED)


def _sender(channel: str) -> dict[str, str]:
    if channel != Channel.EMAIL:
        return {}
    return {
        "from_email": "hello@shop.example",
        "from_name": "Corner Shop",
        "postal_address": "1 Market Street, Springfield",
    }


def _add(each: dict[str, Any], now: datetime) -> bool:
    template, is_new = Template.objects.get_or_create(
        slug=each["slug"],
        defaults={
            "name": each["name"],
            "channel": each["channel"],
            "description": each["description"],
        },
    )
    if not is_new:
        return False
    for language in _LANGUAGES:
        words = each[language]
        version = TemplateVersion(
            template=template,
            number=1,
            language=language,
            subject=words.get("subject", ""),
            body=words["body"],
            link=words.get("link", ""),
            button=words.get("button", ""),
            place=each.get("place", ""),
        )
        rendering.publish(version, now)
    return True


def ready() -> Iterator[dict[str, Any]]:
    """The ready templates: slug, name, channel, description, and for each language its words."""
    emails = _read("emails.yaml")
    layout = (_FOLDER / "layout.mjml").read_text(encoding="utf-8")
    for each in emails["templates"]:
        whole = {
            language: _pour(
                layout, each[language], emails["words"][language], each.get("blocks", []), language
            )
            for language in _LANGUAGES
        }
        yield {**each, "channel": Channel.EMAIL.value, **whole}
    yield from _read("texts.yaml")["templates"]


def _pour(
    layout: str, words: dict[str, str], shared: dict[str, str], blocks: list[str], language: str
) -> dict[str, str]:
    """The layout with its ``[[holes]]`` filled, and these ready blocks below the words."""
    known = {one.slug: one.body for one in ready_blocks.in_language(language, language)} if blocks else {}
    lines = [f"    {line}" for slug in blocks for line in known[slug].splitlines()]
    source = layout.replace("[[blocks]]\n", "".join(f"{line}\n" for line in lines))
    body = "\n".join(f"        {line}" for line in words["body"].strip().splitlines())
    whole = ready_blocks.poured(source, {**shared, **words, "title": words["preview"], "body": body})
    return {"subject": words["subject"], "body": whole}


def _read(name: str) -> Any:
    return yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
