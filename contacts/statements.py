"""One statement with binary parameters (``%b``): an array of thousands of ids costs no parsing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

Values = Sequence[Any] | Mapping[str, Any]


def rows(statement: str, values: Values) -> list[Any]:
    """Run ``statement`` in the current transaction; its rows as they come."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def run(statement: str, values: Values) -> int:
    """Run ``statement``, which returns no rows; how many it touched."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount
