"""How a segment grew: the figures kept of each day, and what its rule would have given in the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from django.db import OperationalError, transaction
from psycopg.errors import QueryCanceled

from contacts import rules, whole_base
from contacts.models import Segment, SegmentDay
from contacts.rules_sql import matching

_SECONDS = 4
_WEEKS = 12
WIDTH, HEIGHT = 720.0, 220.0


@dataclass(frozen=True, slots=True)
class Point:
    """A segment on a day (UTC): its size, and who came and went."""

    day: date
    size: int
    entered: int = 0
    gone: int = 0


def daily(segment: Segment, today: date, days: int = 90) -> list[Point]:
    """A point for each day since the first figure; days without a change carry the size on. One statement."""
    since = today - timedelta(days=days - 1)
    kept = {row.day: row for row in segment.days.filter(day__lte=today).order_by("day")}
    if not kept:
        return []
    earlier = [row for row in kept.values() if row.day < since]
    size = earlier[-1].size if earlier else 0
    day, points = (since if earlier else min(kept)), list[Point]()
    while day <= today:
        row = kept.get(day)
        size = row.size if row else size
        points.append(Point(day, size, row.entered if row else 0, row.gone if row else 0))
        day += timedelta(days=1)
    return points


def past(segment: Segment, now: datetime) -> list[Point]:
    """What the rule gives as of each of the last twelve weeks. Attributes and segments count as they are now.

    Stops at the first week whose answer takes longer than four seconds.
    """
    rule = rules.parse(segment.rule, in_journey=False)
    points = list[Point]()
    for week in range(_WEEKS + 1):
        moment = now - timedelta(weeks=week)
        try:
            with transaction.atomic():
                whole_base.prepare(seconds=_SECONDS)
                points.append(Point(moment.astimezone(UTC).date(), matching(rule, as_of=moment).count()))
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
            break
    return points[::-1]


def changes(segments: Sequence[Segment], today: date, days: int = 7) -> dict[int, int]:
    """Per segment the change of its size within the last days; without an older figure, none."""
    since = today - timedelta(days=days)
    rows = SegmentDay.objects.filter(segment__in=segments, day__lte=since).order_by("segment_id", "-day")
    older = dict(rows.distinct("segment_id").values_list("segment_id", "size"))
    return {segment.pk: segment.size - older[segment.pk] for segment in segments if segment.pk in older}


@dataclass(frozen=True, slots=True)
class Drawing:
    """Points in a picture of 720 by 220: the line of sizes, and its area down to the ground."""

    line: str
    area: str
    dots: list[tuple[float, float, Point]]
    top: int
    bottom: int


def draw(points: Sequence[Point]) -> Drawing | None:
    """A line over the points; None for fewer than two."""
    if len(points) < 2:
        return None
    sizes = [point.size for point in points]
    low = 0 if min(sizes) < max(sizes) / 2 else int(min(sizes) * 0.95)
    high = max(*sizes, low + 1)
    span = (points[-1].day - points[0].day).days or 1
    spots = [
        (
            round((point.day - points[0].day).days / span * WIDTH, 1),
            round(HEIGHT - (point.size - low) / (high - low) * (HEIGHT - 16), 1),
            point,
        )
        for point in points
    ]
    line = " ".join(f"{x},{y}" for x, y, _point in spots)
    return Drawing(line, f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", spots, high, low)


def gained(points: Sequence[Point]) -> list[tuple[Point, int]]:
    """Each point after the first with its change, the newest first."""
    return [(after, after.size - before.size) for before, after in pairwise(points)][::-1]
