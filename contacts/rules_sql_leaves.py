"""Each condition in SQL, in two forms.

For a few contacts a condition is looked up contact by contact through the index on (contact_id, name,
occurred_at). For the whole base it is a set of contacts, joined once: every subquery then stands as
[NOT] EXISTS in a conjunction, which PostgreSQL turns into semi- and anti-joins, never into a subplan a row.
"""

from __future__ import annotations

from contacts.rules_sql_happened import happened
from contacts.rules_sql_moment import instant
from contacts.rules_sql_scope import Scope, exists, in_window, linked, same, signed
from contacts.rules_sql_tests import attribute, compared, json_test, key, text_test
from contacts.rules_sql_text import FALSE, TRUE, Sql, joined, piece, text
from contacts.rules_tree import (
    Attribute,
    Check,
    Consented,
    Happened,
    InSegment,
    Leaf,
    Messaged,
    Predicted,
    Reachable,
)
from contacts.rules_vocabulary import FLAG_COLUMNS, INFERRED_COLUMNS, NUMBER_OPS, TEXT_COLUMNS, TIME_COLUMNS


def leaf(condition: Leaf, scope: Scope, *, wanted: bool) -> Sql:
    """``condition``, or its opposite where ``wanted`` is false; never NULL."""
    match condition:
        case Attribute():
            return signed(_attribute(condition, scope), wanted)
        case Happened():
            return happened(condition, scope, wanted)
        case Messaged():
            return happened(condition.as_event(), scope, wanted)
        case Consented():
            return _consented(condition, scope, wanted)
        case InSegment() if scope.past:
            return _was_in(condition, scope, wanted)
        case InSegment(slug, member, window):
            body = piece(
                "contacts_segmentmembership m WHERE m.segment_id ="
                " (SELECT g.id FROM contacts_segment g WHERE g.slug = {}) AND {}",
                text(slug),
                joined(" AND ", [same("m", scope), *in_window(window, "m.entered_at", scope)]),
            )
            return exists(body, wanted == member)
        case Predicted():
            return exists(
                _predicted(condition, scope), wanted != (condition.test.op in ("missing", "is_not", "not_in"))
            )
        case Reachable(_, reachable):
            return exists(_reached(condition, scope), wanted == reachable)


def row_local(condition: Leaf) -> bool:
    """Whether the contact's own row answers, without a subquery."""
    return isinstance(condition, Attribute)


def _attribute(condition: Attribute, scope: Scope) -> Sql:
    name, test = condition.name, condition.test
    column = f"{scope.contact}.{name}"
    if name in TEXT_COLUMNS:
        return text_test(_text_column(condition, scope), test)
    if name in FLAG_COLUMNS:
        return Sql(f"({column})" if (test.op == "is") == test.value else f"(NOT {column})")
    if name in TIME_COLUMNS:
        if test.op in ("exists", "missing"):
            return TRUE if test.op == "exists" else FALSE
        seen = _seen_until(scope) if scope.past and name == "last_seen_at" else Sql(column)
        return compared(seen, test, scope.as_of)
    found = json_test(attribute(scope.contact, name, condition.origin), test, scope.as_of)
    return piece("({} IS TRUE)", found)


def _seen_until(scope: Scope) -> Sql:
    """When a contact was last seen before another instant than now, from what it did."""
    moment = instant(scope.as_of)
    return piece(
        f"(CASE WHEN {scope.contact}.last_seen_at <= {{}} THEN {scope.contact}.last_seen_at ELSE"
        f" (SELECT COALESCE(max(e.occurred_at), {scope.contact}.first_seen_at) FROM contacts_event e"
        f" WHERE e.contact_id = {scope.contact}.id AND e.kind <> 7 AND e.occurred_at <= {{}}) END)",
        moment,
        moment,
    )


