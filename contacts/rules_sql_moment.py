"""The instant of asking: one for all, or, for people judged each at their own instant, a column of them.

A rule is asked either way with the same words. What Python works out from one instant, PostgreSQL works out
from a column, and both come to the same: lengths are exact, months go by the calendar of UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias, cast, overload

from contacts.rules_length import Length, Months
from contacts.rules_sql_text import Sql, instants, interval, joined, piece, whole
from contacts.rules_sql_text import instant as one_instant


@dataclass(frozen=True, slots=True)
class Own:
    """An instant of each row: an expression of type timestamptz."""

    sql: Sql

    def __sub__(self, length: Length) -> Own:
        if isinstance(length, Months):
            return self._months(-length.count)
        return Own(piece("({} - {})", self.sql, interval(length)))

    def __add__(self, length: Length) -> Own:
        if isinstance(length, Months):
            return self._months(length.count)
        return Own(piece("({} + {})", self.sql, interval(length)))

    def _months(self, count: int) -> Own:
        """As ``Months`` has it: a day that the month does not have is the beginning of the next one."""
        at = piece("({} AT TIME ZONE 'UTC')", self.sql)
        moved = piece("({} + make_interval(months => {}::int4))", at, whole(count))
        return Own(
            piece(
                "((CASE WHEN extract(day FROM {}) = extract(day FROM {}) THEN {}"
                " ELSE date_trunc('month', {}) + interval '1 month' END) AT TIME ZONE 'UTC')",
                moved, at, moved, moved,
            )
        )  # fmt: skip

    def midnight(self) -> Own:
        return Own(piece("(date_trunc('day', {} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')", self.sql))


Moment: TypeAlias = datetime | Own


def instant(moment: Moment) -> Sql:
    return moment.sql if isinstance(moment, Own) else one_instant(moment)


def array(moments: Sequence[Moment]) -> Sql:
    """Instants as an array."""
    if any(isinstance(each, Own) for each in moments):
        return piece("ARRAY[{}]", joined(", ", [instant(each) for each in moments]))
    return instants(cast("Sequence[datetime]", moments))


@overload
def midnight(moment: datetime) -> datetime: ...
@overload
def midnight(moment: Own) -> Own: ...
def midnight(moment: Moment) -> Moment:
    """The beginning of its day in UTC."""
    if isinstance(moment, Own):
        return moment.midnight()
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def earliest(moments: Sequence[Moment]) -> Moment:
    if any(isinstance(each, Own) for each in moments):
        return Own(piece("least({})", joined(", ", [instant(each) for each in moments])))
    return min(cast("Sequence[datetime]", moments))


def latest(moments: Sequence[Moment]) -> Moment:
    if any(isinstance(each, Own) for each in moments):
        return Own(piece("greatest({})", joined(", ", [instant(each) for each in moments])))
    return max(cast("Sequence[datetime]", moments))
