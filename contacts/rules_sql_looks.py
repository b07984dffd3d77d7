"""One look at a contact's events of a name, shared by all conditions that ask about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from contacts.rules_length import Months
from contacts.rules_sql_moment import Moment, earliest, instant
from contacts.rules_sql_text import Sql, joined, piece, text
from contacts.rules_tree import Happened

_Kind = tuple[str, bool]
OWN = 7
"The kind of events that Segue itself writes, in the numbers of ``contacts.models.event``."


class Looks:
    """Gathers what conditions ask of the events of each name, and joins one grouping of them to a contact.

    Only names that are asked about more than once are taken: a single question can stop at the first event.
    """

    def __init__(self, conditions: Iterable[Happened], as_of: Moment) -> None:
        asked = [one for one in set(conditions) if not (one.pick or one.then or one.periods)]
        often = Counter(_kind(one) for one in asked)
        self._as_of = as_of
        self._since: dict[_Kind, Moment | None] = {}
        self._answers: dict[_Kind, list[Sql]] = {kind: [] for kind, times in often.items() if times > 1}
        for one in asked:
            start = as_of - one.window.within if isinstance(one.window.within, timedelta | Months) else None
            known = self._since.setdefault(_kind(one), start)
            self._since[_kind(one)] = earliest([start, known]) if start and known else None

    def takes(self, condition: Happened) -> bool:
        return _kind(condition) in self._answers and not condition.then

    def ask(self, condition: Happened, answer: Sql) -> Sql:
        """The column that will hold ``answer``, an aggregate over the alias ``e``."""
        kind = _kind(condition)
        answers = self._answers[kind]
        if answer not in answers:
            answers.append(answer)
        return Sql(f"l{list(self._answers).index(kind)}.a{answers.index(answer)}")

    def joins(self, contact: str) -> Sql:
        """The joins that give the columns, to stand after the contact."""
        found = []
        for number, (kind, answers) in enumerate(self._answers.items()):
            if not answers:
                continue
            name, own = kind
            tests = [
                Sql(f"e.contact_id = {contact}.id"),
                piece("e.name = {}", text(name)),
                piece("e.occurred_at <= {}", instant(self._as_of)),
            ]
            if since := self._since[kind]:
                tests.append(piece("e.occurred_at > {}", instant(since)))
            if own:
                tests.append(Sql(f"e.kind = {OWN}"))
            columns = [piece(f"{{}} AS a{place}", answer) for place, answer in enumerate(answers)]
            found.append(
                piece(
                    f" CROSS JOIN LATERAL (SELECT {{}} FROM contacts_event e WHERE {{}}) l{number}",
                    joined(", ", columns),
                    joined(" AND ", tests),
                )
            )
        return joined("", found)


def _kind(condition: Happened) -> _Kind:
    return condition.name, condition.own
