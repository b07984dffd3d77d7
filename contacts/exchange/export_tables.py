"""What can be taken out, table by table, with the columns to choose from.

Every app declares its own in a module called ``exported``; this room knows no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from contacts import conventions


@dataclass(frozen=True, slots=True)
class ExportTable:
    """``columns`` are names for people and SQL over ``source``, in which the contact is ``c``.

    ``attributes`` is SQL of an object whose keys may be chosen as columns too. ``by_time`` is the column by
    which a span of days is cut out. Texts are ours alone; what people choose is looked up in them.
    """

    name: str
    title: Any
    permission: str
    source: str
    order: str
    columns: Mapping[str, str]
    usual: tuple[str, ...]
    attributes: str = ""
    by_time: str = ""

    def column(self, name: str) -> tuple[str, list[str]] | None:
        """SQL and its parameters of a chosen column; None if there is none of the name."""
        if name in self.columns:
            return self.columns[name], []
        head, _colon, key = name.partition(":")
        if head == "attribute" and key and self.attributes:
            return f"{self.attributes} ->> %s", [key]
        return None


@lru_cache(maxsize=1)
def tables() -> dict[str, ExportTable]:
    """Every table that the installed apps offer, by name."""
    return {table.name: table for table in _declared()}


def _declared() -> Iterator[ExportTable]:
    for module in reversed(conventions.modules("exported").values()):
        yield from module.TABLES
