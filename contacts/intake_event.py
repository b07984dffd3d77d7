"""One event as intake leaves it in the inbox and ingest takes it out."""

from __future__ import annotations

from datetime import datetime

import msgspec

_EMPTY = msgspec.Raw(b"{}")


class IntakeEvent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A checked, normalised event. Short names: every event carries them.

    ``at`` is when it happened, in UTC, corrected for the sender's clock. ``props`` (properties, or traits
    of identify and group) and ``ctx`` stay JSON bytes: most events pass through without being looked into.
    """

    t: str  # identify, track, page, screen, group, alias
    m: str  # message id
    at: datetime
    n: str = ""  # event name, or name of the page or screen
    u: str | None = None  # user id
    a: str | None = None  # anonymous id
    p: str | None = None  # previous id (alias)
    g: str | None = None  # group id
    props: msgspec.Raw = _EMPTY
    ctx: msgspec.Raw = _EMPTY
