"""Long arrays of whole numbers for the database, written as it writes them itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def literal(numbers: Iterable[int]) -> str:
    """`numbers` as the text of a PostgreSQL array; cast it in the statement: ``%s::int8[]``.

    The driver adapts a list number by number, which costs five times as much as the reading of the text.
    """
    return "{" + ",".join(map(str, numbers)) + "}"
