"""Events by name and property tests, with the same evaluator as every rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import psycopg
from django.db import connection

from contacts.rules import Test
from contacts.rules_sql_tests import property_tests


class Found(NamedTuple):
    """An event that was looked for."""

    occurred_at: datetime
    properties: dict[str, Any]


def passing(where: Sequence[Test], properties: Sequence[dict[str, Any]], as_of: datetime) -> set[int]:
    """The positions of the ``properties`` that pass every test of ``where``. One statement, or none."""
    if not where or not properties:
        return set(range(len(properties)))
    tests = property_tests("e.properties", where, as_of)
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT e.position FROM (SELECT p::jsonb AS properties, position"
            f" FROM unnest(%b::text[]) WITH ORDINALITY AS u(p, position)) AS e WHERE {tests.text}",
            [[msgspec.json.encode(each).decode() for each in properties], *tests.params],
        )
        return {position - 1 for (position,) in cursor.fetchall()}


def first_since(
    name: str, where: Sequence[Test], since: Sequence[tuple[int, datetime]], as_of: datetime
) -> dict[int, Found]:
    """Position in ``since`` (contact, instant) -> that contact's first such event after it. One statement."""
    if not since:
        return {}
    tests = property_tests("e.properties", where, as_of)
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT s.position - 1, f.occurred_at, f.properties::text"
            " FROM unnest(%b::int8[], %b::timestamptz[]) WITH ORDINALITY AS s(contact_id, after, position)"
            " CROSS JOIN LATERAL (SELECT e.occurred_at, e.properties FROM contacts_event e"
            " WHERE e.contact_id = s.contact_id AND e.name = %b::text AND e.occurred_at > s.after"
            f" AND e.occurred_at <= %b AND {tests.text} ORDER BY e.occurred_at LIMIT 1) AS f",
            [[each for each, _at in since], [at for _each, at in since], name, as_of, *tests.params],
        )
        return {
            place: Found(at, msgspec.json.decode(properties)) for place, at, properties in cursor.fetchall()
        }
