"""Days on which nothing leaves: blackouts, public holidays, hours of law. Pure.

Public holidays come from the ``holidays`` package, which knows them by country, state and year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial

import holidays

from channels import policy_time
from channels.charter_parts import Closed
from channels.law_packs import LawWindow

#: A stretch of closed days longer than this counts as never open.
_LONGEST_STRETCH = 366


def free_of_days(at: datetime, closed: Callable[[date], bool], names: Sequence[str]) -> datetime | None:
    """The first instant from ``at`` on that is on an open day in every zone; None when there is none."""
    return policy_time.agree(at, [partial(_next_open, closed, name) for name in names])


def _next_open(closed: Callable[[date], bool], name: str, at: datetime) -> datetime | None:
    today = day = at.astimezone(policy_time.zone(name)).date()
    while closed(day):
        day += timedelta(days=1)
        if (day - today).days > _LONGEST_STRETCH:
            return None
    return at if day == today else policy_time.instant(datetime.combine(day, time()), name, after=at)


def free_of_laws(
    at: datetime, windows: Sequence[LawWindow], states: dict[str, str], names: Sequence[str]
) -> datetime | None:
    """The first instant from ``at`` on that every window allows in every zone.

    ``states`` holds the person's state by country, where it is known: for public holidays of one.
    """
    rules = [
        partial(_after_window, window, states.get(window.country, ""), name)
        for name in names
        for window in windows
    ]
    return policy_time.agree(at, rules)


def _after_window(window: LawWindow, state: str, name: str, at: datetime) -> datetime | None:
    local = at.astimezone(policy_time.zone(name)).replace(tzinfo=None)
    if not window.holds(local.date()):
        return at
    if window.holidays and is_holiday(local.date(), window.country, state):
        tomorrow = datetime.combine(local.date() + timedelta(days=1), time())
        return policy_time.instant(tomorrow, name, after=at)
    for hours in window.quiet:
        if hours.covers(local):
            return policy_time.instant(hours.end_after(local), name, after=at)
    return at


def closed_on(rule: Closed, countries: Iterable[str], state: str) -> Callable[[date], bool]:
    """Whether a day is closed by ``rule`` for somebody who is in one of ``countries``."""
    if rule.holidays:
        places = sorted(countries)
        return lambda day: any(is_holiday(day, country, state) for country in places)
    return partial(within, rule)


def within(rule: Closed, day: date) -> bool:
    """Whether ``day`` lies in a blackout, in that of any year if it comes every year."""
    if rule.first is None or rule.last is None:
        return False
    if not rule.every_year:
        return rule.first <= day <= rule.last
    begins, ends, own = ((one.month, one.day) for one in (rule.first, rule.last, day))
    return begins <= own <= ends if begins <= ends else own >= begins or own <= ends


@lru_cache(maxsize=65_536)
def is_holiday(day: date, country: str, state: str = "") -> bool:
    """Whether ``day`` is a public holiday of the country, or of the state there where one is known."""
    return day in _holidays(country, state, day.year)


@lru_cache(maxsize=2_048)
def _holidays(country: str, state: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, subdiv=state or None, years=year))
    except NotImplementedError:  # a country or a state that the package does not know
        return _holidays(country, "", year) if state else frozenset()
