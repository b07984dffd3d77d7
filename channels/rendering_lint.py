"""What is wrong with a template, or could be better: found before anybody gets it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import (
    rendering,
    rendering_lint_mail,
    rendering_liquid,
    rendering_markup,
    rendering_tone,
)
from channels.charter_parts import Charter
from channels.models import TemplateVersion
from channels.models.provider import Channel
from channels.rendering import Source
from channels.rendering_liquid import TemplateError

#: What every template may ask for; a journey's own variables come on top.
KNOWN = frozenset({"contact", "message", "organisation", "event", "products", "survey", "feeds"})
_ALWAYS_THERE = frozenset(
    {
        *("message.unsubscribe_url", "message.preferences_url", "message.why_url"),
        *("organisation.name", "organisation.address"),
    }
)
_OUTPUT = re.compile(r"\{\{-?\s*((?:contact|event)\.[\w.]+)\s*((?:\|[^}]*)?)-?\}\}")
_CONDITION = re.compile(r"\{%-?\s*(?:els)?if\s+((?:contact|event)\.[\w.]+)")
_SMS_PART = 153


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. An error keeps the template from being published; ``line`` counts within ``part``."""

    is_error: bool
    part: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to name: attributes of people, and feeds. None: not looked up."""

    attributes: frozenset[str] | None = None
    feeds: frozenset[str] | None = None


_NOT_ASKED = Known()


def lint_version(
    version: TemplateVersion, charter: Charter | None = None, known: Known = _NOT_ASKED
) -> list[Finding]:
    """Everything found in a version as it would be published, with its blocks taken in."""
    try:
        source = replace(rendering.source_of(version), compiled="")
    except TemplateError as error:
        return [Finding(True, "body", error.message, error.line)]
    return lint(source, charter, known)


def lint(source: Source, charter: Charter | None = None, known: Known = _NOT_ASKED) -> list[Finding]:
    """Everything found, errors first. ``charter`` says how templates may sound."""
    parts = _parts(source)
    findings = [
        Finding(True, part, error.message, error.line)
        for part, text in parts.items()
        if (error := _error(part, text, source.channel)) is not None
    ]
    if not findings:
        findings += _whole(source)
        findings += _distrusted(source)
    for part, text in parts.items():
        findings += _names(part, text, known)
    findings += tone(source, charter) if charter is not None else []
    return sorted(findings, key=lambda finding: not finding.is_error)


def tone(source: Source, charter: Charter) -> list[Finding]:
    """What the charter's tone has against a template: errors, save what only a law asks for."""
    return [
        Finding(one.rule != "lawful", one.part, str(_TONE[one.rule]) % one.found, one.line)
        for one in rendering_tone.remarks(source.channel, _parts(source), charter)
    ]


_TONE = {
    "forbidden": gettext_lazy("The charter forbids “%s”."),
    "capitals": gettext_lazy("Too many capital letters for the charter: %s."),
    "exclamations": gettext_lazy("Too many exclamation marks for the charter: %s."),
    "required": gettext_lazy("The charter asks for “%s”, which is missing."),
    "lawful": gettext_lazy("A commercial message must have %s by law."),
}


def _parts(source: Source) -> dict[str, str]:
    return {
        "subject": source.subject,
        "body": source.body,
        "text": source.text,
        "link": source.link,
        "image": source.image,
        "button": source.button,
        "icon": source.icon,
        "button_link": source.button_link,
        "second_button": source.second_button,
        "second_link": source.second_link,
    }


def _error(part: str, text: str, channel: str) -> TemplateError | None:
    is_page = part == "body" and channel == Channel.EMAIL
    try:
        rendering_liquid.parse(text, html=is_page)
        if is_page:
            rendering_markup.to_html(text)
        elif (
            part in ("link", "button_link", "second_link")
            and text
            and not text.startswith(("https://", "http://", "{{"))
        ):
            return TemplateError(_("a link begins with https://"))
        elif part in ("image", "icon") and text and not text.startswith(("https://", "{{")):
            return TemplateError(_("the address of an image begins with https://"))
    except TemplateError as error:
        return error
    return None


