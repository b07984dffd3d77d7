"""From what a cut template left (finished bytes, texts, addresses) to the body of an email in its encoding.

Every piece is quoted-printable by itself and begins at the start of a line: between two of them stands a soft
line break, which readers take out again. So pieces are encoded once and joined, whatever is between them.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from channels.rendering_mail import part
from channels.rendering_markup import END, LINK, MARK, PIXEL, SOURCE, START, TEXT_LINK, safe

_SOFT = b"=\r\n"
_TOKENS = re.compile(f"({START}[a-z]|{END})")
#: Text that is its own quoted-printable form, on a line of its own.
_OWN_FORM = re.compile(r"(?=[^.])[!-<>-~][ -<>-~]{0,70}(?<! )")
_STRANGE = re.compile(f"[\r{START}{END}\ud800-\udfff]")


class NotCutError(Exception):
    """This must be written the long way."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address in a mail. ``tracked`` ones become a signed address of ours, where they have an id.

    ``address`` is as a reader would follow it; a pixel has none.
    """

    kind: str
    address: str
    tracked: bool = False


class _Open:
    """Here an address begins, of this kind."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class _Within(str):
    """Fixed text inside an address."""

    __slots__ = ()


_CLOSE = object()
Parts = tuple[object, ...]


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
            found.append(_target(kind, within) if kind else _CLOSE)
            inside, kind = False, ""
        elif not token:
            continue
        elif inside and kind:
            within = token
        elif inside:
            found.append(_Within(token))
        else:
            found.append(encoded(token))
    if kind:
        found.append(_Open(kind))
        if within:
            found.append(_Within(within))
    return _merged(found), inside


def _merged(found: Sequence[object]) -> Parts:
    merged: list[object] = []
    for one in found:
        if isinstance(one, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += one
        else:
            merged.append(one)
    return tuple(merged)


def joined(collected: Iterable[object]) -> list[bytes | Target]:
    """The parts that a render collected: bytes, and addresses to be filled. Raises NotCutError."""
    found: list[bytes | Target] = []
    kind, within = "", list[str]()
    for one in collected:
        if type(one) is bytes:
            found.append(one)
        elif type(one) is _Open:
            kind, within = one.kind, []
        elif one is _CLOSE:
            found.append(_target(kind, _hole("".join(within))))
            kind = ""
        elif isinstance(one, Target):
            found.append(one)
        elif isinstance(one, str):
            if kind:
                within.append(one)
            else:
                found.append(_hole_bytes(one))
        else:
            raise NotCutError
    if kind:
        raise NotCutError
    return found


def finished(collected: list[object]) -> list[object]:
    """A stretch that is written again and again: joined as far as it can be."""
    return list(_merged(joined(collected)))


def _hole_bytes(text: str) -> bytes:
    # Nearly every hole is a name, a price or a word.
    if _OWN_FORM.fullmatch(text):
        return text.encode("ascii") + _SOFT
    return encoded(_hole(text))


def _hole(text: str) -> str:
    if _STRANGE.search(text):
        raise NotCutError
    return str(text)


def encoded(text: str) -> bytes:
    """``text`` in quoted-printable, ended by a soft break or the end of a line; no line begins with a dot."""
    # Soft breaks follow the first line end that the encoder meets, so there is always one.
    lines = text.replace("\n", "\r\n") + "\r\n"
    raw = binascii.b2a_qp(lines.encode(), quotetabs=False, istext=True)[:-2]
    if raw.startswith(b"."):
        raw = b"=2E" + raw[1:]
    raw = raw.replace(b"\r\n.", b"\r\n=2E")
    if max(map(len, raw.split(b"\r\n"))) >= _LONGEST:
        raw = b"\r\n".join(map(_short, raw.split(b"\r\n")))
    return raw if raw.endswith(b"\n") or not raw else raw + _SOFT


_LONGEST = 76


def _short(line: bytes) -> bytes:
    """A line that leaves room for a soft break: a quoted dot or the end of the text may have taken it."""
    if len(line) < _LONGEST:
        return line
    # Not within the three signs of an encoded byte.
    at = 66
    while b"=" in line[at - 2 : at]:
        at -= 1
    return line[:at] + _SOFT + line[at:]


@lru_cache(maxsize=8_192)
def _target(kind: str, raw: str) -> Target:
    """What stands between two marks, as ``rendering_markup.resolve`` reads it."""
    if kind == PIXEL:
        return Target(PIXEL, "")
    address = (raw if kind == TEXT_LINK else html.unescape(raw)).strip()
    if not safe(address):
        return Target(kind, "" if kind in (SOURCE, TEXT_LINK) else "#")
    web = address.lower().startswith(("https://", "http://"))
    return Target(kind, address, tracked=web and kind in (LINK, TEXT_LINK))


def targets(text: str) -> list[str | Target]:
    """A rendered plain text as words and the addresses between them."""
    found: list[str | Target] = []
    end = 0
    for match in MARK.finditer(text):
        found += (text[end : match.start()], _target(match[1], match[2]))
        end = match.end()
    found.append(text[end:])
    return found


def body(
    text: Sequence[str | Target],
    page: Sequence[bytes | Target],
    track: Callable[[str], str],
    pixel: str,
    boundary: bytes,
) -> bytes:
    """The body of a multipart/alternative email, without its headers, as SMTP carries it.

    ``track`` turns an address into the one that stands for it; ``pixel`` is the HTML of the pixel. No line
    begins with a dot but in the plain text, where it is doubled.
    """
    words = "".join([one if isinstance(one, str) else _shown(one, track) for one in text])
    plain = part("plain", words.replace(" ()", ""))
    if b"\n." in plain:
        plain = plain.replace(b"\r\n.", b"\r\n..")
    filled = [one if type(one) is bytes else _filled(one, track, pixel) for one in page]  # type: ignore[arg-type]
    return b"".join(
        (b"--", boundary, b"\r\n", plain, b"\r\n--", boundary, b"\r\n", _HTML, *filled, b"\r\n\r\n--",
         boundary, b"--\r\n")
    )  # fmt: skip


_HTML = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"


def _shown(target: Target, track: Callable[[str], str]) -> str:
    if target.kind == PIXEL:
        return ""
    address = track(target.address) if target.tracked else target.address
    return address if target.kind == TEXT_LINK else html.escape(address)


def _filled(target: Target, track: Callable[[str], str], pixel: str) -> bytes:
    if target.kind == PIXEL:
        text = pixel
    else:
        address = track(target.address) if target.tracked else target.address
        text = address if target.kind == TEXT_LINK else html.escape(address)
    if not _SPREAD.fullmatch(text):
        return encoded(text)
    raw = text.encode("ascii")
    spread = _SOFT.join([raw[at : at + _CHUNK] for at in range(0, len(raw), _CHUNK)]) + _SOFT
    return spread.replace(b"\n.", b"\n=2E") if b"\n." in spread else spread


_CHUNK = 70
#: What needs no encoding but lines of the right length.
_SPREAD = re.compile(r"[!-\-/-<>-~][!-<>-~]*")
