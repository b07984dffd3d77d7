"""Page numbers for big tables: counted exactly while that is cheap, then roughly."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.utils.functional import cached_property

CAP = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to CAP rows; beyond that a whole table is estimated and a filtered one stops at the cap.

    So the last pages of a long filtered list cannot be reached by number: filter further instead.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        counted = int(rows.order_by()[: CAP + 1].count())
        if counted <= CAP or rows.query.where:
            return counted
        return max(counted, estimate(rows.model._meta.db_table))


def estimate(*tables: str) -> int:
    """Rows of the tables together by the planner's statistics, over all partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH asked AS (SELECT name::regclass AS oid FROM unnest(%s::text[]) AS name)"
            " SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_class c"
            # A table that is not partitioned is no part of a tree.
            " WHERE c.relkind = 'r' AND c.oid IN (SELECT oid FROM asked"
            " UNION SELECT t.relid FROM asked, pg_partition_tree(asked.oid) t)",
            [list(tables)],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
