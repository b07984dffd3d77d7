"""What people answered, in figures: a constant number of statements whatever the number of answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import TruncWeek

from channels.models import Survey, SurveyAnswer, SurveyVersion
from channels.surveys import versions
from channels.surveys.wording import CSAT, NPS, QUESTION

PERIODS = (30, 90, 365)
WEEKS = 12
PROMOTERS, DETRACTORS = 9, 6
SATISFIED = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One possible answer and how often it was given; ``share`` in per cent of all answers."""

    label: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Week:
    """The answers of one week; ``score`` as the survey's own, None without answers."""

    first: datetime
    count: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Results:
    """``score`` is NPS (-100 to 100), or the per cent satisfied (CSAT), None where there is no number."""

    days: int
    asked: int
    answered: int
    score: float | None
    mean: float | None
    bars: list[Bar]
    weeks: list[Week]

    @property
    def rate(self) -> float | None:
        """Answers to a hundred messages."""
        return 100 * self.answered / self.asked if self.asked else None


def of(survey: Survey, days: int, now: datetime, channel: str = "") -> Results:
    """The results of the last ``days``, of one channel or all."""
    answers = chosen(survey, days, now, channel)
    counts = list(answers.order_by().values_list("score", "answer").annotate(count=Count("id")))
    total = sum(count for _score, _answer, count in counts)
    figures = answers.aggregate(mean=Avg("score"), **_parts(survey.kind))
    return Results(
        days,
        _asked(survey, now - timedelta(days=days), channel),
        total,
        _score(survey.kind, total, figures),
        None if figures["mean"] is None else round(float(figures["mean"]), 2),
        _bars(survey, counts, total),
        _weeks(survey, now, channel),
    )


def chosen(survey: Survey, days: int, now: datetime, channel: str = "") -> QuerySet[SurveyAnswer]:
    """The answers of the last ``days``, the newest first."""
    rows = SurveyAnswer.objects.filter(survey=survey, answered_at__gt=now - timedelta(days=days))
    return (rows.filter(channel=channel) if channel else rows).order_by("-answered_at", "-id")


def _parts(kind: str) -> dict[str, Count]:
    good = {NPS: PROMOTERS, CSAT: SATISFIED}.get(kind, 99)
    return {
        "good": Count("id", filter=Q(score__gte=good)),
        "bad": Count("id", filter=Q(score__lte=DETRACTORS)),
    }


def _score(kind: str, total: int, figures: Any) -> float | None:
    if not total or kind == QUESTION:
        return None
    bad = figures["bad"] if kind == NPS else 0
    return round(100.0 * int(figures["good"] - bad) / total, 1)


def _bars(survey: Survey, counts: list[tuple[int | None, str, int]], total: int) -> list[Bar]:
    """Every possible answer in its order; what earlier versions offered besides comes after."""
    by_label = {answer: count for _score_of, answer, count in counts}
    version = (
        SurveyVersion.objects.filter(survey=survey, published_at__isnull=False).order_by("-number").first()
    )
    asked = versions.definition(version) if version else None
    if asked is None or (asked.is_free and survey.kind == QUESTION):
        return []
    labels = [picked.answer for value in asked.values if (picked := asked.picked(value))]
    labels += sorted(by_label.keys() - set(labels))
    return [
        Bar(label, by_label.get(label, 0), round(100 * by_label.get(label, 0) / total, 1) if total else 0)
        for label in labels
    ]


def _weeks(survey: Survey, now: datetime, channel: str) -> list[Week]:
    rows = (
        chosen(survey, WEEKS * 7, now, channel)
        .order_by()
        .annotate(week=TruncWeek("answered_at"))
        .values("week")
        .annotate(count=Count("id"), **_parts(survey.kind))
        .order_by("week")
    )
    return [Week(row["week"], row["count"], _score(survey.kind, row["count"], row)) for row in rows]


def _asked(survey: Survey, since: datetime, channel: str) -> int:
    """Messages that asked it and reached people."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM channels_message WHERE variables ? 'survey'"
            " AND variables #>> '{survey,slug}' = %s AND created_at > %s AND accepted_at IS NOT NULL"
            " AND (%s = '' OR channel = %s)",
            [survey.slug, since, channel, channel],
        )
        (found,) = cursor.fetchone() or (0,)
        return int(found)
