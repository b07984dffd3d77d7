"""Pieces of SQL with their parameters. A piece's text is ours alone; what users wrote is in ``params``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple


class Sql(NamedTuple):
    text: str
    params: tuple[Any, ...] = ()


def piece(template: str, *parts: Sql) -> Sql:
    """``template`` with each ``{}`` filled by the next part; parameters follow in the same order."""
    return Sql(
        template.format(*(part.text for part in parts)),
        tuple(param for part in parts for param in part.params),
    )


def joined(separator: str, parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    return Sql(
        separator.join(part.text for part in found), tuple(param for part in found for param in part.params)
    )


# Each parameter says its type, so that client-side and server-side binding mean the same.
def text(value: str) -> Sql:
    return Sql("%s::text", (value,))


def number(value: Decimal | int) -> Sql:
    return Sql("%s::numeric", (value,))


def whole(value: int) -> Sql:
    return Sql("%s::int8", (value,))


def instant(value: datetime) -> Sql:
    return Sql("%s::timestamptz", (value,))


def instants(values: Sequence[datetime]) -> Sql:
    return Sql("%s::timestamptz[]", (list(values),))


def interval(value: timedelta) -> Sql:
    return Sql("%s::interval", (value,))


def texts(values: Sequence[str]) -> Sql:
    return Sql("%s::text[]", (list(values),))


def numbers(values: Sequence[Decimal]) -> Sql:
    return Sql("%s::numeric[]", (list(values),))


TRUE, FALSE = Sql("TRUE"), Sql("FALSE")
