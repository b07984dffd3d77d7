"""Counting what is really sent to PostgreSQL, whichever cursor sends it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


class Count:
    """Statements seen between entering and leaving ``statements()``."""

    total = 0


@contextmanager
def statements() -> Iterator[Count]:
    """Count the statements that the test's connection sends: Django's, raw psycopg's and COPYs alike."""
    connection.ensure_connection()
    count = Count()
    with tempfile.NamedTemporaryFile() as file:
        connection.connection.pgconn.trace(file.fileno())
        try:
            yield count
        finally:
            connection.connection.pgconn.untrace()
            lines = Path(file.name).read_text(encoding="utf-8", errors="replace").splitlines()
            sent = [line.split("\t") for line in lines]
            count.total = sum(
                1 for parts in sent if len(parts) > 3 and parts[1] == "F" and parts[3] in {"Query", "Execute"}
            )
