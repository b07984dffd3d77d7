"""When somebody answers, from messages and visits, corrected for when there was anything to answer. Pure.

A message lies before its person until they answer or a day has passed; each of those hours was a chance,
worth less the older the message. The rate of an hour is answers by chances, spread to the hours beside it,
and drawn to what is usual in the person's group. Visits count as answers too; how many chances stand behind
them is learned from everybody: how often people visit, against how often they answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from analytics.predictions.sums import ALL, DAYS, HOURS, Rhythm, Sums

#: Hours after which a message is worth a chance 1/e as good.
_FADES = 5.0
_SPREAD = 1.2
#: For how many chances the usual rate of an hour counts, and that of a day.
_STRENGTH, _DAY_STRENGTH = 6.0, 12.0
_FIRST_RATE = 0.02
_FADING = tuple(math.exp(-age / _FADES) for age in range(HOURS))


def read(
    zone: ZoneInfo,
    messages: Iterable[tuple[datetime, datetime | None]],
    visits: Iterable[datetime],
    days: float,
) -> Rhythm:
    """One person's rhythm. ``messages``: when each arrived and was answered (None: it was not); ``visits``:
    the hours in which they came by themselves, each once; ``days``: how many days we have known them."""
    found = Rhythm(days=days)
    for arrived, answered in messages:
        local = arrived.astimezone(zone)
        lay = HOURS
        if answered is not None:
            lay = max(0, min(HOURS, int((answered - arrived).total_seconds() // 3_600) + 1))
            then = answered.astimezone(zone)
            found.answers[then.hour] += 1
            found.day_answers[then.weekday()] += 1
        for age in range(lay):
            found.exposure[(local.hour + age) % HOURS] += _FADING[age]
        found.day_exposure[local.weekday()] += 1
    for visit in visits:
        local = visit.astimezone(zone)
        found.visits[local.hour] += 1
        found.day_visits[local.weekday()] += 1
    return found


def weights(own: Rhythm, sums: Sums, group: str) -> tuple[list[float], list[float]]:
    """By hour, how likely a message sent then is answered; by day, how much more than on average."""
    everybody = sums.rhythms.get(ALL, Rhythm())
    near = sums.rhythms.get(group, everybody)
    hourly = _chances(everybody, everybody.answers, everybody.exposure, everybody.visits, HOURS)
    usual = _usual(near, everybody, hourly)
    kernel = _kernel()
    events = [own.answers[hour] + own.visits[hour] for hour in range(HOURS)]
    chances = [own.exposure[hour] + hourly * own.days for hour in range(HOURS)]
    rates = [
        min(
            (_spread(events, kernel, hour) + _STRENGTH * usual[hour])
            / (_spread(chances, kernel, hour) + _STRENGTH),
            1.0,
        )
        for hour in range(HOURS)
    ]
    return [_sent_at(rates, hour) for hour in range(HOURS)], _days(own, everybody)


def _sent_at(rates: Sequence[float], hour: int) -> float:
    """How likely a message sent at ``hour`` is answered before a day has passed."""
    missed = 1.0
    for age in range(HOURS):
        missed *= 1 - rates[(hour + age) % HOURS] * _FADING[age]
    return 1 - missed


def _usual(near: Rhythm, everybody: Rhythm, hourly: float) -> list[float]:
    """The usual rate of each hour: that of the group, drawn to everybody's, drawn to one for all hours."""
    kernel = _kernel()
    flat = _rate(everybody.answers, everybody.exposure)
    found: list[float] = []
    for rhythm, strength in ((everybody, 100.0), (near, 200.0)):
        events = [rhythm.answers[hour] + rhythm.visits[hour] for hour in range(HOURS)]
        chances = [rhythm.exposure[hour] + hourly * rhythm.days for hour in range(HOURS)]
        base = found or [flat] * HOURS
        found = [
            (_spread(events, kernel, hour) + strength * base[hour])
            / (_spread(chances, kernel, hour) + strength)
            for hour in range(HOURS)
        ]
    return found


def _days(own: Rhythm, everybody: Rhythm) -> list[float]:
    daily = _chances(everybody, everybody.day_answers, everybody.day_exposure, everybody.day_visits, DAYS)

    def rates(one: Rhythm, strength: float, usual: Sequence[float]) -> list[float]:
        return [
            (one.day_answers[day] + one.day_visits[day] + strength * usual[day])
            / (one.day_exposure[day] + daily * one.days / DAYS + strength)
            for day in range(DAYS)
        ]

    flat = [_rate(everybody.day_answers, everybody.day_exposure)] * DAYS
    found = rates(own, _DAY_STRENGTH, rates(everybody, 100.0, flat))
    mean = sum(found) / DAYS
    return [rate / mean for rate in found]


def _chances(
    everybody: Rhythm,
    answers: Sequence[float],
    exposure: Sequence[float],
    visits: Sequence[float],
    parts: int,
) -> float:
    """How many chances to answer one day of knowing somebody is worth, in each part of it."""
    rate = _rate(answers, exposure)
    whole = everybody.days * (1 if parts == HOURS else 1 / DAYS) * parts
    return sum(visits) / whole / rate if whole > 0 else 0.0


def _rate(answers: Sequence[float], exposure: Sequence[float]) -> float:
    """Answers by chances, never nothing."""
    return (sum(answers) + 20 * _FIRST_RATE) / (sum(exposure) + 20)


def _spread(values: Sequence[float], kernel: Sequence[tuple[int, float]], hour: int) -> float:
    return sum(values[(hour + step) % HOURS] * weight for step, weight in kernel)


@cache
def _kernel() -> tuple[tuple[int, float], ...]:
    """Weights of the hours about one, adding up to 1."""
    raw = [(step, math.exp(-0.5 * (step / _SPREAD) ** 2)) for step in range(-3, 4)]
    whole = sum(weight for _step, weight in raw)
    return tuple((step, weight / whole) for step, weight in raw)
