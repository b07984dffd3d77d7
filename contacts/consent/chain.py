"""How lines of the consent ledger are chained: each carries the digest of the one before it. Pure.

There is one chain a contact, under the number that the contact had when the line was written; it never
changes, though the line itself follows the contact into a merge and back. A line's digest covers everything
but the personal part of its proof, of which it covers a salted digest: when proof and salt are shredded,
nobody can find out what they were, and the chain still holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: What the first line of a chain names as the one before it.
GENESIS = bytes(32)
#: Bytes of chance that keep a shredded proof from being guessed.
SALT = 16

_FORM = 1


@dataclass(frozen=True, slots=True)
class Line:
    """What a digest covers, save the personal part."""

    id: int
    chain: int
    seq: int
    channel: str
    purpose: str
    action: str
    basis: str
    wording: str
    origin: str
    occurred_at: datetime
    recorded_at: datetime
    expires_at: datetime | None


def digest(line: Line, personal: bytes, previous: bytes) -> bytes:
    """The digest of a line: SHA-256 over its fields, the digest of its proof and the line before it."""
    fields = [
        _FORM, line.id, line.chain, line.seq, line.channel, line.purpose, line.action, line.basis,
        line.wording, line.origin, _instant(line.occurred_at), _instant(line.recorded_at),
        _instant(line.expires_at), personal.hex(), previous.hex(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).digest()


def personal(salt: bytes, proof: Mapping[str, Any]) -> bytes:
    """The salted digest of a proof."""
    text = json.dumps(proof, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(salt + text.encode()).digest()


def storable(proof: Mapping[str, Any]) -> dict[str, Any]:
    """The proof as it comes back from the database: numbers with a fraction become text."""
    found: dict[str, Any] = json.loads(json.dumps(proof, default=str), parse_float=str)
    return found


def root(digests: bytes) -> bytes:
    """What an anchor says of the digests of its lines, put end to end."""
    return hashlib.sha256(digests).digest()


def anchor(number: int, made_at: datetime, lines: int, root_of_lines: bytes, previous: bytes) -> bytes:
    """The digest of an anchor."""
    fields = [_FORM, number, _instant(made_at), lines, root_of_lines.hex(), previous.hex()]
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).digest()


def _instant(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else ""
