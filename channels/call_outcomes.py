"""How calls end, in an account's own words, and what follows from each. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What may follow: nothing more, another call, or that nobody is called again.
END, AGAIN, NEVER = "end", "again", "never"
USUAL = """reached
not reached = again 4 hours
wants another time = again 1 day
wrong number
do not call = never"""
_LINE = re.compile(r"([^=]{1,60}?)\s*(?:=\s*(again|never)(?:\s+(\d{1,3})\s*(hours?|days?))?)?\s*")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``hours``: after how long to call again."""

    name: str
    follows: str = END
    hours: int = 0


def read(text: str) -> tuple[Outcome, ...]:
    """One a line: a name, and ``= again 4 hours`` or ``= never``. Raises ValueError with what is none."""
    found = []
    for line in filter(None, (one.strip() for one in (text.strip() or USUAL).splitlines())):
        parts = _LINE.fullmatch(line)
        if parts is None or (parts[2] == AGAIN and not parts[3]):
            raise ValueError(f"“{line[:60]}” is no outcome: a name, and = again 4 hours, or = never")
        hours = int(parts[3] or 0) * (24 if (parts[4] or "").startswith("day") else 1)
        found.append(Outcome(parts[1], parts[2] or END, hours))
    return tuple(found)