def _whole(source: Source) -> list[Finding]:
    try:
        rendering.wording(source)
    except TemplateError as error:
        return [Finding(True, "body", error.message, error.line)]
    found = []
    if source.channel == Channel.EMAIL:
        if not source.subject.strip():
            found.append(Finding(True, "subject", _("An email needs a subject.")))
        if "message.unsubscribe_url" not in source.body:
            found.append(
                Finding(
                    False, "body", _("No link to unsubscribe: put {{ message.unsubscribe_url }} into it.")
                )
            )
        if len(rendering_markup.to_html(source.body)) > rendering.CLIPPED_AT:
            found.append(Finding(False, "body", _("Longer than 102 KB: Gmail will cut it off.")))
    elif source.channel == Channel.PUSH:
        found += _buttons(source)
    elif source.channel == Channel.INAPP and source.link and not source.button.strip():
        found.append(Finding(False, "button", _("A link without words for its button cannot be followed.")))
    elif source.channel == Channel.SMS and len(source.body) > 2 * _SMS_PART:
        found.append(Finding(False, "body", _("Longer than two text messages.")))
    return found


def _buttons(source: Source) -> list[Finding]:
    """Buttons of a push that lead nowhere, and links that no button leads to."""
    found = []
    for words, link in (("button", "button_link"), ("second_button", "second_link")):
        says, leads = getattr(source, words).strip(), getattr(source, link).strip()
        if leads and not says:
            found.append(Finding(False, link, _("A link without words for its button cannot be followed.")))
        elif says and not leads and not source.link.strip():
            found.append(Finding(True, words, _("The button leads nowhere: give it or the message a link.")))
    return found


def _distrusted(source: Source) -> list[Finding]:
    if source.channel != Channel.EMAIL:
        return []
    words = {
        "shouting": _("Capitals only: filters take it for spam."),
        "marks": _("Several exclamation marks or currency signs: filters take it for spam."),
        "long_subject": _("%s signs long: phones show about 40, most mailboxes 60 to 90."),
        "phrase": _("“%s” is a phrase that filters count against an email."),
        "placeholder": _("“%s” looks like a word that was to be replaced."),
        "images": _("%s images and little text: some mailboxes show no images, and filters distrust it."),
        "alt": _("%s images have no alt text: nothing is read out in their place."),
        "shortener": _("Links by “%s” are blocked by many mailboxes; link to your own site."),
        "insecure": _("“%s” is not https."),
        "other_host": _("A link shows another site than it leads to: %s"),
    }
    found = rendering_lint_mail.suspicious(source.subject, source.body)
    return [
        Finding(False, part, words[code] % what if "%s" in words[code] else words[code])
        for part, code, what in dict.fromkeys(found)
    ]


def _names(part: str, text: str, known: Known) -> list[Finding]:
    found = []
    asked = {match[1] for match in _CONDITION.finditer(text)}
    for match in _OUTPUT.finditer(text):
        if "default" not in match[2] and match[1] not in asked:
            line = text.count("\n", 0, match.start()) + 1
            message = _('%s may be missing: add | default: "…", or those without it get nothing.') % match[1]
            found.append(Finding(False, part, message, line))
    try:
        paths = set(rendering_liquid.paths(_parsed(text)))
        roots = {path.split(".")[0].split("[")[0] for path in paths}
    except TemplateError:
        return found
    found += _unknown(part, text, paths, known)
    unknown = sorted(roots - KNOWN)
    return found + [
        Finding(False, part, _("“%s” is known only if the journey gives it.") % name) for name in unknown
    ]


def _unknown(part: str, text: str, paths: set[str], known: Known) -> list[Finding]:
    """Attributes that nobody has, and feeds that do not exist."""
    found = []
    for path in sorted(paths):
        root, _dot, rest = path.partition(".")
        name = re.split(r"[.\[]", rest)[0]
        if root == "contact" and name and known.attributes is not None and name not in known.attributes:
            message = _("Nobody has an attribute “%s”.") % name
        elif root == "feeds" and name and known.feeds is not None and name not in known.feeds:
            message = _("There is no data feed “%s”.") % name
        else:
            continue
        place = text.find(path)
        found.append(Finding(False, part, message, text.count("\n", 0, place) + 1 if place >= 0 else None))
    return found


def _parsed(text: str) -> Any:
    return rendering_liquid.parse(text, html=False)
