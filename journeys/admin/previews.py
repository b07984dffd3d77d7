"""Numbers before anybody walks: who would enter, and how people would part at a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contacts import rules
from contacts.models import Contact
from contacts.segmentation import counting
from journeys.building import populations
from journeys.building.sketch import sketch


@dataclass(slots=True)
class Counted:
    """One way, or those who would enter: how many, and some of them. Without ``size`` it took too long."""

    words: str
    size: int | None = None
    sample: list[Contact] = field(default_factory=list)
    share: float = 0.0


def of_step(data: Any, step: str, now: datetime, *, asker: str) -> list[Counted]:
    """Counts of each way of ``step``, or of those who would enter without one. Nothing for other steps."""
    if not step:
        return [_counted("", populations.entering(data), now, asker)]
    known = sketch(data).get(step)
    if known is None:
        return []
    words = {port.path: port.words for port in known.ports}
    found = [_counted(words.get(path, path), rule, now, asker) for path, rule in populations.ways(data, step)]
    total = sum(each.size or 0 for each in found)
    for each in found:
        each.share = round(100 * (each.size or 0) / total, 1) if total else 0.0
    return found


def _counted(words: str, rule: Any, now: datetime, asker: str) -> Counted:
    try:
        found = counting.count(rules.parse(rule), now, asker=f"{asker} preview")
    except (rules.RuleError, counting.Stopped):
        return Counted(words)
    return Counted(words, found.size, found.sample)
