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


def estimate(table: str) -> int:
    """Rows by the planner's statistics, over all partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_class c"
            # A table that is not partitioned is no part of a tree.
            " WHERE c.oid = %s::regclass AND c.relkind = 'r'"
            " OR c.oid IN (SELECT t.relid FROM pg_partition_tree(%s::regclass) t WHERE t.isleaf)",
            [table, table],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
