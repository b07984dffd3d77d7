"""One statement with binary parameters, for the acts of this room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def rows(statement: str, values: Sequence[Any]) -> set[Any]:
    """Run ``statement`` in the current transaction; returns its rows."""
    return set(ordered(statement, values))


def ordered(statement: str, values: Sequence[Any]) -> list[Any]:
    """Run ``statement`` in the current transaction; returns its rows as they come."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def run(statement: str, values: Sequence[Any]) -> int:
    """Run ``statement``, which returns no rows; how many it touched."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount
