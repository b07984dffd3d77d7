"""Which of our numbers and names writes to whom: always the same one to the same person. Pure.

Names cannot be answered and are not taken everywhere, so numbers go first where the country wants them.
"""

from __future__ import annotations

import hashlib
import re

#: Countries of the plan +1, and others, in which carriers drop what a name sends.
_NUMBERS_ONLY = ("+1", "+86", "+55", "+52", "+64", "+27")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{2,11}", re.ASCII)
_NUMBER = re.compile(r"\+?\d{3,15}", re.ASCII)


def pool(text: str) -> tuple[str, ...]:
    """Senders with commas or lines between them. Raises ValueError with the one that is none."""
    found = tuple(dict.fromkeys(one.strip() for one in re.split(r"[,\n;]", text) if one.strip()))
    for one in found:
        if not (_NUMBER.fullmatch(one) or _NAME.fullmatch(one)):
            raise ValueError(
                f"“{one}” is no sender: a number, or a name of 2 to 11 letters, digits and spaces"
            )
    return found


def pick(senders: tuple[str, ...], to: str) -> str:
    """Who writes to the number ``to``; empty when there is nobody.

    A number of the person's own country is preferred. Where senders come and go, most people keep theirs.
    """
    numbers = [one for one in senders if _NUMBER.fullmatch(one)]
    if to.startswith(_NUMBERS_ONLY):
        candidates = numbers or list(senders)
    else:
        candidates = [one for one in senders if one not in numbers] or numbers
    near = [one for one in candidates if _NUMBER.fullmatch(one) and _same_country(one, to)]
    return max(near or candidates, key=lambda one: _weight(one, to), default="")


def _same_country(sender: str, to: str) -> bool:
    return sender.startswith("+") and len(sender) > 8 and sender[:3] == to[:3]


def _weight(sender: str, to: str) -> bytes:
    return hashlib.blake2b(f"{sender}\0{to}".encode(), digest_size=8).digest()
