"""Whether the conditions that messages carry hold: one statement for up to 60 different rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from channels.lifecycle import Known
from contacts import rules, rules_sql
from contacts.rules import Rule, RuleError
from contacts.rules_sql import Subject


class Wish(Known, Protocol):
    """What conditions need to know of a message; a row of the table will do."""

    @property
    def entered_at(self) -> datetime | None: ...
    @property
    def conditions(self) -> Any: ...


def hold(wishes: Iterable[Wish], now: datetime | Mapping[int, datetime]) -> dict[int, bool]:
    """Whether each message's own conditions hold, for the messages that have some.

    ``now`` is one instant for all, or, in a replay of the past, each message's own by its id.

    One statement for up to 60 different rules. A rule that cannot be read does not hold.
    """
    asked = [wish for wish in wishes if wish.conditions is not None]
    by_text: dict[str, tuple[Rule | None, list[int]]] = {}
    answers = {wish.id: False for wish in asked}
    for i, wish in enumerate(asked):
        text = json.dumps(wish.conditions, sort_keys=True)
        if text not in by_text:
            by_text[text] = (_parsed(wish.conditions), [])
        by_text[text][1].append(i)
    one = now if isinstance(now, datetime) else None
    subjects = [
        Subject(
            wish.contact_id,
            wish.slot,
            wish.entered_at or wish.created_at,
            wish.created_at,
            None if isinstance(now, datetime) else now[wish.id],
        )
        for wish in asked
    ]
    readable = [(rule, positions) for rule, positions in by_text.values() if rule is not None]
    held = (
        rules_sql.verdicts([rule for rule, _positions in readable], subjects, one, past=one is None)
        if readable
        else []
    )
    for (_rule, positions), holds in zip(readable, held, strict=True):
        for i in positions:
            answers[asked[i].id] = i in holds
    return answers


def _parsed(data: Any) -> Rule | None:
    try:
        return rules.parse(data)
    except RuleError:
        return None
