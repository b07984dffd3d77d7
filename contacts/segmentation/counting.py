"""How many a rule holds for while somebody still writes it: only the latest question is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from contacts import segments
from contacts.models import Contact
from contacts.rules import Rule

_BASE_FOR = 60
"Seconds for which the number of all contacts is good enough for a percentage."


class Stopped(Exception):
    """The count was ended: it took too long, or its asker asked something else."""


@dataclass(frozen=True, slots=True)
class Counted:
    """``size`` of ``base`` contacts, and some of the newest; of a past day, how many are not certain."""

    size: int
    base: int
    sample: list[Contact]
    unsure: int = 0

    @property
    def share(self) -> float:
        """Percent of all contacts, 0 where there are none."""
        return 100 * self.size / self.base if self.base else 0.0


def count(rule: Rule, as_of: datetime, *, asker: str, past: bool = False) -> Counted:
    """Size and sample of ``rule``, at another instant than now where ``past``.

    An earlier question of the same ``asker`` that still runs is ended.

    Raises ``Stopped`` after 15 seconds, or when ended so.
    """
    name = f"segue-count-{sha256(asker.encode()).hexdigest()[:24]}"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_END_EARLIER, [name])
            cursor.execute("SELECT set_config('application_name', %s, true)", [name])
            found = segments.preview(rule, as_of, past=past)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Stopped from None
        raise
    return Counted(found.size, max(base(), found.size), found.sample, found.unsure)


def base() -> int:
    """About how many contacts there are."""
    return int(cache.get_or_set("segments-base", Contact.objects.count, _BASE_FOR) or 0)


# The name is the transaction's own, so that it is gone from the connection when the count has ended.
_END_EARLIER = (
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = %s AND state = 'active' AND pid <> pg_backend_pid()"
)
