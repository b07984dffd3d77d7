"""Signed tokens of pixels and links: they name a message and a link, never an address.

A token holds (message id, created at, link id) and a keyed 128-bit digest over them and over what the
token is for. So a click's token opens no pixel, an altered one opens nothing, and nobody can make one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

OPEN, CLICK = "open", "click"
#: A link that no person sees: who follows it looks at every link.
TRAP = "trap"
#: What showed a push tells that it did.
SHOWN = "shown"

_BODY = struct.Struct(">QqI")
_FRONT, _LINK = struct.Struct(">Qq"), struct.Struct(">I")
_DIGEST = 16
_LENGTH = (_BODY.size + _DIGEST) * 4 // 3
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says. ``link_id`` is 0 for a pixel."""

    message_id: int
    created_at: datetime
    link_id: int


class Signer:
    """Makes tokens with one secret, and reads those of ``former`` ones too: mails outlive a change."""

    def __init__(self, secret: str, former: Sequence[str] = ()) -> None:
        self._keys = [
            hashlib.sha256(b"segue.tracking\0" + one.encode()).digest() for one in (secret, *former)
        ]
        # What a key alone comes to, since a message has many links.
        self._keyed: dict[str, Any] = {}

    def sign(self, use: str, message_id: int, created_at: datetime, link_id: int = 0) -> str:
        """A URL-safe token of 48 characters."""
        return self.token(use, front(message_id, created_at), link_id).decode("ascii")

    def token(self, use: str, front: bytes, link_id: int = 0) -> bytes:
        """``sign`` for the many tokens of one message, whose ``front`` is made once."""
        keyed = self._keyed.get(use)
        if keyed is None:
            keyed = self._keyed[use] = _hash(self._keys[0], use)
        body = front + _LINK.pack(link_id)
        digest = keyed.copy()
        digest.update(body)
        return binascii.b2a_base64(body + digest.digest(), newline=False).translate(_URL_SAFE)

    def proof(self, asked: str) -> str:
        """What only somebody with the secret can answer to ``asked``."""
        return _digest(self._keys[0], "domain", asked.encode()).hex()

    def read(self, use: str, text: str) -> Token | None:
        """What ``text`` says, or None when it was not signed for ``use`` by this secret."""
        if len(text) != _LENGTH:
            return None
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        body, digest = raw[: _BODY.size], raw[_BODY.size :]
        if not any(hmac.compare_digest(digest, _digest(key, use, body)) for key in self._keys):
            return None
        message_id, microseconds, link_id = _BODY.unpack(body)
        return Token(message_id, _EPOCH + timedelta(microseconds=microseconds), link_id)


def front(message_id: int, created_at: datetime) -> bytes:
    """What the tokens of one message begin with."""
    return _FRONT.pack(message_id, (created_at - _EPOCH) // _MICROSECOND)


def _digest(key: bytes, use: str, body: bytes) -> bytes:
    digest = _hash(key, use)
    digest.update(body)
    return digest.digest()


def _hash(key: bytes, use: str) -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=_DIGEST, key=key, person=use.encode()[:16])