def _was_in(condition: InSegment, scope: Scope, wanted: bool) -> Sql:
    """Whether the last that the log says of a contact and a segment by then is that it entered."""
    link = linked("e", scope)
    last = piece(
        "SELECT DISTINCT ON (e.contact_id) e.contact_id, e.name, e.occurred_at FROM contacts_event e"
        " WHERE {} AND e.name IN ('Segment Entered', 'Segment Left') AND e.kind = 7 AND e.occurred_at <= {}"
        " AND e.properties ->> 'segment' = {} ORDER BY e.contact_id, e.occurred_at DESC, e.id DESC",
        link,
        instant(scope.as_of),
        text(condition.slug),
    )
    tests = [same("m", scope), Sql("m.name = 'Segment Entered'")]
    tests += in_window(condition.window, "m.occurred_at", scope)
    return exists(piece("({}) m WHERE {}", last, joined(" AND ", tests)), wanted == condition.member)


def _text_column(condition: Attribute, scope: Scope) -> Sql:
    name, origin = condition.name, condition.origin
    column = f"{scope.contact}.{name}"
    if name not in INFERRED_COLUMNS or origin == "declared":
        return Sql(column)
    inferred = f"{scope.contact}.inferred ->> '{name}'"
    if origin == "inferred":
        return Sql(f"COALESCE({inferred}, '')")
    return Sql(f"COALESCE(NULLIF({column}, ''), {inferred}, '')")


# ── Consent, predictions, addresses ──────────────────────────────────────────────────────────────


def _consented(condition: Consented, scope: Scope, wanted: bool) -> Sql:
    """What stands for the purpose itself; where nothing does, what stands for all purposes (``*``)."""
    channel, purpose = text(condition.channel), text(condition.purpose)
    if condition.state == "unknown":
        rows = piece(
            "contacts_consentstate k WHERE k.channel = {} AND k.purpose IN ({}, '*')", channel, purpose
        )
        return exists(piece("{} AND {}", rows, same("k", scope)), not wanted)
    # Only for lines about all purposes is the second half looked at.
    return exists(
        piece(
            "contacts_consentstate k WHERE {} AND k.channel = {} AND k.purpose IN ({}, '*') AND {}"
            " AND (k.purpose = {} OR NOT EXISTS (SELECT 1 FROM contacts_consentstate o"
            " WHERE o.contact_id = k.contact_id AND o.channel = k.channel AND o.purpose = {}))",
            same("k", scope),
            channel,
            purpose,
            _standing(condition, scope),
            purpose,
            purpose,
        ),
        wanted,
    )


def _standing(condition: Consented, scope: Scope) -> Sql:
    now = instant(scope.as_of)
    match condition.state:
        case "refused":
            return Sql("NOT k.allowed AND k.why = ''")
        case "pending":
            return Sql("NOT k.allowed AND k.why = 'pending'")
        case "expired":
            return piece("(k.why = 'expired' OR (k.allowed AND COALESCE(k.expires_at <= {}, FALSE)))", now)
        case _ if condition.expires_within is not None:
            soon = instant(scope.as_of + condition.expires_within)
            return piece("k.allowed AND COALESCE(k.expires_at > {} AND k.expires_at <= {}, FALSE)", now, soon)
        case _:
            return piece("k.allowed AND COALESCE(k.expires_at > {}, TRUE)", now)


def _predicted(condition: Predicted, scope: Scope) -> Sql:
    """Rows for which the test holds; for missing and is_not, the rows for which its opposite holds."""
    test = condition.test
    rows = piece("contacts_prediction p WHERE p.name = {} AND {}", text(condition.name), same("p", scope))
    if test.op in ("exists", "missing"):
        return rows
    if test.op in NUMBER_OPS:
        return piece("{} AND {}", rows, compared(Sql("p.number::numeric"), test, scope.as_of))
    asked = Check("in" if test.op in ("in", "not_in") else "is", test.value)
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
        same("a", scope),
        free,
    )
