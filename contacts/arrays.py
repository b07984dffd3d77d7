"""Long arrays for the database, written as it writes them itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def literal(numbers: Iterable[int]) -> str:
    """`numbers` as the text of a PostgreSQL array; cast it in the statement: ``%s::int8[]``.

    The driver adapts a list number by number, which costs five times as much as the reading of the text.
    """
    return "{" + ",".join(map(str, numbers)) + "}"


def texts(values: Iterable[str]) -> str:
    """The same for texts: ``%s::text[]``."""
    values = list(values)
    inside = '","'.join(values)
    if "\\" in inside or inside.count('"') > 2 * max(len(values) - 1, 0):
        inside = '","'.join(value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return '{"' + inside + '"}' if values else "{}"
