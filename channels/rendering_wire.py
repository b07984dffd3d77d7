"""From what a cut template left (finished bytes, texts, addresses) to the body of an email in its encoding.

Every piece is quoted-printable by itself and begins at the start of a line: between two of them stands a soft
line break, which readers take out again. So pieces are encoded once and joined, whatever is between them.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from liquid import escape

from channels.rendering_markup import END, LINK, MARK, PIXEL, SOURCE, START, TEXT_LINK, safe

_SOFT = b"=\r\n"
_TOKENS = re.compile(f"({START}[a-z]|{END})")
#: Text that is its own quoted-printable form, on a line of its own.
_OWN_FORM = re.compile(r"(?=[^.])[!-<>-~][ -<>-~]{0,70}(?<! )")
_STRANGE = re.compile(f"[\r{START}{END}\ud800-\udfff]")
_LONGEST = 76


class NotCutError(Exception):
    """This must be written the long way."""


class Target(NamedTuple):
    """A place for an address of ours, which is different in each mail.

    A link's ``address`` is as a reader would follow it, and stays where no id is known. A pixel has none.
    """

    kind: str
    address: str


class Open:
    """Here an address begins, of this kind."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Within(str):
    """Fixed text inside an address."""

    __slots__ = ()


#: Here an address ends.
CLOSE = object()
Parts = tuple[object, ...]
Piece = bytes | Target


def pieces(text: str, *, inside: bool) -> tuple[Parts, bool]:
    """The parts of fixed text of an HTML body, and whether it ends inside an address. Raises NotCutError."""
    if "\r" in text:
        raise NotCutError
    found: list[object] = []
    kind = ""
    within = ""  # of an address that begins in this very text
    for token in _TOKENS.split(text):
        if token.startswith(START):
            if inside:
                raise NotCutError
            inside, kind, within = True, token[1], ""
        elif token == END:
            if not inside:
                raise NotCutError
            found.append(address(kind, within) if kind else CLOSE)
            inside, kind = False, ""
        elif not token:
            continue
        elif inside and kind:
            within = token
        elif inside:
            found.append(Within(token))
        else:
            found.append(encoded(token))
    if kind:
        found.append(Open(kind))
        if within:
            found.append(Within(within))
    return _merged(found), inside


