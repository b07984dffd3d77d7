"""The Message-ID of an email: signed, so that a bounce or an answer which names it finds its message."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from channels.links import signer
from channels.tracking import Token

#: What the token in it is for.
USE = "mail"
_NAMED = re.compile(r"[0-9a-f]{32}\.([\w-]{48})(?=[@>\s]|$)", re.ASCII)
#: More names than this no honest mail refers to.
_MOST = 50


def made(message_id: int, created_at: datetime, key: UUID, sender: str) -> str:
    """``<key.token@domain>``, the same for each attempt at the message."""
    return framed(key, signer().sign(USE, message_id, created_at), sender)


def framed(key: UUID, token: str, sender: str) -> str:
    return f"<{key.hex}.{token}@{sender.rpartition('@')[2]}>"


def found(text: str) -> Token | None:
    """The message that ``text`` names last, where it is one of ours: references run from old to new."""
    for name in reversed(_NAMED.findall(text)[-_MOST:]):
        token = signer().read(USE, name)
        if token is not None:
            return token
    return None
