"""What one decision rested on, packed small for the ledger, and unpacked so that it can be taken again. Pure.

Everything of the facts is kept but the charter, whose number the ledger holds, and the addresses: that there
is one is all the policy asks. A field that comes later has its usual value in what was kept before.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, NamedTuple, get_type_hints

import msgspec

from channels import policy
from channels.charter_parts import Charter
from channels.policy_facts import Facts, Person, Verdict
from contacts import permission

_FORM = 1
_HERE = "+"
"Stands for an address."
#: What packed facts are made of, in about their order: a dictionary for the packing. Never to be changed,
#: or what was packed with it cannot be read; another one needs another form.
_WORDS = (
    *("monthly", "news", "orders", "offers", "Europe/London", "America/New_York", "US", "FR", "medium"),
    *("message_id", "channel", "email", "at", "transactional"),
    *("channel", "sms", "purpose", "offers", "at", "transactional", "tags"),
    *("channel", "email", "purpose", "offers", "at", "transactional", "tags"),
    *("now", "candidate", "id", "purpose", "offers", "wanted", "email", "sms", "push", "inapp", "due_at"),
    *("transactional", "priority", "value", "on_hold", "wait", "deadline_at", "conditions", "answer"),
    *("smart_channel", "best_by", "wanted_at", "tags", "held_since"),
    *("person", "contact_id", "zones", "Europe/Paris", "consents", "email", "*", "sms", "*", "push", "*"),
    *("addresses", "email", "+", "sms", "+", "push", "+", "suppressed", "paused_until", "weekly", "quiet"),
    *("why", "learned", "scores", "chance", "sent", "answered", "hours", "days", "answers"),
    *("place", "country", "region", "band", "segments"),
    *("providers", "email", "sms", "push", "inapp", "touches", "planned"),
)
_DICTIONARY = b"".join(bytes([0xA0 + len(word)]) + word.encode() for word in _WORDS)
_WINDOW = -12
_encode = msgspec.msgpack.Encoder().encode
_NAMES = tuple(one.name for one in fields(Facts) if one.name != "charter")


class Kept(NamedTuple):
    """Facts without their charter. ``leaving_by`` is the channel of a message that was asked once more."""

    leaving_by: str
    values: Mapping[str, Any]

    def facts(self, charter: Charter) -> Facts:
        return Facts(charter=charter, **self.values)


class UnreadableError(Exception):
    """What was kept was written by a program that this one does not know."""


def pack(facts: Facts, leaving_by: str = "") -> bytes:
    """The facts in few bytes; ``leaving_by`` where ``policy.recheck`` was asked rather than ``decide``."""
    values = {name: getattr(facts, name) for name in _NAMES}
    values["person"] = _trimmed(facts.person, facts.candidate.purpose)
    packing = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, 8, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return bytes([_FORM]) + packing.compress(_encode([leaving_by, values])) + packing.flush()


def unpack(kept: bytes) -> Kept:
    """The facts that ``pack`` was given. Raises UnreadableError."""
    if kept[:1] != bytes([_FORM]):
        raise UnreadableError("another form")
    try:
        packed = zlib.decompressobj(_WINDOW, _DICTIONARY).decompress(kept[1:])
        leaving_by, found = msgspec.msgpack.decode(packed, type=tuple[str, dict[str, msgspec.Raw]])
        hints = _hints()
        values = {
            name: msgspec.msgpack.decode(value, type=hints[name])
            for name, value in found.items()
            if name in hints
        }
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise UnreadableError(str(error)) from error
    return Kept(leaving_by, values)


def again(kept: Kept, charter: Charter) -> Verdict | None:
    """What the policy says on these facts; None where nothing has come against a leaving message."""
    facts = kept.facts(charter)
    return policy.recheck(facts, kept.leaving_by) if kept.leaving_by else policy.decide(facts)


def _trimmed(person: Person, purpose: str) -> Person:
    """The person without what the policy never looks at: addresses, and consents to other purposes."""
    asked = (purpose, permission.EVERY)
    return replace(
        person,
        addresses={channel: _HERE for channel, address in person.addresses.items() if address},
        consents={key: said for key, said in person.consents.items() if key[1] in asked},
        why={key: word for key, word in person.why.items() if key[1] in asked},
    )


@cache
def _hints() -> dict[str, Any]:
    found = get_type_hints(Facts)
    found.pop("charter")
    return found
