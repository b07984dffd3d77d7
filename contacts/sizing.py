"""How many contacts a rule holds for, and the newest of them, as soon as two processors can say.

PostgreSQL shares the rows of a scan among its workers, but grouping by contact is what takes long, and each
worker would meet nearly every contact. So a large base is asked in two lots of contacts with about equally
many events, on two connections at once. Each contact is judged once, in one look.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from django.db import connection

from contacts import whole_base
from contacts.rules import Rule
from contacts.rules_sql import matching, obvious
from contacts.rules_sql_scope import Share

#: From so many contacts on it is worth while.
LARGE = 50_000
#: Where a rule's plain conditions leave more than this, looking up each contact's events costs more than
#: reading all events of the name once; PostgreSQL cannot know, as it has no statistics of attributes.
_MANY = 20_000
#: Of so many events the middle contact is taken.
_SAMPLE = 4_000
_ABOUT = """
SELECT (SELECT reltuples FROM pg_class WHERE oid = 'contacts_contact'::regclass),
    (SELECT sum(c.reltuples) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
     WHERE i.inhparent = 'contacts_event'::regclass AND c.reltuples > 0),
    pg_current_xact_id_if_assigned() IS NOT NULL
"""


class Sized(NamedTuple):
    size: int
    newest: list[int]


class _Question(NamedTuple):
    settings: str
    select: str
    params: tuple[Any, ...]


def sized(
    rule: Rule, as_of: datetime, *, seconds: int, most: int, past: bool = False, large: int = LARGE
) -> Sized:
    """The number of contacts for whom ``rule`` holds at ``as_of``, and up to ``most`` ids, newest first.

    To be called in a transaction. Raises OperationalError where it takes more than ``seconds``.
    """
    middle = _middle(large)
    settings = (
        f"{whole_base.settings(int(seconds))}"
        f"SET LOCAL enable_nestloop = {'off' if middle and _leaves_many(rule, as_of) else 'on'};"
    )
    if middle is not None:
        settings += "SET LOCAL max_parallel_workers_per_gather = 0;"
        with _beside() as other:
            if other is not None:
                return _in_two(rule, as_of, past, middle, settings, most, other)
    with connection.cursor() as cursor:
        return _ask(cursor, _question(rule, as_of, past, None, settings), most)


def _in_two(
    rule: Rule,
    as_of: datetime,
    past: bool,
    middle: int,
    settings: str,
    most: int,
    other: psycopg.Connection[Any],
) -> Sized:
    older = _question(rule, as_of, past, Share(None, middle), settings)
    newer = _question(rule, as_of, past, Share(middle, None), settings)
    with ThreadPoolExecutor(1) as pool, other.cursor() as theirs, connection.cursor() as ours:
        asked = pool.submit(_ask, theirs, older, most)
        try:
            first = _ask(ours, newer, most)
        except BaseException:
            other.cancel_safe()
            raise
        with connection.wrap_database_errors:
            second = asked.result()
    return Sized(first.size + second.size, (first.newest + second.newest)[:most])


def _question(rule: Rule, as_of: datetime, past: bool, share: Share | None, settings: str) -> _Question:
    found = matching(rule, as_of=as_of, past=past, share=share).values("id")
    return _Question(settings, *found.query.sql_with_params())


def _ask(cursor: Any, asked: _Question, most: int) -> Sized:
    cursor.execute(asked.settings)
    cursor.execute(
        f"WITH found(id) AS MATERIALIZED ({asked.select}) SELECT (SELECT count(*) FROM found),"  # noqa: S608
        " ARRAY(SELECT id FROM found ORDER BY id DESC LIMIT %s)",
        [*asked.params, most],
    )
    size, newest = cursor.fetchone() or (0, [])
    return Sized(size, list(newest))


def _middle(large: int) -> int | None:
    """The contact that parts a large base into lots with about as many events; None where one lot will do.

    What this transaction has written itself, another connection would not see.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ABOUT)
        contacts, events, written = cursor.fetchone() or (0, 0, True)
        if contacts < large or written or not events:
            return None
        cursor.execute(
            "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY contact_id)"
            " FROM contacts_event TABLESAMPLE SYSTEM (%s)",
            [min(100.0, 100 * _SAMPLE / events)],
        )
        (middle,) = cursor.fetchone() or (None,)
        return middle


def _leaves_many(rule: Rule, as_of: datetime) -> bool:
    """Whether the conditions on the contact's own row, as a sample has it, leave many contacts."""
    plain = obvious(rule, as_of)
    if plain is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE {plain.text})::float8 / greatest(count(*), 1) *"  # noqa: S608
            " (SELECT reltuples FROM pg_class WHERE oid = 'contacts_contact'::regclass)"
            " FROM contacts_contact c TABLESAMPLE SYSTEM (0.5)",
            plain.params,
        )
        (left,) = cursor.fetchone() or (0,)
        return bool(left > _MANY)


@contextmanager
def _beside() -> Iterator[psycopg.Connection[Any] | None]:
    """A second connection under the name of the first, so that who ends the one ends both; None if full."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('application_name')")
        (name,) = cursor.fetchone() or ("",)
    try:
        other = psycopg.connect(**connection.get_connection_params() | {"application_name": name})
    except psycopg.OperationalError:
        yield None
        return
    with other:
        yield other
