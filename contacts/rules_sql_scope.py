"""Where a condition stands, and the forms that every condition has in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contacts.rules_length import Months
from contacts.rules_sql_looks import Looks
from contacts.rules_sql_moment import Moment, instant
from contacts.rules_sql_text import TRUE, Sql, joined, piece
from contacts.rules_tree import Window
from contacts.rules_vocabulary import SINCE_ENTRY, SINCE_STEP


@dataclass(frozen=True, slots=True)
class Share:
    """The contacts with an id above ``above`` and up to ``upto``; None where there is no bound."""

    above: int | None
    upto: int | None

    def holds(self, column: str) -> Sql:
        tests = []
        if self.above is not None:
            tests.append(Sql(f"{column} > %s", (self.above,)))
        if self.upto is not None:
            tests.append(Sql(f"{column} <= %s", (self.upto,)))
        return joined(" AND ", tests) if tests else TRUE


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a condition stands: the contact's alias, the subjects' alias if any, and the instant.

    With subjects the instant may be each subject's own (``rules_sql_moment.Own``).
    ``past`` asks for another instant than now: who was in a segment then is read from the log.
    ``share``: only these contacts are asked about, so that a set of events may be limited to theirs.
    ``looks`` gathers questions about events, where many conditions are answered for some contacts.
    """

    contact: str
    as_of: Moment
    whole: bool
    subject: str | None = None
    looks: Looks | None = None
    past: bool = False
    share: Share | None = None


def same(alias: str, scope: Scope) -> Sql:
    """The rows of ``alias`` that are the contact's."""
    return Sql(f"{alias}.contact_id = {scope.contact}.id")


def linked(alias: str, scope: Scope) -> Sql:
    """What ties a set of events to contacts: one contact's own, or those of all that are asked about."""
    if not scope.whole:
        return same(alias, scope)
    return scope.share.holds(f"{alias}.contact_id") if scope.share else TRUE


def own(alias: str, scope: Scope) -> Sql:
    """``same``, with the bounds of a share said of these rows too: PostgreSQL does not infer them."""
    tests = [same(alias, scope)]
    if scope.share:
        tests.append(scope.share.holds(f"{alias}.contact_id"))
    return joined(" AND ", tests)


def exists(body: Sql, wanted: bool) -> Sql:
    return piece(f"{'' if wanted else 'NOT '}EXISTS (SELECT 1 FROM {{}})", body)


def signed(condition: Sql, wanted: bool) -> Sql:
    return condition if wanted else piece("(NOT {})", condition)


def in_window(window: Window, moment: str, scope: Scope) -> list[Sql]:
    """Tests of an expression that gives an instant, save that it is not after the instant of asking."""
    tests = []
    left = Sql(moment)
    if isinstance(window.within, timedelta | Months):
        tests.append(piece("{} > {}", left, instant(scope.as_of - window.within)))
    elif window.within and scope.subject:
        column = {SINCE_ENTRY: "entered_at", SINCE_STEP: "step_at"}[window.within]
        tests.append(Sql(f"{moment} > COALESCE({scope.subject}.{column}, '-infinity')"))
    if window.after:
        tests.append(piece("{} >= {}", left, instant(window.after)))
    if isinstance(window.before, datetime):
        tests.append(piece("{} < {}", left, instant(window.before)))
    elif window.before:
        tests.append(piece("{} <= {}", left, instant(scope.as_of - window.before)))
    return tests
