"""What ingest must know of the sources of a batch: their names, their rule and their plan."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import psycopg
from django.db import connection

from contacts.models import Source
from contacts.plan import catalogue
from contacts.plan.catalogue import Planned


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """A source and the events that are expected of it, its own before those of every source."""

    id: int
    slug: str
    unplanned: str = Source.Unplanned.KEEP.value
    plan: dict[str, Planned] = field(default_factory=dict)


def load(sources: Collection[int]) -> dict[int, Touchpoint]:
    """The sources with these ids, as far as they exist. Two statements."""
    wanted = sorted(sources)
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SELECT id, slug, unplanned FROM contacts_source WHERE id = ANY(%b::int8[])", [wanted])
        found = {row[0]: Touchpoint(*row) for row in cursor.fetchall()}
        cursor.execute(
            "SELECT source_id, name, properties::text, server_only FROM contacts_plannedevent"
            " WHERE source_id = ANY(%b::int8[]) OR source_id IS NULL ORDER BY source_id NULLS FIRST",
            [wanted],
        )
        for source_id, name, properties, server_only in cursor.fetchall():
            for one in found.values() if source_id is None else (found[source_id],):
                one.plan[name] = catalogue.planned(properties, server_only)
    return found
