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

#: How many messages a week a person wants at most, and the hours in which they want none. Theirs alone too.
WEEKLY, QUIET = "own_weekly_maximum", "own_quiet_hours"

#: Since when a person objects to profiling: nothing is inferred about them.
OBJECTION = "objects_to_profiling_since"
OWN = frozenset({PAUSE, WEEKLY, QUIET, OBJECTION})

#: The purpose under which people allow or refuse that their reading is measured. Asked by its own name:
#: who leaves a list has said nothing about being measured.
TRACKING = "tracking"

Consents = Mapping[tuple[str, str], bool]


def of(consents: Consents, channel: str, purpose: str) -> bool | None:
    """Whether ``purpose`` is allowed on ``channel``; None when the person was never asked."""
    own = consents.get((channel, purpose))
    return consents.get((channel, EVERY)) if own is None else own


#: Shown only to somebody who came by themselves: a legitimate interest, so open until they refuse.
UNTIL_REFUSED = frozenset({"inapp"})


def allowed(consents: Consents, channel: str, purpose: str) -> bool:
    """Whether ``purpose`` may be used on ``channel`` where nothing else is said about who was never asked."""
    said = of(consents, channel, purpose)
    return channel in UNTIL_REFUSED if said is None else said
