"""Who is in which of several segments: every combination counted once, by what is stored of their members."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from contacts.models import Contact, Segment

MOST = 5
_SAMPLE = 20
_BIGGEST_RADIUS = 92.0


@dataclass(frozen=True, slots=True)
class Region:
    """Contacts in exactly these of the segments; ``mask`` has a bit for each, the first lowest."""

    mask: int
    size: int
    inside: tuple[Segment, ...]
    outside: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Circle:
    """Where to draw a segment in a picture of 400 by 240."""

    x: float
    y: float
    radius: float


def regions(segments: Sequence[Segment]) -> list[Region]:
    """Every combination of the segments that somebody is in, the largest first. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mask, count(*) FROM (SELECT bit_or(1 << (p.place - 1)::int) AS mask"
            " FROM contacts_segmentmembership m"
            " JOIN unnest(%s::int8[]) WITH ORDINALITY AS p(id, place) ON p.id = m.segment_id"
            " GROUP BY m.contact_id) masks GROUP BY mask",
            [[segment.pk for segment in segments]],
        )
        counted = dict(cursor.fetchall())
    return [
        Region(
            mask,
            size,
            tuple(each for place, each in enumerate(segments) if mask >> place & 1),
            tuple(each for place, each in enumerate(segments) if not mask >> place & 1),
        )
        for mask, size in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]


def people(segments: Sequence[Segment], mask: int) -> list[Contact]:
    """Some of the newest contacts of one combination."""
    found = Contact.objects.all()
    for place, segment in enumerate(segments):
        member = {"memberships__segment_id": segment.pk}
        found = found.filter(**member) if mask >> place & 1 else found.exclude(**member)
    return list(found.order_by("-id")[:_SAMPLE])


def circles(sizes: Sequence[int], both: int) -> list[Circle]:
    """Two circles whose areas, and the area they share, are in proportion; three stand in a triangle."""
    if len(sizes) == 3:
        return [Circle(155, 90, 80), Circle(245, 90, 80), Circle(200, 155, 80)]
    largest = max(*sizes, 1)
    radii = [max(_BIGGEST_RADIUS * math.sqrt(size / largest), 6.0) for size in sizes]
    shared = both / largest * math.pi * _BIGGEST_RADIUS**2
    apart = _apart(radii[0], radii[1], shared)
    left = 200 - (radii[0] + apart + radii[1]) / 2
    return [
        Circle(left + radii[0], 110, radii[0]),
        Circle(left + radii[0] + apart, 110, radii[1]),
    ]


def _apart(first: float, second: float, shared: float) -> float:
    """How far apart two circles stand that share an area."""
    low, high = abs(first - second), first + second
    if shared <= 0:
        return high + 8
    for _step in range(50):
        middle = (low + high) / 2
        if _lens(first, second, middle) > shared:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _lens(first: float, second: float, apart: float) -> float:
    """The area that two circles share (the usual sum of two circular segments)."""
    if apart >= first + second:
        return 0.0
    if apart <= abs(first - second):
        return math.pi * min(first, second) ** 2
    one = math.acos((apart**2 + first**2 - second**2) / (2 * apart * first))
    two = math.acos((apart**2 + second**2 - first**2) / (2 * apart * second))
    return first**2 * (one - math.sin(2 * one) / 2) + second**2 * (two - math.sin(2 * two) / 2)
