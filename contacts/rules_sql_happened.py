"""Conditions on what happened, in SQL: counts, sums, the first and the last, sequences, periods.

Each stands in two forms, as every condition does: looked up for one contact, or joined as a set of contacts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from contacts.rules_length import Months, multiple
from contacts.rules_sql_looks import OWN
from contacts.rules_sql_moment import Moment, array, earliest, instant
from contacts.rules_sql_scope import Scope, exists, in_window, linked, own, same, signed
from contacts.rules_sql_tests import as_number, key, property_tests
from contacts.rules_sql_text import (
    FALSE,
    TRUE,
    Sql,
    interval,
    joined,
    number,
    piece,
    text,
    whole,
)
from contacts.rules_tree import AT_LEAST_ONCE, Follow, Happened, Periods, Test

#: Up to so many periods are told apart within one grouping by contact; more would make long statements.
_SIDE_BY_SIDE = 12


def happened(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    """``condition``, or its opposite where ``wanted`` is false; never NULL."""
    amount = condition.amount
    if condition.pick:
        return _picked(condition, scope, wanted)
    if condition.periods:
        return _in_periods(condition, condition.periods, scope, wanted)
    if scope.looks and scope.looks.takes(condition) and condition.amount.bounded:
        return signed(scope.looks.ask(condition, _filtered(condition, scope)), wanted)
    if condition.total is None:
        if not amount.bounded:
            return TRUE if wanted else FALSE
        if amount.most is None and amount.least == 1:
            return exists(_events(condition, scope, own("e", scope)), wanted)
        if amount.most == 0:
            return exists(_events(condition, scope, own("e", scope)), not wanted)
    return _grouped(condition, scope, wanted) if scope.whole else _counted(condition, scope, wanted)


# ── Which events ─────────────────────────────────────────────────────────────────────────────────


def _events(condition: Happened, scope: Scope, link: Sql) -> Sql:
    """The matching events, as the body of a SELECT from ``contacts_event e``."""
    tests = [
        link,
        *_named("e", condition.name, condition.own, scope),
        *in_window(condition.window, "e.occurred_at", scope),
        *_rest(condition, scope),
    ]
    return piece("contacts_event e WHERE {}", joined(" AND ", tests))


def _named(alias: str, name: str, own: bool, scope: Scope) -> list[Sql]:
    tests = [
        piece(f"{alias}.name = {{}}", text(name)),
        piece(f"{alias}.occurred_at <= {{}}", instant(scope.as_of)),
    ]
    return [*tests, Sql(f"{alias}.kind = {OWN}")] if own else tests


def _rest(condition: Happened, scope: Scope) -> list[Sql]:
    """What is asked of one event beyond its name and its time."""
    tests = _properties("e", condition.where, scope)
    if condition.then:
        since = None
        if isinstance(condition.window.within, timedelta | Months):
            since = scope.as_of - condition.window.within
        tests.append(_followed("e", condition.then, scope, since))
    return tests


def _properties(alias: str, tests: tuple[Test, ...], scope: Scope) -> list[Sql]:
    return [property_tests(f"{alias}.properties", tests, scope.as_of)] if tests else []


def _followed(before: str, follow: Follow, scope: Scope, since: Moment | None, depth: int = 1) -> Sql:
    """Whether ``follow`` came after the event ``before``. ``since`` lets old partitions be left out."""
    alias = f"e{depth}"
    tests = [
        Sql(f"{alias}.contact_id = {before}.contact_id AND {alias}.occurred_at > {before}.occurred_at"),
        *_named(alias, follow.name, follow.own, scope),
    ]
    if since:
        tests.append(piece(f"{alias}.occurred_at > {{}}", instant(since)))
    if follow.within is not None:
        tests.append(piece(f"{alias}.occurred_at <= {before}.occurred_at + {{}}", interval(follow.within)))
    for path in follow.same:
        mine, theirs = key(f"{alias}.properties", path), key(f"{before}.properties", path)
        tests.append(piece("{} = {}", mine.text, theirs.text))
    tests += _properties(alias, follow.where, scope)
    if follow.then:
        tests.append(_followed(alias, follow.then, scope, since, depth + 1))
    found = exists(piece(f"contacts_event {alias} WHERE {{}}", joined(" AND ", tests)), follow.wanted)
    if follow.wanted or follow.within is None:
        return found
    # Until the time is over it can still come.
    over = piece(f"{before}.occurred_at <= {{}}", instant(scope.as_of - follow.within))
    return piece("({} AND {})", over, found)


def _filtered(condition: Happened, scope: Scope) -> Sql:
    """Whether an event of the name is one of those that are asked about."""
    window = in_window(condition.window, "e.occurred_at", scope)
    return _holds(condition, joined(" AND ", [*window, *_rest(condition, scope)] or [TRUE]))


# ── How many, how much ───────────────────────────────────────────────────────────────────────────


def _holds(condition: Happened, only: Sql = TRUE) -> Sql:
    """Whether a group of events (of them, those of ``only``) has the amount that is asked for; never NULL."""
    amount = condition.amount
    bounds = [(">=", amount.least), ("<=", amount.most)]
    asked = [(sign, bound) for sign, bound in bounds if bound is not None]
    only = Sql("") if only == TRUE else piece(" FILTER (WHERE {})", only)
    if condition.total is None:
        return _every(piece(f"count(*){{}} {sign} {{}}", only, whole(int(bound))) for sign, bound in asked)
    value = as_number(key("e.properties", condition.total))
    match condition.measure:
        case "sum":
            return _every(
                piece(f"COALESCE(sum({{}}){{}}, 0) {sign} {{}}", value, only, number(b)) for sign, b in asked
            )
        case "avg":
            # Multiplied, since a division would have to round.
            return _every(
                piece(
                    f"COALESCE(sum({{}}){{}} {sign} {{}} * count({{}}){{}}, FALSE)",
                    value,
                    only,
                    number(b),
                    value,
                    only,
                )
                for sign, b in asked
            )
        case extreme:
            return _every(
                piece(f"COALESCE({extreme}({{}}){{}} {sign} {{}}, FALSE)", value, only, number(b))
                for sign, b in asked
            )


def _every(parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    return piece("({})", joined(" AND ", found)) if found else TRUE


def _holds_nothing(condition: Happened) -> bool:
    """Whether the amount holds where there is no event at all."""
    counted = condition.total is None or condition.measure == "sum"
    return counted and condition.amount.holds_zero


def _counted(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    body = _events(condition, scope, same("e", scope))
    amount = condition.amount
    if condition.total is None:
        # Counting stops as soon as the answer is known.
        enough = amount.most + 1 if amount.most is not None else amount.least
        body = piece("(SELECT 1 FROM {} LIMIT {}::int) n", body, Sql("%s", (int(enough or 0),)))
    return signed(piece("(SELECT {} FROM {})", _holds(condition), body), wanted)


def _grouped(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    """Contacts by their count. A contact without events is in no group, so zero asks for the others."""
    inside = not _holds_nothing(condition)
    groups = _groups(condition, scope, inside)
    return exists(piece(f"({{}}) n WHERE n.contact_id = {scope.contact}.id", groups), wanted == inside)


def _groups(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    return piece(
        "SELECT e.contact_id FROM {} GROUP BY e.contact_id HAVING {}",
        _events(condition, scope, linked("e", scope)),
        signed(_holds(condition), wanted),
    )


def ids(condition: Happened, scope: Scope, wanted: bool) -> Sql | None:
    """A SELECT of those for whom it holds (or does not); None where that takes in who did nothing."""
    if condition.pick or condition.periods or (condition.total is None and not condition.amount.bounded):
        return None
    if condition.total is None and condition.amount == AT_LEAST_ONCE:
        return (
            piece("SELECT e.contact_id FROM {}", _events(condition, scope, linked("e", scope)))
            if wanted
            else None
        )
    return None if _holds_nothing(condition) == wanted else _groups(condition, scope, wanted)


def foldable(condition: Happened) -> bool:
    """Whether a count of it can share one look at the log with others of the same name."""
    return not (condition.total or condition.where or condition.pick or condition.then or condition.periods)


def folded(conditions: Sequence[tuple[Happened, bool]], scope: Scope) -> Sql:
    """Counts of one name, each with whether it is wanted to hold, by one grouping for the whole base."""
    first, _wanted = conditions[0]
    having, nothing = [], []
    for condition, wanted in conditions:
        inside = joined(" AND ", in_window(condition.window, "e.occurred_at", scope) or [TRUE])
        having.append(signed(_holds(condition, inside), wanted))
        nothing.append(_holds_nothing(condition) == wanted)
    tests = [linked("e", scope), *_named("e", first.name, first.own, scope)]
    lengths = [condition.window.within for condition, _wanted in conditions]
    starts = [scope.as_of - length for length in lengths if isinstance(length, timedelta | Months)]
    if len(starts) == len(lengths):
        tests.append(piece("e.occurred_at > {}", instant(earliest(starts))))
    good = not all(nothing)
    body = piece(
        f"(SELECT e.contact_id FROM contacts_event e WHERE {{}} GROUP BY e.contact_id HAVING {{}}) n"
        f" WHERE n.contact_id = {scope.contact}.id",
        joined(" AND ", tests),
        signed(piece("({})", joined(" AND ", having)), good),
    )
    return exists(body, good)


# ── The first and the last ───────────────────────────────────────────────────────────────────────


def _picked(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    window = in_window(condition.window, "e.occurred_at", scope)
    link = linked("e", scope)
    tests = [link, *_named("e", condition.name, condition.own, scope)]
    tests += _properties("e", condition.among, scope)
    rest = _rest(condition, scope)
    if scope.whole and not rest:
        extreme = "min(e.occurred_at)" if condition.pick == "first" else "max(e.occurred_at)"
        body = piece(
            f"(SELECT e.contact_id FROM contacts_event e WHERE {{}} GROUP BY e.contact_id HAVING {{}}) e"
            f" WHERE e.contact_id = {scope.contact}.id",
            joined(" AND ", tests),
            joined(" AND ", in_window(condition.window, extreme, scope)) if window else TRUE,
        )
        return exists(body, wanted)
    direction = "" if condition.pick == "first" else " DESC"
    order = f"e.occurred_at{direction}, e.id{direction}"
    chosen, ending = "e.*", f"ORDER BY {order} LIMIT 1"
    if scope.whole:
        chosen = "DISTINCT ON (e.contact_id) e.contact_id, e.occurred_at, e.properties"
        ending = f"ORDER BY e.contact_id, {order}"
    body = piece(
        f"(SELECT {chosen} FROM contacts_event e WHERE {{}} {ending}) e WHERE {{}}",
        joined(" AND ", tests),
        joined(" AND ", [same("e", scope), *window, *rest]),
    )
    return exists(body, wanted)


# ── Periods ──────────────────────────────────────────────────────────────────────────────────────


def _in_periods(condition: Happened, periods: Periods, scope: Scope, wanted: bool) -> Sql:
    """Count the periods that have the amount; where nothing at all is enough, those that do not have it."""
    starts = [scope.as_of - multiple(periods.length, number) for number in range(periods.last, 0, -1)]
    good = not _holds_nothing(condition)
    enough = periods.least if good else periods.last - periods.least + 1
    link = linked("e", scope)
    since = piece("e.occurred_at > {}", instant(starts[0]))
    events = _events(condition, scope, piece("{} AND {}", link, since))
    if scope.whole and periods.last <= _SIDE_BY_SIDE:
        bounds = [*starts, scope.as_of]
        held = joined(
            " + ",
            (
                piece("{}::int", signed(_holds(condition, _between(start, end)), good))
                for start, end in pairwise(bounds)
            ),
        )
        body = piece(
            f"(SELECT e.contact_id FROM {{}} GROUP BY e.contact_id HAVING {{}} >= {{}}) n"
            f" WHERE n.contact_id = {scope.contact}.id",
            events,
            held,
            whole(enough),
        )
        return exists(body, wanted == good)
    # A period begins just after its bound.
    edges = array([start + timedelta(microseconds=1) for start in starts])
    each = piece(
        "(SELECT e.contact_id FROM {} GROUP BY e.contact_id, width_bucket(e.occurred_at, {}) HAVING {}) p",
        events,
        edges,
        signed(_holds(condition), good),
    )
    if not scope.whole:
        found = piece("(SELECT count(*) >= {} FROM {})", whole(enough), each)
        return signed(found, wanted == good)
    body = piece(
        f"(SELECT p.contact_id FROM {{}} GROUP BY p.contact_id HAVING count(*) >= {{}}) n"
        f" WHERE n.contact_id = {scope.contact}.id",
        each,
        whole(enough),
    )
    return exists(body, wanted == good)


def _between(start: Moment, end: Moment) -> Sql:
    return piece("e.occurred_at > {} AND e.occurred_at <= {}", instant(start), instant(end))
