"""Emptying the database between tests that commit: only what they filled.

Django empties every table and then makes content types and permissions anew, which takes a second where this
takes hundredths.
"""

from __future__ import annotations

from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase
from psycopg import sql
from psycopg.errors import DeadlockDetected

#: What a migrated database knows by itself.
_KEPT = ["django_migrations", "django_content_type", "auth_permission"]
_PATIENCE_MS = 30_000
"A test that leaves a transaction open somewhere is told so instead of hanging."
_TRIES = 5


def instead_of_flushing() -> None:
    setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty())  # noqa: B010 (it has no type)


def empty() -> None:
    """Empty each table that takes room, and those whose rows point into it."""
    with connection.cursor() as cursor:
        cursor.execute(_FILLED, [_KEPT, _KEPT])
        filled = [sql.Identifier(name) for (name,) in cursor.fetchall()]
        if filled:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [str(_PATIENCE_MS)])
            _truncate(cursor, sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(filled)))
            cursor.execute("RESET lock_timeout")


def _truncate(cursor: CursorWrapper, statement: sql.Composed) -> None:
    """A server that still answers a browser of the test before may lock the same tables in another order."""
    for tried in range(_TRIES):
        try:
            cursor.execute(statement)
        except OperationalError as error:
            if tried == _TRIES - 1 or not isinstance(error.__cause__, DeadlockDetected):
                raise
        else:
            return


_FILLED = """
WITH RECURSIVE filled (id) AS (
    SELECT oid FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s)
      AND pg_relation_size(oid) > 0
    UNION
    SELECT conrelid FROM pg_constraint JOIN filled ON confrelid = id WHERE contype = 'f'
)
SELECT relname FROM pg_class JOIN filled ON oid = id WHERE relname <> ALL(%s)
"""
