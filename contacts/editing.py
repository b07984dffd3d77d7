"""Change what is declared about one contact because somebody of the staff, or their program, knows better."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import consent, event_log, permission, profile, profile_rows, pulse, slots
from contacts.event_log import NewEvent
from contacts.models import Identifier
from contacts.profile import Origin

#: Columns by which a contact is found: the new value becomes an identifier too.
_FIND_BY = {"email": Identifier.Kind.EMAIL, "phone": Identifier.Kind.PHONE}


class NotUsableError(Exception):
    """A value that cannot be stored: why, in words for the one who typed it."""


class TakenError(NotUsableError):
    """Another contact is found by this value; the two may be one person."""

    def __init__(self, owner: int) -> None:
        super().__init__(_("Another contact is found by this value. If they are one person, merge them."))
        self.owner = owner


def edit(contact_id: int, name: str, value: Any, now: datetime, *, origin: str) -> tuple[Any, Any]:
    """Declare one value, None to remove it; returns the value before and after.

    ``origin`` is who says so: ``staff:`` and a name, or ``api:`` and the number of a key.

    The values of columns are checked and put into their one form, as ingest does. Raises
    ``NotUsableError``; a contact that is gone is not usable either.
    """
    if name == permission.PAUSE:
        raise NotUsableError(_("A pause is the person’s own to begin and end."))
    column = profile.column_of(name)
    with transaction.atomic():
        consent.lock([contact_id])
        found = profile_rows.load([contact_id]).get(contact_id)
        if found is None:
            raise NotUsableError(_("This contact is gone: merged or erased."))
        if column and value is not None and profile.read(column, value, found.country or None) is None:
            raise NotUsableError(str(_WRONG.get(column, _("This cannot be used."))))
        changed = found.copy()
        changed.take({name: value}, now, Origin.told(origin, now))
        name = column or name
        before, after = found.declared().get(name), changed.declared().get(name)
        if not column and after != value:
            raise NotUsableError(_("There is no room for this: names and values of a contact are limited."))
        if after == before:
            return before, after
        if name in _FIND_BY and after:
            _claim(contact_id, _FIND_BY[name], after, now)
        changed.updated_at = now
        profile_rows.save([changed])
        event_log.append([NewEvent(contact_id, "Identified", now, now, properties={name: after})])
        transaction.on_commit(partial(pulse.wake, "segments"))
    return before, after


def _claim(contact_id: int, kind: str, value: str, now: datetime) -> None:
    """Let the contact be found by its new address. Raises ``TakenError``."""
    owner, _new = Identifier.objects.get_or_create(
        kind=kind,
        value=value,
        defaults={"contact_id": contact_id, "slot": slots.of(contact_id), "created_at": now},
    )
    if owner.contact_id != contact_id:
        raise TakenError(owner.contact_id)


_WRONG: Mapping[str, Any] = {
    "email": gettext_lazy("This is no email address."),
    "phone": gettext_lazy(
        "This is no phone number. Write it with its country code, such as +33 6 12 34 56 78."
    ),
    "language": gettext_lazy("This is no language code such as fr or en-GB."),
    "timezone": gettext_lazy("This is no time zone such as Europe/Paris."),
    "country": gettext_lazy("This is no country code of two letters, such as FR."),
}
