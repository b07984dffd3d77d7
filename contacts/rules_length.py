"""Lengths of time, back from the instant of asking: exact ones, and months by the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Months:
    """A length by the calendar (UTC): so many months from an instant, at the same day and time.

    A day that the month does not have is the beginning of the next month, so that an instant that comes
    later never leads to one that comes earlier.
    """

    count: int

    def __radd__(self, instant: datetime) -> datetime:
        at = instant.astimezone(UTC)
        year, month = divmod(at.year * 12 + at.month - 1 + self.count, 12)
        try:
            return at.replace(year=year, month=month + 1)
        except ValueError:
            year, month = divmod(year * 12 + month + 1, 12)
            return datetime(year, month + 1, 1, tzinfo=UTC)

    def __rsub__(self, instant: datetime) -> datetime:
        return instant + Months(-self.count)

    def __neg__(self) -> Months:
        return Months(-self.count)


Length: TypeAlias = timedelta | Months


def ahead(length: Length) -> bool:
    """Whether a length leads forward from the instant of asking: it is kept as less than nothing."""
    return length.count < 0 if isinstance(length, Months) else length < timedelta()


def multiple(length: Length, number: int) -> Length:
    return Months(length.count * number) if isinstance(length, Months) else length * number
