"""Let the log go on after its database was restored into a new cluster.

Events and cursors name transactions by number, and a new cluster counts from the beginning. What is written
there would lie below every cursor, and the events that came along above the horizon: readers would wait,
perhaps for years. So the numbers of the new cluster get an addend, in the two places where they enter: the
default of ``contacts_event.xid`` and ``contacts_log_horizon``. No event and no cursor is touched.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

_MARGIN = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Numbers of transactions: the latest that an event or cursor names, and the next that there will be."""

    latest: int
    coming: int

    @property
    def stalled(self) -> bool:
        """Something names a transaction that this cluster has not come to."""
        return self.latest >= self.coming


def standing() -> Standing:
    """Cheap: the ends of 64 lanes by their index, and one look at the cursors."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
        latest, coming = cursor.fetchone() or (0, 1)
    return Standing(int(latest), int(coming))


def heal() -> int:
    """Move the horizon past everything that came along; returns the addend, 0 where nothing was wrong.

    Call before anything writes: at a start, or by hand with the programs stopped.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Nobody writes an event between looking and moving.
        cursor.execute("LOCK TABLE contacts_event IN SHARE ROW EXCLUSIVE MODE")
        found = standing()
        if not found.stalled:
            return 0
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8")
        (raw,) = cursor.fetchone() or (0,)
        addend = found.latest - int(raw) + _MARGIN
        # Statements that define things take no parameters; this is a number of our own.
        cursor.execute(_HORIZON.format(addend))
        cursor.execute(_DEFAULT.format(addend))
    return addend


# The highest number by lane: one step down an index for each month and lane.
_STANDING = """
SELECT greatest(
    coalesce((SELECT max(e.xid::text::numeric) FROM generate_series(0, 63) AS l(lane) CROSS JOIN LATERAL (
        SELECT xid FROM contacts_event WHERE lane = l.lane ORDER BY lane DESC, xid DESC, id DESC LIMIT 1
    ) AS e), 0),
    coalesce((SELECT max(xid) FROM contacts_cursor), 0)
), contacts_log_horizon()::text::numeric - pg_snapshot_xmin(s)::text::numeric
    + greatest(pg_snapshot_xmax(s)::text::numeric, pg_current_xact_id_if_assigned()::text::numeric + 1)
FROM pg_current_snapshot() AS s
"""
_HORIZON = """
CREATE OR REPLACE FUNCTION contacts_log_horizon() RETURNS xid8 LANGUAGE sql STABLE PARALLEL RESTRICTED
AS 'SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::int8 + {0})::text::xid8'
"""
_DEFAULT = """
ALTER TABLE contacts_event ALTER COLUMN xid
SET DEFAULT (pg_current_xact_id()::text::int8 + {0})::text::xid8
"""
