"""What a person's consents say about one channel and purpose. Pure: the policy asks it too.

Consents are a mapping of (channel, purpose) to allowed or refused. ``*`` stands for every purpose of the
channel: a refusal of ``*`` closes the channel until a purpose is allowed anew, and an allowance of ``*``
never overturns a refusal of the one purpose.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Every purpose of a channel.
EVERY = "*"

#: The attribute that says until when a person wants to hear nothing. Theirs alone: no event and no journey
#: writes it.
PAUSE = "paused_until"

Consents = Mapping[tuple[str, str], bool]


def of(consents: Consents, channel: str, purpose: str) -> bool | None:
    """Whether ``purpose`` is allowed on ``channel``; None when the person was never asked."""
    own = consents.get((channel, purpose))
    return consents.get((channel, EVERY)) if own is None else own
