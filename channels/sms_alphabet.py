"""The alphabet of text messages, GSM 03.38 (3GPP TS 23.038, 6.2.1), one byte a place. Pure."""

from __future__ import annotations

#: In order: the place of a sign is its code. The escape leads to ``_EXTENSION``.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40,
    "€": 0x65,
}  # fmt: skip
_ESCAPE = 0x1B
_CODES = {sign: bytes([code]) for code, sign in enumerate(BASIC) if code != _ESCAPE}
_CODES |= {sign: bytes([_ESCAPE, code]) for sign, code in EXTENSION.items()}
_SIGNS = {code: sign for sign, code in EXTENSION.items()}


def encode(text: str) -> bytes | None:
    """``text`` in the alphabet, or None where a sign has no place in it."""
    try:
        return b"".join([_CODES[sign] for sign in text])
    except KeyError:
        return None


def decode(raw: bytes) -> str:
    """What ``raw`` says; an unknown escape is the sign behind it, as the standard asks."""
    found, escaped = [], False
    for code in raw:
        if escaped:
            found.append(_SIGNS.get(code, BASIC[code & 0x7F]))
            escaped = False
        elif code == _ESCAPE:
            escaped = True
        else:
            found.append(BASIC[code & 0x7F])
    return "".join(found)
