"""The one evaluator of rules: SQL over contacts and their events, always as of an instant.

``matching`` gives a queryset, ``verdicts`` answers many rules for many subjects in one statement.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from contacts import arrays
from contacts.models import Contact
from contacts.rules import Rule
from contacts.rules_sql_happened import foldable, folded, ids
from contacts.rules_sql_leaves import leaf, row_local
from contacts.rules_sql_looks import Looks
from contacts.rules_sql_moment import Own
from contacts.rules_sql_scope import Scope, Share
from contacts.rules_sql_text import FALSE, TRUE, Sql, joined, piece
from contacts.rules_tree import AllOf, AnyOf, Everyone, Happened, Messaged, Not, happenings, leaves

# PostgreSQL takes 1,664 columns of output; far fewer keep planning cheap.
_MOST_RULES = 60


@dataclass(frozen=True, slots=True)
class Subject:
    """A contact to be judged, with the instants that ``since_entry`` and ``since_step`` mean for it.

    With ``at`` it is judged at an instant of its own.
    """

    contact_id: int
    slot: int
    entered_at: datetime | None = None
    step_at: datetime | None = None
    at: datetime | None = None


def matching(
    rule: Rule,
    *,
    as_of: datetime,
    contact_ids: Collection[int] | None = None,
    past: bool = False,
    share: Share | None = None,
) -> QuerySet[Contact]:
    """The contacts for whom ``rule`` holds at ``as_of``; of ``contact_ids`` or a ``share`` only, where given.

    Without subjects, windows since a journey's entry or step reach back to the beginning. With ``past``,
    ``as_of`` is not now: those who were not there yet are left out, and ``rules_past.unsure`` says for how
    many the answer is not certain.
    """
    if past or contact_ids is None:
        found = Contact.objects.filter(Holds(rule, as_of, whole=True, past=past, share=share))
        if share and share.above is not None:
            found = found.filter(id__gt=share.above)
        if share and share.upto is not None:
            found = found.filter(id__lte=share.upto)
        return found.filter(first_seen_at__lte=as_of) if past else found
    return Contact.objects.filter(Holds(rule, as_of, whole=False), id__in=contact_ids)


def verdicts(
    rules: Sequence[Rule], subjects: Sequence[Subject], as_of: datetime | None, *, past: bool = False
) -> list[set[int]]:
    """For each rule the positions of the subjects for whom it holds at ``as_of``, or at the subject's own
    instant where None is given. ``past`` as in ``matching``.

    The number of statements depends on the number of different rules alone: one for each 60.
    """
    if not subjects:
        return [set() for _rule in rules]
    held: dict[Rule, set[int]] = {rule: set() for rule in rules}
    different = list(held)
    for start in range(0, len(different), _MOST_RULES):
        batch = different[start : start + _MOST_RULES]
        for position, *answers in _judge(batch, subjects, as_of, past):
            for rule, holds in zip(batch, answers, strict=True):
                if holds:
                    held[rule].add(position)
    return [held[rule] for rule in rules]


def obvious(rule: Rule, as_of: datetime) -> Sql | None:
    """What ``rule`` certainly asks of the row of a contact ``c`` itself; None where nothing."""
    parts = rule.parts if isinstance(rule, AllOf) else (rule,)
    plain = tuple(part for part in parts if leaves(part) and all(row_local(each) for each in leaves(part)))
    if not plain or plain == tuple(parts):
        return None
    return condition(AllOf(plain), Scope("c", as_of, whole=True))


def condition(rule: Rule, scope: Scope) -> Sql:
    """``rule`` as SQL over the aliases of ``scope``: never NULL, fit for WHERE and for SELECT."""
    return _node(rule, scope, True, count(1))


def _judge(
    rules: Sequence[Rule], subjects: Sequence[Subject], as_of: datetime | None, past: bool
) -> list[tuple[Any, ...]]:
    begun = any(subject.entered_at or subject.step_at for subject in subjects)
    moment = as_of or Own(Sql("s.at"))
    looks = Looks((one for rule in rules for one in happenings(rule)), moment)
    scope = Scope("c", moment, whole=False, subject="s" if begun else None, looks=looks, past=past)
    asked = joined(", ", (condition(rule, scope) for rule in rules))
    joins = looks.joins("c")
    lists: list[Any] = [arrays.literal(subject.contact_id for subject in subjects)]
    given, columns = "%s::int8[]", "contact_id, position"
    if begun:
        lists += [[subject.entered_at for subject in subjects], [subject.step_at for subject in subjects]]
        given, columns = (
            f"{given}, %b::timestamptz[], %b::timestamptz[]",
            "contact_id, entered_at, step_at, position",
        )
    if as_of is None:
        lists.append([subject.at for subject in subjects])
        given, columns = f"{given}, %b::timestamptz[]", columns.replace("position", "at, position")
    connection.ensure_connection()
    # A cursor of psycopg itself: arrays travel in binary form, which costs a fraction of the text form.
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            f"SELECT s.position, {asked.text} FROM unnest({given}) WITH ORDINALITY AS s({columns})"
            f" JOIN contacts_contact c ON c.id = s.contact_id{joins.text}",
            [*asked.params, *lists, *joins.params],
        )
        return [(position - 1, *answers) for position, *answers in cursor.fetchall()]


def _node(rule: Rule, scope: Scope, wanted: bool, aliases: count[int]) -> Sql:
    """A negation travels down to the conditions, so that only AND, OR and single conditions remain."""
    match rule:
        case Everyone():
            return TRUE if wanted else FALSE
        case Not(part):
            return _node(part, scope, not wanted, aliases)
        case AllOf(parts) | AnyOf(parts):
            if isinstance(rule, AllOf) == wanted:
                return _conjunction(parts, scope, wanted, aliases)
            if not scope.whole or all(row_local(each) for each in leaves(rule)):
                return _both(" OR ", [_node(part, scope, wanted, aliases) for part in parts])
            return _union(parts, scope, wanted, aliases)
        case _:
            return leaf(rule, scope, wanted=wanted)


def _conjunction(parts: Sequence[Rule], scope: Scope, wanted: bool, aliases: count[int]) -> Sql:
    """Counts of the same event become one look at the log, where the whole base is asked."""
    counts: dict[tuple[str, bool], list[tuple[Happened, bool]]] = {}
    rest = []
    for part in _flat(parts, wanted):
        counted = _counted(part, wanted) if scope.whole else None
        if counted:
            counts.setdefault((counted[0].name, counted[0].own), []).append(counted)
        else:
            rest.append(_node(part, scope, wanted, aliases))
    rest += [
        folded(group, scope) if len(group) > 1 else leaf(group[0][0], scope, wanted=group[0][1])
        for group in counts.values()
    ]
    return _both(" AND ", rest)


def _flat(parts: Sequence[Rule], wanted: bool) -> list[Rule]:
    """The parts, with those of a group inside that joins in the same way in its place."""
    found: list[Rule] = []
    for part in parts:
        same = isinstance(part, AllOf if wanted else AnyOf)
        found += _flat(part.parts, wanted) if same and isinstance(part, AllOf | AnyOf) else [part]
    return found


def _counted(part: Rule, wanted: bool) -> tuple[Happened, bool] | None:
    found = _happening(part, wanted)
    return found if found and foldable(found[0]) else None


def _happening(part: Rule, wanted: bool) -> tuple[Happened, bool] | None:
    while isinstance(part, Not):
        part, wanted = part.part, not wanted
    found = part.as_event() if isinstance(part, Messaged) else part
    return (found, wanted) if isinstance(found, Happened) else None


def _ids(part: Rule, scope: Scope, wanted: bool) -> Sql | None:
    """A set that is found without looking at contacts."""
    found = _happening(part, wanted)
    return ids(found[0], scope, found[1]) if found else None


def _union(parts: Sequence[Rule], scope: Scope, wanted: bool, aliases: count[int]) -> Sql:
    """Alternatives for the whole base: a union of sets, because OR would keep the joins from being joins."""
    sets = []
    for part in parts:
        if direct := _ids(part, scope, wanted):
            sets.append(direct)
            continue
        alias = f"c{next(aliases)}"
        inner = replace(scope, contact=alias)
        sets.append(
            piece(
                f"SELECT {alias}.id FROM contacts_contact {alias} WHERE {{}} AND {{}}",
                scope.share.holds(f"{alias}.id") if scope.share else TRUE,
                _node(part, inner, wanted, aliases),
            )
        )
    return piece(
        f"EXISTS (SELECT 1 FROM ({{}}) u(id) WHERE u.id = {scope.contact}.id)", joined(" UNION ALL ", sets)
    )


def _both(word: str, parts: list[Sql]) -> Sql:
    return piece("({})", joined(word, parts))


class Holds(Expression):
    """A rule as a condition of a queryset of contacts."""

    output_field = BooleanField()
    conditional = True

    def __init__(
        self, rule: Rule, as_of: datetime, *, whole: bool, past: bool = False, share: Share | None = None
    ) -> None:
        super().__init__()
        self.rule, self.as_of = rule, as_of
        self.whole, self.past, self.share = whole, past, share
        self.contact: Any = F("id")

    def get_source_expressions(self) -> list[Any]:
        return [self.contact]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.contact,) = exprs

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_extra: Any
    ) -> tuple[str, tuple[Any, ...]]:
        # The resolved id knows the alias that its table has here.
        alias = connection.ops.quote_name(self.contact.alias)
        return tuple(
            condition(self.rule, Scope(alias, self.as_of, whole=self.whole, past=self.past, share=self.share))
        )  # type: ignore[return-value]
