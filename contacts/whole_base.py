"""Statements over all contacts: room in memory for their joins, and an end to what takes too long."""

from __future__ import annotations

from django.db import connection


def settings(seconds: int) -> str:
    """Statements that hold for the rest of a transaction."""
    return f"SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = '{int(seconds)}s';"


def prepare(*, seconds: int) -> None:
    """For this transaction: let joins over the whole base hash in memory, and end what takes too long."""
    with connection.cursor() as cursor:
        cursor.execute(settings(seconds))
