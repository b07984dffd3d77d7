"""Who comes by the clock in a replay: the occasions of a schedule or of a date, some people at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import msgspec

from contacts.models import Contact
from journeys import clock_people
from journeys.backtest.lives import Arrival
from journeys.backtest.question import Question

_MOMENT = timedelta(microseconds=1)


def arrivals(question: Question, lots: Sequence[int], most: int) -> Iterator[list[Arrival]]:
    """The occasions of at most ``most`` people at a time, each at its instant, as if the clock never slept.

    Dates and zones have no history: they are taken as they stand.
    """
    ahead = question.ahead
    after, until = question.start + ahead - _MOMENT, question.end + ahead - _MOMENT
    found = clock_people.meant(
        Contact.objects.filter(slot__in=list(lots)), question.graph, after, until
    ).order_by("id")
    last = 0
    while some := list(found.filter(id__gt=last)[:most]):
        last = some[-1][0]
        yield [
            Arrival(
                at - ahead,
                at - ahead,
                contact_id,
                msgspec.json.encode({"occasion": f"{local:%Y-%m-%d}"}).decode(),
                "",
            )
            for contact_id, at, local in clock_people.every(question.graph, some, after, until)
        ]
