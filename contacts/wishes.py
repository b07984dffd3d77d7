"""What people ask for beside consents: a break, a weekly maximum, their own quiet hours.

They are attributes of the contact that no event, import or journey writes (``permission.OWN``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django.db import connection, transaction

from contacts import permission, profile_rows
from contacts.models import Contact
from contacts.profile import PERSON, Origin

PAUSE = permission.PAUSE
#: What the page offers, in days.
PAUSES = (7, 30, 90)
#: Messages in seven days.
WEEKLY_LIMITS = (1, 2, 3, 5, 7)


def pause(contact: Contact, days: int, now: datetime) -> datetime | None:
    """Let the person hear nothing for so many days (none ends a pause); returns until when."""
    until = now + timedelta(days=days) if days else None
    _keep_own(contact, {PAUSE: until.isoformat() if until else None}, now)
    return until


def limit(contact: Contact, weekly: int | None, quiet: tuple[time, time] | None, now: datetime) -> None:
    """Keep how many messages a week the person wants at most, and their own quiet hours; None is no limit."""
    hours = f"{quiet[0]:%H:%M}-{quiet[1]:%H:%M}" if quiet else None
    _keep_own(contact, {permission.WEEKLY: weekly, permission.QUIET: hours}, now)


def _keep_own(contact: Contact, values: Mapping[str, str | int | None], now: datetime) -> None:
    """Write or remove what is the person's alone. Events that arrive meanwhile change other keys."""
    kept = {name: value for name, value in values.items() if value is not None}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact SET attributes = (attributes - %s::text[]) || %s::jsonb, updated_at = %s"
            " WHERE id = %s",
            [list(values), json.dumps(kept), now, contact.pk],
        )
        profile_rows.trace(contact.pk, values, kept, Origin.told(PERSON, now))
    rest = {name: value for name, value in contact.attributes.items() if name not in values}
    contact.attributes = rest | kept


def pause_from(text: object) -> datetime | None:
    """The instant that the attribute holds; None where it holds none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else None


def weekly_from(value: object) -> int | None:
    """The own maximum that the attribute holds; None where it holds none."""
    try:
        found = int(value) if isinstance(value, str | int) else 0
    except ValueError:
        return None
    return found if found > 0 else None


def quiet_from(text: object) -> tuple[time, time] | None:
    """The own quiet hours that the attribute holds, such as ``22:00-08:00``; None where it holds none."""
    begins, _dash, ends = text.partition("-") if isinstance(text, str) else ("", "", "")
    try:
        found = time.fromisoformat(begins), time.fromisoformat(ends)
    except ValueError:
        return None
    return None if found[0] == found[1] else found