def _merged(found: Sequence[object]) -> Parts:
    merged: list[object] = []
    for one in found:
        if isinstance(one, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += one
        else:
            merged.append(one)
    return tuple(merged)


def joined(collected: Iterable[object]) -> list[Piece]:
    """The pieces of what Liquid's own nodes wrote. Raises NotCutError."""
    found: list[Piece] = []
    kind, within = "", list[str]()
    for one in collected:
        if isinstance(one, bytes | Target):
            found.append(one)
        elif isinstance(one, Open):
            kind, within = one.kind, []
        elif one is CLOSE:
            found.append(address(kind, "".join(within)))
            kind = ""
        elif isinstance(one, str):
            if kind:
                within.append(one)
            else:
                found.append(hole_escaped(one))
        else:
            raise NotCutError
    if kind:
        raise NotCutError
    return found


@lru_cache(maxsize=4_096)
def hole(text: str) -> bytes:
    """A piece of HTML that shows ``text``. Raises NotCutError."""
    return hole_escaped(str(escape(text)))


def hole_escaped(text: str) -> bytes:
    """A piece of what is HTML already. Raises NotCutError."""
    # Nearly every hole is a name, a price or a word.
    if _OWN_FORM.fullmatch(text):
        return text.encode("ascii") + _SOFT
    if _STRANGE.search(text):
        raise NotCutError
    return encoded(str(text))


def encoded(text: str) -> bytes:
    """``text`` in quoted-printable, ended by a soft break or the end of a line; no line begins with a dot."""
    # Soft breaks follow the first line end that the encoder meets, so there is always one.
    lines = text.replace("\n", "\r\n") + "\r\n"
    raw = binascii.b2a_qp(lines.encode(), quotetabs=False, istext=True)[:-2]
    if raw.startswith(b"."):
        raw = b"=2E" + raw[1:]
    raw = raw.replace(b"\r\n.", b"\r\n=2E")
    if raw.endswith(b"\n") or not raw:
        return _short(raw) if b"=2E" in raw else raw
    # The last line must have room for a soft break, one that began with a dot for what it grew.
    start = raw.rfind(b"\n") + 1
    front = _short(raw[:start]) if b"=2E" in raw else raw[:start]
    return front + _cut(raw[start:], _LONGEST - 1) + _SOFT


def _short(lines: bytes) -> bytes:
    return b"\r\n".join([_cut(line, _LONGEST) for line in lines.split(b"\r\n")])


def _cut(line: bytes, most: int) -> bytes:
    if len(line) <= most:
        return line
    # Not within the three signs of an encoded byte.
    at = 66
    while b"=" in line[at - 2 : at]:
        at -= 1
    return line[:at] + _SOFT + line[at:]


@lru_cache(maxsize=8_192)
def address(kind: str, raw: str) -> Piece:
    """What stands between two marks, as ``rendering_markup.resolve`` reads it. Raises NotCutError."""
    if kind == PIXEL:
        return Target(PIXEL, "")
    if _STRANGE.search(raw):
        raise NotCutError
    found = (raw if kind == TEXT_LINK else html.unescape(raw)).strip()
    if not safe(found):
        if kind == TEXT_LINK:
            raise NotCutError  # the brackets around it go too
        return b"" if kind == SOURCE else shown(kind, "#")
    if kind in (LINK, TEXT_LINK) and found.lower().startswith(("https://", "http://")):
        return Target(kind, found)
    return shown(kind, found)


def shown(kind: str, address: str) -> bytes:
    """An address that is finished, as it stands in HTML or in plain text."""
    return spread(address if kind == TEXT_LINK else html.escape(address))


def words(text: str, own: Mapping[str, bytes]) -> list[Piece]:
    """A rendered plain text, as pieces. ``own`` are addresses that are finished. Raises NotCutError."""
    if _CARRIAGE in text:
        raise NotCutError
    found: list[Piece] = []
    split = MARK.split(text)
    for place in range(0, len(split) - 1, 3):
        if split[place]:
            found.append(_words(split[place]))
        raw = split[place + 2]
        found.append(own.get(raw) or address(split[place + 1], raw))
    if split[-1]:
        found.append(_words(split[-1]))
    return found


_CARRIAGE = "\r"


@lru_cache(maxsize=2_048)
def _words(text: str) -> bytes:
    if _STRANGE.search(text):
        raise NotCutError
    return encoded(text.replace(" ()", ""))


def body(
    text: Iterable[Piece],
    page: Iterable[Piece],
    link: Callable[[Target], bytes],
    pixel: Callable[[], bytes],
    boundary: bytes,
) -> bytes:
    """The body of a multipart/alternative email, without its headers, as SMTP carries it.

    ``link`` and ``pixel`` give what is in a mail's own places. No line begins with a dot.
    """
    return b"".join(
        [
            b"--", boundary, _PLAIN,
            *[one if type(one) is bytes else link(one) for one in text],  # type: ignore[arg-type]
            b"\r\n\r\n--", boundary, _HTML,
            *[
                one if type(one) is bytes else link(one) if one[0] != PIXEL else pixel()  # type: ignore[arg-type]
                for one in page
            ],
            b"\r\n\r\n--", boundary, b"--\r\n",
        ]
    )  # fmt: skip


_ENCODING = b"; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_PLAIN = b"\r\nContent-Type: text/plain" + _ENCODING
_HTML = b"\r\nContent-Type: text/html" + _ENCODING


def spread(text: str) -> bytes:
    """``text`` as a piece, quickly where it needs no encoding but lines of the right length."""
    return _lines(text.encode("ascii")) if _SPREAD.fullmatch(text) else encoded(text)


def _lines(raw: bytes) -> bytes:
    if len(raw) <= _CHUNK:
        return raw + _SOFT
    lines = _SOFT.join([raw[at : at + _CHUNK] for at in range(0, len(raw), _CHUNK)]) + _SOFT
    return lines.replace(b"\n.", b"\n=2E") if b"\n." in lines else lines


_CHUNK = 72
_SPREAD = re.compile(r"[!-\-/-<>-~][!-<>-~]*")
