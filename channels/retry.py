"""When a message that could not leave is tried again: a table, as a function of its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Schedule:
    """``waits`` between attempts in seconds, the last one repeated until ``most`` attempts were made."""

    waits: tuple[int, ...]
    most: int


MARKETING = Schedule((60, 300, 900, 3600, 3 * 3600), most=8)
TRANSACTIONAL = Schedule((15, 60, 300, 900, 3600), most=14)
#: A text message is of use for hours, not days.
TEXTS = Schedule((30, 120, 600, 1800, 3600), most=8)
TEXTS_TRANSACTIONAL = Schedule((10, 30, 120, 300, 900), most=12)
#: How far an answer such as "Retry-After" may push a message away.
LONGEST_WAIT = timedelta(hours=6)
JITTER = 0.25
#: So often in a row a provider's word is enough; then the schedule counts too, whatever it says.
_BELIEVED = 3
_SHORTEST_WAIT = 1.0
#: Seconds at most over which those are spread that a provider asked back at one time.
_CLOSE = 5.0
#: Messages to one receiving domain that failed together are spread up to so many times as far.
_MOST_CROWDED = 4


def next_attempt(
    schedule: Schedule,
    attempts: int,
    now: datetime,
    *,
    chance: float,
    retry_after: float | None = None,
    crowd: int = 1,
) -> datetime | None:
    """When to try again after ``attempts`` tries, or None when there were enough.

    ``chance`` (0 to 1) spreads the attempts of many messages, the more the more of a ``crowd`` to the same
    receiving domain failed at once. A provider's ``retry_after`` in seconds is never undercut, and never
    believed beyond ``LONGEST_WAIT``; the first times it is what counts, else the longer one of it and the
    schedule.
    """
    if attempts >= schedule.most:
        return None
    wait = float(schedule.waits[min(max(attempts, 1), len(schedule.waits)) - 1])
    asked = believed(retry_after)
    if asked and attempts <= _BELIEVED:
        return now + timedelta(seconds=asked + min(JITTER * asked, _CLOSE) * chance)
    spread = JITTER * min(max(crowd, 1), _MOST_CROWDED)
    return now + timedelta(seconds=max(wait, asked) * (1 + spread * chance))


def believed(retry_after: float | None) -> float:
    """The seconds that a provider asked for, within reason; 0 when it named no time to come."""
    if retry_after is None or not retry_after > 0:
        return 0.0
    return min(max(retry_after, _SHORTEST_WAIT), LONGEST_WAIT.total_seconds())
