"""Which rules change their answer merely because time passes, and for whom between two instants.

An answer can flip only where something crosses a boundary: an event grows older than a window, an
attribute's date comes near, a prediction is written. So the clock looks for what crossed, through the
index on (name, occurred_at), instead of judging everybody again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection

from contacts.rules_length import Length, Months, multiple
from contacts.rules_sql_tests import as_instant, attribute, days_between, key
from contacts.rules_sql_text import Sql, instant, joined, piece, text, texts
from contacts.rules_tree import (
    Attribute,
    Check,
    Consented,
    Happened,
    InSegment,
    Messaged,
    Predicted,
    Reachable,
    Rule,
    Test,
    Window,
    happenings,
    leaves,
    wheres,
)
from contacts.rules_vocabulary import TIME_COLUMNS

_NOW = timedelta()
_BY_DAY = ("on", "anniversary_on", "anniversary_within")
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
            case Consented():
                found.append(_of_consent(leaf, span))
            case InSegment():
                found += _of_segment(leaf, span)
    return joined(" UNION ", found) if found else None


class _Span:
    """The time between two looks at the clock."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self._since, self._until = since, until

    def over(self, moment: str | Sql, offset: Length) -> Sql:
        """Whether ``moment`` plus ``offset`` lies in it."""
        left = Sql(moment) if isinstance(moment, str) else moment
        return piece(
            "({} > {} AND {} <= {})", left, instant(self._since - offset), left, instant(self._until - offset)
        )

    def over_any(self, moment: str | Sql, offsets: Iterable[Length]) -> Sql:
        different = dict.fromkeys(offsets)
        return piece("({})", joined(" OR ", [self.over(moment, offset) for offset in different]))

    def turned(self, value: Sql, test: Check) -> Sql | None:
        """Whether a test of ``value`` may have turned in it; None where it never turns."""
        if test.op in _BY_DAY and not isinstance(test.value, datetime):
            return days_between(value, test, self._since, self._until)
        offsets = _offsets(test)
        return self.over_any(value, offsets) if offsets else None


def _of_events(leaf: Happened, span: _Span, ahead: bool) -> list[Sql]:
    offsets = _lengths(leaf.window)
    if leaf.periods:
        offsets += [multiple(leaf.periods.length, number + 1) for number in range(leaf.periods.last)]
    found = _of_name(leaf.name, offsets, leaf.tests, span, ahead)
    before = leaf.name
    for follow in leaf.follows:
        if not follow.wanted and follow.within is not None:
            # Then it is certain that nothing came after.
            found += _of_name(before, [follow.within], [], span, ahead=False)
        found += _of_name(follow.name, [], list(follow.where), span, ahead)
        before = follow.name
    return found


def _of_name(name: str, offsets: list[Length], tests: list[Test], span: _Span, ahead: bool) -> list[Sql]:
    """Contacts of events of one name that grew older than an offset, or of which a dated property turned."""
    moments = []
    if asked := [*offsets, _NOW] if ahead else offsets:
        moments.append(span.over_any("e.occurred_at", asked))
    for where in wheres(tests):
        turned = span.turned(as_instant(key("e.properties", where.path)), where.test)
        if turned:
            moments.append(turned)
    select = "SELECT e.contact_id FROM contacts_event e WHERE e.name = {} AND {}"
    return [piece(select, text(name), moment) for moment in moments]


def _of_attribute(leaf: Attribute, span: _Span) -> list[Sql]:
    if leaf.name in TIME_COLUMNS:
        value = Sql(f"c.{leaf.name}")
    else:
        value = as_instant(attribute("c", leaf.name, leaf.origin))
    turned = span.turned(value, leaf.test)
    return [piece("SELECT c.id FROM contacts_contact c WHERE {}", turned)] if turned else []


def _of_consent(leaf: Consented, span: _Span) -> Sql:
    """What is allowed until some day ends without an event."""
    offsets = [_NOW] if leaf.expires_within is None else [_NOW, -leaf.expires_within]
    return piece(
        "SELECT k.contact_id FROM contacts_consentstate k WHERE k.expires_at IS NOT NULL AND k.channel = {}"
        " AND k.purpose = ANY({}) AND {}",
        text(leaf.channel),
        texts([leaf.purpose, "*"]),
        span.over_any("k.expires_at", offsets),
    )


def _of_segment(leaf: InSegment, span: _Span) -> list[Sql]:
    offsets = _lengths(leaf.window)
    if not offsets:
        return []
    return [
        piece(
            "SELECT m.contact_id FROM contacts_segmentmembership m WHERE m.segment_id ="
            " (SELECT g.id FROM contacts_segment g WHERE g.slug = {}) AND {}",
            text(leaf.slug),
            span.over_any("m.entered_at", offsets),
        )
    ]


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


def _lengths(window: Window) -> list[Length]:
    return [side for side in (window.within, window.before) if isinstance(side, timedelta | Months)]


def _offsets(test: Check) -> list[Length]:
    """How long after the value a test of it turns; empty where it never does."""
    if test.op == "within_days" and isinstance(test.value, int):
        return [_NOW, timedelta(days=test.value)]
    if not isinstance(test.value, timedelta | Months):
        return []
    return [_NOW, test.value] if test.op == "within" else [test.value]


def any_event_counts(rule: Rule) -> bool:
    """Whether every event may change the answer, whatever its name: it moves when a contact was last seen."""
    return any(isinstance(leaf, Attribute) and leaf.name in TIME_COLUMNS for leaf in leaves(rule))


def latest_ahead(rule: Rule, now: datetime) -> datetime | None:
    """The date of the last stored event of ``rule`` that lies after ``now``."""
    names = sorted({name for leaf in happenings(rule) for name in leaf.names})
    if not names:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(occurred_at) FROM contacts_event WHERE name = ANY(%s) AND occurred_at > %s",
            [names, now],
        )
        row = cursor.fetchone()
        return row[0] if row else None
