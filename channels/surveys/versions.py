"""Versions of surveys: edited as drafts, published when good, looked up by those who ask and who answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q

from channels.models import Survey, SurveyVersion
from channels.surveys import wording
from channels.surveys.wording import Definition, Fault


def newest(slugs: Collection[str]) -> dict[str, int]:
    """Number of the newest published version of each survey, by slug. One statement."""
    rows = (
        SurveyVersion.objects.filter(survey__slug__in=slugs, published_at__isnull=False)
        .order_by("survey_id", "-number")
        .distinct("survey_id")
        .values_list("survey__slug", "number")
    )
    return dict(rows)


def published() -> set[str]:
    """Slugs of the surveys that can be asked."""
    found = SurveyVersion.objects.filter(published_at__isnull=False)
    return set(found.values_list("survey__slug", flat=True))


def load(wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Definition]:
    """Published versions by (slug, number). One statement."""
    if not wanted:
        return {}
    asked = Q()
    for slug, number in wanted:
        asked |= Q(survey__slug=slug, number=number)
    rows = SurveyVersion.objects.filter(asked, published_at__isnull=False).select_related("survey")
    return {(row.survey.slug, row.number): definition(row) for row in rows}


def definition(version: SurveyVersion) -> Definition:
    survey = version.survey
    return Definition(survey.slug, version.number, survey.kind, version.days, wording.read(version.words))


def editable(survey: Survey) -> SurveyVersion:
    """The draft, or an unsaved next one that begins with the published words."""
    last = survey.versions.order_by("-number").first()
    if last is None:
        return SurveyVersion(survey=survey, number=1)
    if last.published_at is None:
        return last
    return SurveyVersion(survey=survey, number=last.number + 1, words=last.words, days=last.days)


def save(version: SurveyVersion, user: AbstractBaseUser | None) -> None:
    """Keep a draft. A published version is never written to."""
    with transaction.atomic():
        Survey.objects.select_for_update().get(pk=version.survey_id)
        if version.pk and SurveyVersion.objects.filter(pk=version.pk, published_at__isnull=False).exists():
            raise ValueError("a published version does not change")
        version.created_by_id = version.created_by_id or (user.pk if user else None)
        version.save()


def publish(version: SurveyVersion, now: datetime) -> list[Fault]:
    """Make a draft the version that is asked from now on, unless it has faults."""
    with transaction.atomic():
        Survey.objects.select_for_update().get(pk=version.survey_id)
        version.refresh_from_db()
        faults = wording.faults(version.survey.kind, wording.read(version.words))
        if version.published_at is None and not faults:
            version.published_at = now
            version.save(update_fields=["published_at"])
    return faults
