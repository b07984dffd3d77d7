"""How many text messages a text becomes: GSM-7 where every sign has a place in it, else UCS-2. Pure.

The counter of the template editor (static/channels/sms_count.js) counts the same way; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

from channels import sms_alphabet

_BASIC = frozenset(sms_alphabet.BASIC) - {"\x1b"}
#: These take two places: an escape and a sign.
_EXTENDED = frozenset(sms_alphabet.EXTENSION)
_GSM, _UCS = (160, 153), (70, 67)


@dataclass(frozen=True, slots=True)
class Counted:
    """``used`` places of ``room`` in all segments together. ``odd``: the signs that ask for UCS-2."""

    encoding: str
    used: int
    segments: int
    room: int
    odd: str = ""


def count(text: str) -> Counted:
    odd = "".join(dict.fromkeys(sign for sign in text if sign not in _BASIC and sign not in _EXTENDED))
    if odd:
        sizes = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
        return _counted("UCS-2", sizes, *_UCS, odd=odd)
    return _counted("GSM-7", [2 if sign in _EXTENDED else 1 for sign in text], *_GSM)


def _counted(encoding: str, sizes: list[int], single: int, part: int, odd: str = "") -> Counted:
    used = sum(sizes)
    if used <= single:
        return Counted(encoding, used, 1 if used else 0, single, odd)
    segments, left = 1, part
    # A sign of two places is never cut in two.
    for size in sizes:
        if size > left:
            segments, left = segments + 1, part
        left -= size
    return Counted(encoding, used, segments, segments * part, odd)
