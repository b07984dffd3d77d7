"""Each condition in SQL, in two forms.

For a few contacts a condition is looked up contact by contact through the index on (contact_id, name,
occurred_at). For the whole base it is a set of contacts, joined once: every subquery then stands as
[NOT] EXISTS in a conjunction, which PostgreSQL turns into semi- and anti-joins, never into a subplan a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contacts.rules_sql_tests import (
    as_number,
    compared,
    declared_or_inferred,
    json_test,
    key,
    text_test,
)
from contacts.rules_sql_text import FALSE, TRUE, Sql, instant, joined, number, piece, text, texts
from contacts.rules_tree import (
    FLAG_COLUMNS,
    SINCE_ENTRY,
    SINCE_STEP,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    Attribute,
    Consented,
    Happened,
    InSegment,
    Leaf,
    Messaged,
    Predicted,
    Range,
    Reachable,
)

_OWN = 7
"The kind of events that Segue itself writes, in the numbers of ``contacts.models.event``."


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a condition stands: the contact's alias, the subjects' alias if any, and the instant."""

    contact: str
    as_of: datetime
    whole: bool
    subject: str | None = None


def leaf(condition: Leaf, scope: Scope, *, wanted: bool) -> Sql:
    """``condition``, or its opposite where ``wanted`` is false; never NULL."""
    match condition:
        case Attribute():
            return _signed(_attribute(condition, scope), wanted)
        case Happened():
            return _happened(condition, scope, wanted)
        case Messaged():
            return _happened(condition.as_event(), scope, wanted)
        case Consented():
            return _consented(condition, scope, wanted)
        case InSegment(slug, member):
            body = piece(
                "contacts_segmentmembership m WHERE m.segment_id ="
                " (SELECT g.id FROM contacts_segment g WHERE g.slug = {}) AND {}",
                text(slug),
                _same("m", scope),
            )
            return _exists(body, wanted == member)
        case Predicted():
            return _exists(
                _predicted(condition, scope), wanted != (condition.test.op in ("missing", "is_not"))
            )
        case Reachable(_, reachable):
            return _exists(_reached(condition, scope), wanted == reachable)


def row_local(condition: Leaf) -> bool:
    """Whether the contact's own row answers, without a subquery."""
    return isinstance(condition, Attribute)


def _attribute(condition: Attribute, scope: Scope) -> Sql:
    name, test = condition.name, condition.test
    column = f"{scope.contact}.{name}"
    if name in TEXT_COLUMNS:
        return text_test(column, test)
    if name in FLAG_COLUMNS:
        return Sql(f"({column})" if (test.op == "is") == test.value else f"(NOT {column})")
    if name in TIME_COLUMNS:
        if test.op in ("exists", "missing"):
            return TRUE if test.op == "exists" else FALSE
        return compared(Sql(column), test, scope.as_of)
    found = json_test(declared_or_inferred(scope.contact, name), test, scope.as_of)
    return piece("({} IS TRUE)", found)


# ── Events ───────────────────────────────────────────────────────────────────────────────────────


