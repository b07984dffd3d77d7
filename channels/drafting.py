"""Templates as they are edited: a draft a language, published when it is good, never changed after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from channels import charter, rendering, rendering_lint
from channels.models import Template, TemplateVersion
from channels.rendering_liquid import TemplateError


def latest(template: Template, language: str) -> TemplateVersion | None:
    """The newest version in ``language``, draft or published."""
    return template.versions.filter(language=language).order_by("-number").first()


def editable(template: Template, language: str) -> TemplateVersion:
    """The draft of ``language``, or an unsaved next one that begins with the published words."""
    newest = latest(template, language)
    if newest is None:
        return TemplateVersion(template=template, number=1, language=language)
    if newest.published_at is None:
        return newest
    return TemplateVersion(
        template=template,
        number=newest.number + 1,
        language=language,
        subject=newest.subject,
        body=newest.body,
        text=newest.text,
        link=newest.link,
        image=newest.image,
        button=newest.button,
        icon=newest.icon,
        button_link=newest.button_link,
        second_button=newest.second_button,
        second_link=newest.second_link,
        place=newest.place,
        pages=newest.pages,
        importance=newest.importance,
        days=newest.days,
    )


def begin(
    slug: str, name: str, about: str, words: Mapping[str, Mapping[str, str]], user: AbstractBaseUser | None
) -> Template:
    """A new email template with a draft in each language of ``words`` (``subject`` and ``body``).

    Slug and name are told apart from those that are there by a number.
    """
    taken = set(Template.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    taken |= set(Template.objects.filter(name__startswith=name).values_list("name", flat=True))
    number = next(
        n for n in range(1, len(taken) + 2) if not {_numbered(slug, "-", n), _numbered(name, " ", n)} & taken
    )
    with transaction.atomic():
        template = Template.objects.create(
            slug=_numbered(slug, "-", number),
            name=_numbered(name, " ", number),
            channel="email",
            description=about,
        )
        for language, each in words.items():
            save(
                TemplateVersion(
                    template=template, number=1, language=language, subject=each["subject"], body=each["body"]
                ),
                user,
            )
    return template


def _numbered(text: str, joint: str, number: int) -> str:
    return text if number == 1 else f"{text}{joint}{number}"


def save(version: TemplateVersion, user: AbstractBaseUser | None) -> None:
    """Keep a draft. A published version is never written to."""
    with transaction.atomic():
        Template.objects.select_for_update().get(pk=version.template_id)
        if version.pk and TemplateVersion.objects.filter(pk=version.pk, published_at__isnull=False).exists():
            raise ValueError("a published version does not change")
        version.created_by_id = version.created_by_id or (user.pk if user else None)
        version.save()


def publish(version: TemplateVersion, now: datetime) -> None:
    """Make the draft the version that is sent from now on. Raises TemplateError, also against its tone."""
    source = rendering.source_of(version)
    wrong = [one for one in rendering_lint.tone(source, charter.current(now)) if one.is_error]
    if wrong:
        raise TemplateError(wrong[0].message, wrong[0].line)
    rendering.publish(version, now)
