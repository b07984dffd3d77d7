"""Events by name and property tests, with the same evaluator as every rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import psycopg
from django.db import connection

from contacts.rules import Test
from contacts.rules_sql_moment import Own
from contacts.rules_sql_tests import property_tests
from contacts.rules_sql_text import Sql


class Found(NamedTuple):
    """An event that was looked for."""

    occurred_at: datetime
    properties: dict[str, Any]


def passing(
    where: Sequence[Test], properties: Sequence[dict[str, Any]], as_of: datetime | Sequence[datetime]
) -> set[int]:
    """The positions of the ``properties`` that pass every test of ``where`` at ``as_of``, one for all or one
    for each. One statement, or none."""
    if not where or not properties:
        return set(range(len(properties)))
    own = None if isinstance(as_of, datetime) else list(as_of)
    tests = property_tests("e.properties", where, as_of if isinstance(as_of, datetime) else Own(Sql("e.at")))
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT e.position FROM (SELECT p::jsonb AS properties, at, position"
            " FROM unnest(%b::text[], %b::timestamptz[]) WITH ORDINALITY AS u(p, at, position)) AS e"
            f" WHERE {tests.text}",
            [[msgspec.json.encode(each).decode() for each in properties], own, *tests.params],
        )
        return {position - 1 for (position,) in cursor.fetchall()}


def first_since(
    name: str,
    where: Sequence[Test],
    since: Sequence[tuple[int, datetime]],
    as_of: datetime | Sequence[datetime],
) -> dict[int, Found]:
    """Position in ``since`` (contact, instant) -> that contact's first such event after it, as far as known
    at ``as_of`` (one instant for all, or one for each). One statement."""
    if not since:
        return {}
    until = [as_of] * len(since) if isinstance(as_of, datetime) else list(as_of)
    tests = property_tests("e.properties", where, Own(Sql("s.until")))
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT s.position - 1, f.occurred_at, f.properties::text"
            " FROM unnest(%b::int8[], %b::timestamptz[], %b::timestamptz[])"
            " WITH ORDINALITY AS s(contact_id, after, until, position)"
            " CROSS JOIN LATERAL (SELECT e.occurred_at, e.properties FROM contacts_event e"
            " WHERE e.contact_id = s.contact_id AND e.name = %b::text AND e.occurred_at > s.after"
            f" AND e.occurred_at <= s.until AND {tests.text} ORDER BY e.occurred_at LIMIT 1) AS f",
            [[each for each, _at in since], [at for _each, at in since], until, name, *tests.params],
        )
        return {
            place: Found(at, msgspec.json.decode(properties)) for place, at, properties in cursor.fetchall()
        }
