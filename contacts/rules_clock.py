"""Which rules change their answer merely because time passes, and for whom between two instants.

An answer can flip only where something crosses a boundary: an event grows older than a window, an
attribute's date comes near, a prediction is written. So the clock looks for what crossed, through the
index on (name, occurred_at), instead of judging everybody again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection

from contacts.rules import Rule
from contacts.rules_sql_tests import as_instant, declared_or_inferred, key
from contacts.rules_sql_text import Sql, instant, joined, piece, text
from contacts.rules_tree import (
    TIME_COLUMNS,
    Attribute,
    Check,
    Happened,
    Messaged,
    Predicted,
    Reachable,
    leaves,
)

_NOW = timedelta()
_ANY = datetime(2000, 1, 1, tzinfo=UTC)


def clocked(rule: Rule) -> bool:
    """Whether the mere passing of time can change an answer, even if nothing lies in the future."""
    return crossed(rule, _ANY, _ANY, ahead=False) is not None


def crossed(rule: Rule, since: datetime, until: datetime, *, ahead: bool) -> Sql | None:
    """A SELECT of the ids of contacts for whom something crossed a boundary in (since, until].

    ``ahead`` also asks for events that were dated in the future when they were read. None: no boundary.
    """
    found: list[Sql] = []
    span = _Span(since, until)
    for leaf in leaves(rule):
        match leaf:
            case Happened():
                found += _of_events(leaf, span, ahead)
            case Messaged():
                found += _of_events(leaf.as_event(), span, ahead)
            case Attribute():
                found += _of_attribute(leaf, span)
            case Predicted():
                rows = piece("p.name = {} AND {}", text(leaf.name), span.over("p.computed_at", _NOW))
                found.append(piece("SELECT p.contact_id FROM contacts_prediction p WHERE {}", rows))
            case Reachable():
                found += _of_addresses(leaf, span)
            case _:
                pass
    return joined(" UNION ", found) if found else None


class _Span:
    """The time between two looks at the clock."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self._since, self._until = since, until

    def over(self, moment: str | Sql, offset: timedelta) -> Sql:
        """Whether ``moment`` plus ``offset`` lies in it."""
        left = Sql(moment) if isinstance(moment, str) else moment
        return piece(
            "({} > {} AND {} <= {})", left, instant(self._since - offset), left, instant(self._until - offset)
        )

    def over_any(self, moment: str | Sql, offsets: Iterable[timedelta]) -> Sql:
        return piece("({})", joined(" OR ", [self.over(moment, offset) for offset in offsets]))


def _of_events(leaf: Happened, span: _Span, ahead: bool) -> list[Sql]:
    offsets = {side for side in (leaf.window.within, leaf.window.before) if isinstance(side, timedelta)}
    if ahead:
        offsets.add(_NOW)
    moments = []
    if offsets:
        moments.append(span.over_any("e.occurred_at", sorted(offsets)))
    for where in leaf.where:
        if dated := _offsets(where.test):
            value = as_instant(key("e.properties", where.path))
            moments.append(span.over_any(value, dated))
    select = "SELECT e.contact_id FROM contacts_event e WHERE e.name = {} AND {}"
    return [piece(select, text(leaf.name), moment) for moment in moments]


def _of_attribute(leaf: Attribute, span: _Span) -> list[Sql]:
    offsets = _offsets(leaf.test)
    if not offsets:
        return []
    if leaf.name in TIME_COLUMNS:
        value = Sql(f"c.{leaf.name}")
    else:
        value = as_instant(declared_or_inferred("c", leaf.name))
    return [piece("SELECT c.id FROM contacts_contact c WHERE {}", span.over_any(value, offsets))]


def _of_addresses(leaf: Reachable, span: _Span) -> list[Sql]:
    """Suppressions and addresses are written without an event of their own."""
    suppressed = piece(
        "contacts_suppression u WHERE u.channel = {} AND {}",
        text(leaf.channel),
        span.over("u.created_at", _NOW),
    )
    if leaf.channel in ("email", "sms"):
        column = "email" if leaf.channel == "email" else "phone"
        return [
            piece(
                f"SELECT c.id FROM contacts_contact c WHERE c.{column} <> ''"
                f" AND c.{column} IN (SELECT u.address FROM {{}})",
                suppressed,
            )
        ]
    moved = span.over("a.created_at", _NOW)
    ended = span.over("a.ended_at", _NOW)
    return [
        piece(
            "SELECT a.contact_id FROM contacts_channeladdress a WHERE a.channel = {}"
            " AND ({} OR {} OR a.address IN (SELECT u.address FROM {}))",
            text(leaf.channel),
            moved,
            ended,
            suppressed,
        )
    ]


def _offsets(test: Check) -> list[timedelta]:
    """How long after the value a test of it flips; empty where it never does."""
    if test.op == "within_days" and isinstance(test.value, int):
        return [_NOW, timedelta(days=test.value)]
    if test.op in ("before", "after") and isinstance(test.value, timedelta):
        return [test.value]
    return []


def any_event_counts(rule: Rule) -> bool:
    """Whether every event may change the answer, whatever its name: it moves when a contact was last seen."""
    return any(isinstance(leaf, Attribute) and leaf.name in TIME_COLUMNS for leaf in leaves(rule))


def latest_ahead(rule: Rule, now: datetime) -> datetime | None:
    """The date of the last stored event of ``rule`` that lies after ``now``."""
    names = sorted(
        (leaf.as_event() if isinstance(leaf, Messaged) else leaf).name
        for leaf in leaves(rule)
        if isinstance(leaf, Happened | Messaged)
    )
    if not names:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(occurred_at) FROM contacts_event WHERE name = ANY(%s) AND occurred_at > %s",
            [names, now],
        )
        row = cursor.fetchone()
        return row[0] if row else None
