"""What somebody may be shown now: in a place on a page, or in their inbox.

Each message is asked about once more as it is shown, by the one policy: who has bought by now, or who
refuses since this morning, is shown nothing, though no clockwork has passed by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from uuid import UUID

from django.db.models import QuerySet

from channels import deciding
from channels.models import InAppMessage, Message

MOST_SHOWN = 10
MOST_LISTED = 100
#: Messages that wait for one place are looked through up to this many.
_MOST_WAITING = 50


def in_place(contact_id: int, place: str, page: str, most: int, now: datetime) -> list[InAppMessage]:
    """Up to ``most`` messages for ``place`` on the page of this path, the most important and newest first."""
    waiting = _live(contact_id, now).filter(place=place, read_at=None).order_by("-importance", "-id")
    fitting = [row for row in waiting[:_MOST_WAITING] if fits(row.pages, page)]
    return _still_allowed(fitting, now)[: min(most, MOST_SHOWN)]


def row_of(contact_id: int, key: UUID) -> int | None:
    """Where a message of the contact stands in the inbox."""
    return InAppMessage.objects.filter(contact_id=contact_id, key=key).values_list("id", flat=True).first()


def in_inbox(
    contact_id: int, before: int | None, limit: int, now: datetime
) -> tuple[list[InAppMessage], InAppMessage | None]:
    """A page of everything that was not dismissed, the newest first, older than the row ``before``.

    With it comes the last row looked at, where more may follow.
    """
    rows = _live(contact_id, now).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows[: limit + 1])
    page = found[:limit]
    # What was seen stays; what was not must still hold.
    unseen = [row for row in page if row.seen_at is None and row.read_at is None]
    gone = {row.id for row in unseen} - {row.id for row in _still_allowed(unseen, now)}
    last = page[-1] if len(found) > limit else None
    return [row for row in page if row.id not in gone], last


def unread(contact_id: int, now: datetime) -> int:
    """How many messages of the inbox were not read, counted up to ``MOST_LISTED``."""
    rows = list(_live(contact_id, now).filter(read_at=None).order_by("-id")[:MOST_LISTED])
    seen = [row for row in rows if row.seen_at is not None]
    return len(seen) + len(_still_allowed([row for row in rows if row.seen_at is None], now))


def fits(pages: Sequence[str], page: str) -> bool:
    """Whether the path is one of ``pages``, in which ``*`` stands for anything; none: every path is."""
    return not pages or any(fnmatchcase(page, pattern.replace("[", "[[]")) for pattern in pages)


def _live(contact_id: int, now: datetime) -> QuerySet[InAppMessage]:
    return InAppMessage.objects.filter(
        contact_id=contact_id, ends_at__gt=now, withdrawn_at=None, dismissed_at=None
    )


def messages_of(rows: Sequence[InAppMessage]) -> dict[int, Message]:
    """The messages behind the rows, by id."""
    if not rows:
        return {}
    found = Message.objects.filter(
        id__in=[row.message_id for row in rows], created_at__in={row.message_created_at for row in rows}
    )
    return {message.id: message for message in found}


def _still_allowed(rows: Sequence[InAppMessage], now: datetime) -> list[InAppMessage]:
    messages = messages_of(rows)
    against = deciding.recheck(list(messages.values()), now)
    return [row for row in rows if row.message_id in messages and row.message_id not in against]
