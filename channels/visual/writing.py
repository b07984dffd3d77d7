"""A tree of pieces as MJML again: untouched pieces sign by sign, changed ones anew."""

from __future__ import annotations

import html
import re

from channels.rendering_liquid import TemplateError
from channels.rendering_markup import restore, swap, unix_lines
from channels.visual.pieces import ALONE, BOXES, KEPT, Document, Piece, attributes, open_fragment

_VOID = re.compile(
    r"<(area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)\s*/?>",
    re.IGNORECASE,
)
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_HARD_SPACE = "\u00a0"


def close_up(document: Document) -> str:
    """The whole template."""
    if document.body.tag != "mj-body":
        raise TemplateError("there is no mj-body")
    before = unix_lines(document.before)
    lines = "\n".join(_lines(document.body, 1)).lstrip()
    indent = "" if before.endswith("  ") else "\n  " if not before.endswith("\n") else "  "
    return f"{before}{indent}{lines}{unix_lines(document.after)}"


def written(pieces: list[Piece]) -> str:
    """Pieces that stand within a body, as MJML."""
    return "\n".join(line for piece in pieces for line in _lines(piece, 0))


def _lines(piece: Piece, depth: int) -> list[str]:
    start = "  " * depth
    if piece.tag == KEPT:
        return [f"{start}{unix_lines(piece.source).strip()}"] if piece.source.strip() else []
    if piece.tag not in BOXES:
        return [start + (unix_lines(piece.source) if _untouched(piece) else _leaf(piece))]
    opening = piece.source if _untouched(piece) else _opening(piece)
    opening = unix_lines(opening).removesuffix(">").rstrip().removesuffix("/").rstrip()
    inner = [line for child in piece.children for line in _lines(child, depth + 1)]
    return [f"{start}{opening}>", *inner, f"{start}</{piece.tag}>"]


def _untouched(piece: Piece) -> bool:
    """Whether its source says what it says now."""
    if not piece.source.startswith(f"<{piece.tag}"):
        return False
    if piece.tag in BOXES:
        return attributes(piece.source) == piece.attributes
    try:
        found = open_fragment(piece.source)
    except TemplateError:
        return False
    return [(one.tag, one.attributes, one.content) for one in found] == [
        (piece.tag, piece.attributes, piece.content)
    ]


def _leaf(piece: Piece) -> str:
    opening = _opening(piece)
    if piece.tag in ALONE:
        return f"{opening} />"
    return f"{opening}>{_content(piece.content)}</{piece.tag}>"


def _opening(piece: Piece) -> str:
    return "".join([f"<{piece.tag}", *(f' {name}="{_value(one)}"' for name, one in piece.attributes.items())])


def _value(text: str) -> str:
    swapped, tags = swap(text)
    shown = [html.unescape(tag).replace(_HARD_SPACE, " ") for tag in tags]
    return restore(swapped.replace('"', "&quot;").replace("<", "&lt;"), shown)


def _content(text: str) -> str:
    """Words as a browser gives them, in the way MJML wants them; Liquid is no HTML."""
    plain = _LIQUID.sub(lambda match: html.unescape(match[0]).replace(_HARD_SPACE, " "), unix_lines(text))
    swapped, tags = swap(plain)
    return restore(_VOID.sub(r"<\1\2 />", swapped), tags)