def _happened(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    amount = condition.amount
    if condition.total is None and (amount.least or 0) <= 0 and amount.most is None:
        return TRUE if wanted else FALSE
    if condition.total is None:
        if amount.most is None and amount.least == 1:
            return _exists(_events(condition, scope, _same("e", scope)), wanted)
        if amount.most == 0:
            return _exists(_events(condition, scope, _same("e", scope)), not wanted)
    return _grouped(condition, scope, wanted) if scope.whole else _counted(condition, scope, wanted)


def events_of(condition: Happened, scope: Scope) -> Sql:
    """The matching events of anybody, as the body of a SELECT from ``contacts_event e``."""
    return _events(condition, scope, TRUE)


def _events(condition: Happened, scope: Scope, link: Sql) -> Sql:
    tests = [
        link,
        piece("e.name = {}", text(condition.name)),
        piece("e.occurred_at <= {}", instant(scope.as_of)),
    ]
    if condition.own:
        tests.append(Sql(f"e.kind = {_OWN}"))
    window = condition.window
    if isinstance(window.within, timedelta):
        tests.append(piece("e.occurred_at > {}", instant(scope.as_of - window.within)))
    elif window.within and scope.subject:
        column = {SINCE_ENTRY: "entered_at", SINCE_STEP: "step_at"}[window.within]
        tests.append(Sql(f"e.occurred_at > COALESCE({scope.subject}.{column}, '-infinity')"))
    if window.after:
        tests.append(piece("e.occurred_at >= {}", instant(window.after)))
    if isinstance(window.before, timedelta):
        tests.append(piece("e.occurred_at <= {}", instant(scope.as_of - window.before)))
    elif window.before:
        tests.append(piece("e.occurred_at < {}", instant(window.before)))
    tests += [json_test(key("e.properties", part.path), part.test, scope.as_of) for part in condition.where]
    return piece("contacts_event e WHERE {}", joined(" AND ", tests))


def _measure(condition: Happened) -> Sql:
    if condition.total is None:
        return Sql("count(*)")
    return piece("COALESCE(sum({}), 0)", as_number(key("e.properties", condition.total)))


def _counted(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    body = _events(condition, scope, _same("e", scope))
    amount = condition.amount
    if condition.total is None:
        # Counting stops as soon as the answer is known.
        enough = amount.most + 1 if amount.most is not None else amount.least
        body = piece("(SELECT 1 FROM {} LIMIT {}::int) n", body, Sql("%s", (int(enough or 0),)))
    return _signed(_within(piece("(SELECT {} FROM {})", _measure(condition), body), amount), wanted)


def _grouped(condition: Happened, scope: Scope, wanted: bool) -> Sql:
    """Contacts by their count. A contact without events is in no group, so zero asks for the others."""
    inside = not condition.amount.holds_zero
    having = _signed(_within(_measure(condition), condition.amount), inside)
    body = piece(
        f"(SELECT e.contact_id FROM {{}} GROUP BY e.contact_id HAVING {{}}) n"
        f" WHERE n.contact_id = {scope.contact}.id",
        events_of(condition, scope),
        having,
    )
    return _exists(body, wanted == inside)


def _within(measure: Sql, amount: Range) -> Sql:
    parts = []
    if amount.least is not None:
        parts.append(piece("{} >= {}", measure, number(amount.least)))
    if amount.most is not None:
        parts.append(piece("{} <= {}", measure, number(amount.most)))
    return piece("({})", joined(" AND ", parts)) if parts else TRUE


# ── Consent, predictions, addresses ──────────────────────────────────────────────────────────────


def _consented(condition: Consented, scope: Scope, wanted: bool) -> Sql:
    """The ledger as it stood at the instant: the latest line by id decides.

    A line for all purposes (``*``) speaks for each of them, save that it never undoes a refusal of the one.
    """
    lines = piece(
        "contacts_consententry k WHERE k.channel = {} AND k.purpose = ANY({}) AND k.occurred_at <= {}",
        text(condition.channel),
        texts([condition.purpose, "*"]),
        instant(scope.as_of),
    )
    if condition.state == "unknown":
        return _exists(piece("{} AND {}", lines, _same("k", scope)), not wanted)
    latest = Sql("(array_agg(k.action ORDER BY k.id DESC))[1]")
    own = piece("(array_agg(k.action ORDER BY k.id DESC) FILTER (WHERE k.purpose <> '*'))[1]")
    refused = piece("({} = 'out' OR {} IS NOT DISTINCT FROM 'out')", latest, own)
    asked = _signed(refused, condition.state == "refused")
    if scope.whole:
        body = piece(
            "(SELECT k.contact_id FROM {} GROUP BY k.contact_id HAVING {}) k WHERE {}",
            lines,
            asked,
            _same("k", scope),
        )
    else:
        body = piece("{} AND {} GROUP BY k.contact_id HAVING {}", lines, _same("k", scope), asked)
    return _exists(body, wanted)


def _predicted(condition: Predicted, scope: Scope) -> Sql:
    """Rows for which the test holds; for missing and is_not, the rows for which its opposite holds."""
    test = condition.test
    rows = piece("contacts_prediction p WHERE p.name = {} AND {}", text(condition.name), _same("p", scope))
    if test.op in ("exists", "missing"):
        return rows
    if test.op in ("gt", "gte", "lt", "lte"):
        return piece("{} AND {}", rows, compared(Sql("p.number::numeric"), test, scope.as_of))
    asked = type(test)("in" if test.op == "in" else "is", test.value)
    label = json_test(key("p.value", ("label",)), asked, scope.as_of)
    count = json_test(key("jsonb_build_object('n', p.number)", ("n",)), asked, scope.as_of)
    return piece("{} AND ({} OR {})", rows, label, count)


# As contacts.consent writes them: emails without case, endless addresses by their digest.
_SUPPRESSED = {
    "email": "lower(btrim(a.email))",
    "sms": "btrim(a.phone)",
    "": "CASE WHEN length(a.address) > 512 THEN"
    " 'sha256:' || encode(sha256(convert_to(a.address, 'UTF8')), 'hex') ELSE a.address END",
}


def _reached(condition: Reachable, scope: Scope) -> Sql:
    """A row where the contact has an address of the channel that is not suppressed."""
    own = {"email": "email", "sms": "phone"}.get(condition.channel)
    free = piece(
        "NOT EXISTS (SELECT 1 FROM contacts_suppression u WHERE u.channel = {} AND u.created_at <= {}"
        " AND u.address = " + _SUPPRESSED[condition.channel if own else ""] + ")",
        text(condition.channel),
        instant(scope.as_of),
    )
    if own:
        return piece(f"contacts_contact a WHERE a.id = {scope.contact}.id AND a.{own} <> '' AND {{}}", free)
    return piece(
        "contacts_channeladdress a WHERE a.channel = {} AND a.active AND {} AND {}",
        text(condition.channel),
        _same("a", scope),
        free,
    )


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────


def _same(alias: str, scope: Scope) -> Sql:
    return Sql(f"{alias}.contact_id = {scope.contact}.id")


def _exists(body: Sql, wanted: bool) -> Sql:
    return piece(f"{'' if wanted else 'NOT '}EXISTS (SELECT 1 FROM {{}})", body)


def _signed(condition: Sql, wanted: bool) -> Sql:
    return condition if wanted else piece("(NOT {})", condition)
