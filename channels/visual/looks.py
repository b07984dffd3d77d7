"""What the visual editor shows of pieces that it cannot draw itself: each drawn by the sending engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from channels import previewing
from channels.models import TemplateVersion
from channels.visual.editor import BLANK
from channels.visual.pieces import KEPT, Document, Piece

_MOST = 60
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
#: What stands around a piece so that it is a whole mail, by what holds it.
_AROUND = {
    "mj-body": ("", ""),
    "mj-wrapper": ("", ""),
    "mj-section": ("<mj-section>", "</mj-section>"),
    "mj-group": ("<mj-section>", "</mj-section>"),
    "mj-column": ("<mj-section><mj-column>", "</mj-column></mj-section>"),
    "mj-hero": ("<mj-section><mj-column>", "</mj-column></mj-section>"),
}
_CONTROL = re.compile(r"\{%-?\s*(\w+)\s*(.*?)\s*-?%\}", re.DOTALL)


def add(document: Document, version: TemplateVersion, now: datetime) -> None:
    """Give each kept piece of a document its look, as an example person would see it."""
    _draw(document, document.body, version, now)


def of_pieces(
    pieces: list[Piece], inside: str, document: Document, version: TemplateVersion, now: datetime
) -> None:
    """Give pieces that will stand ``inside`` a tag of the document their looks."""
    _draw(document, Piece(inside, children=pieces), version, now)


def page(body: str, version: TemplateVersion, now: datetime) -> str:
    """A block by itself as a whole page, as an example person sees it; empty where it cannot be drawn."""
    first = re.search(r"<(mj-[a-z]+)", body)
    before, after = ("<mj-section><mj-column>", "</mj-column></mj-section>")
    if first is None:
        before, after = f"{before}<mj-text>", f"</mj-text>{after}"
    elif first[1] in ("mj-section", "mj-wrapper", "mj-hero"):
        before, after = "", ""
    whole = BLANK.replace("  </mj-body>", f"{before}{body}{after}</mj-body>").replace("#eef3f2", "#ffffff")
    return previewing.pages([whole], version, now)[0]


def _draw(document: Document, root: Piece, version: TemplateVersion, now: datetime) -> None:
    found = [pair for pair in _kept(root) if _can_be_drawn(pair[0])][:_MOST]
    mails = [_mail(document, piece, inside) for piece, inside in found]
    for (piece, _inside), page in zip(found, previewing.pages(mails, version, now), strict=True):
        body = _BODY.search(page)
        piece.look = body[1].strip() if body else ""


def _kept(piece: Piece) -> Iterator[tuple[Piece, str]]:
    for child in piece.children:
        if child.tag == KEPT:
            yield child, piece.tag
        else:
            yield from _kept(child)


def _can_be_drawn(piece: Piece) -> bool:
    return not piece.source.startswith(("{%", "<!--")) or bool(re.match(r"\{%-?\s*block\b", piece.source))


def _mail(document: Document, piece: Piece, inside: str) -> str:
    before, after = _AROUND.get(inside, ("", ""))
    return f"{document.before}<mj-body>{before}{piece.source}{after}</mj-body>{document.after}"


def label(source: str) -> str:
    """What a kept piece is called: for the outline, and where it has no look."""
    text = source.strip()
    if text.startswith("<!--"):
        return _("Note: %s") % " ".join(text[4:-3].split())[:60]
    if match := _CONTROL.fullmatch(text):
        word, rest = match[1], " ".join(match[2].split())[:80]
        return {
            "if": _("Only if %s") % rest,
            "elsif": _("Or else if %s") % rest,
            "else": _("Or else"),
            "for": _("For each %s") % rest,
            "block": _("Content block %s") % rest.strip("\"'"),
        }.get(word, _("End of it") if word.startswith("end") else text[:80])
    if match := re.match(r"<mj-([a-z-]+)", text):
        names = {"table": _("Table"), "text": _("Text (as code)"), "button": _("Button (as code)")}
        return names.get(match[1], match[1].replace("-", " ").capitalize())
    return " ".join(text.split())[:60]
