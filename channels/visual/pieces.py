"""MJML with Liquid as a tree of pieces, of which a visual editor can change some and must keep the others.

A piece that nobody changes is written back from its ``source``, sign by sign. What an editor cannot hold
(tables, loops between blocks, Liquid within a tag, comments) is one piece of kind ``kept``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from channels.rendering_liquid import TemplateError
from channels.rendering_markup import is_mjml, restore, swap, unix_lines

#: What holds other pieces, what holds words, and what stands alone.
BOXES = frozenset({"mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"})
WORDED = frozenset({"mj-text", "mj-button"})
ALONE = frozenset({"mj-image", "mj-divider", "mj-spacer"})
KEPT = "kept"
_DEEPEST = 12

_PART = re.compile(
    r"<!--.*?-->|<(?P<end>/)?(?P<name>mj[a-z-]*)\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?P<alone>/)?>", re.DOTALL
)
_ATTRIBUTE = re.compile(r"([^\s=<>\"'/]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_TAG = re.compile(r"<[a-zA-Z/](?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_LIQUID_WORD = re.compile(r"xliq\d{5}x")
_ROWS = re.compile(r"<(table|tr|tbody|select|colgroup)\b", re.IGNORECASE)


@dataclass(slots=True)
class Piece:
    """One block. ``attributes`` are as written, entities and all; ``content`` is HTML with Liquid."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: str = ""
    source: str = ""
    children: list[Piece] = field(default_factory=list)
    look: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole template: its body as a tree, and what stands before and after."""

    before: str
    body: Piece
    after: str


def open_up(source: str) -> Document:
    """Take a template apart. Raises TemplateError for what is no MJML, and for tags that do not close."""
    text = unix_lines(source)
    if not is_mjml(text):
        raise TemplateError("only MJML can be designed visually")
    swapped, tags = swap(text)
    start = next((part for part in _PART.finditer(swapped) if _opens(part, "mj-body")), None)
    if start is None:
        raise TemplateError("there is no mj-body")
    reader = _Reader(swapped, tags, start.end())
    body = _box("mj-body", start[0], tags)
    if not start["alone"]:
        body.children = reader.children("mj-body", 1)
    return Document(restore(swapped[: start.start()], tags), body, restore(swapped[reader.place :], tags))


def open_fragment(source: str) -> list[Piece]:
    """The pieces of some MJML that would stand within a body. Raises TemplateError."""
    swapped, tags = swap(unix_lines(source))
    return _Reader(swapped, tags, 0).children("", 1)


def attributes(opening: str) -> dict[str, str]:
    """The attributes of an opening tag, as written."""
    swapped, tags = swap(opening)
    return _attributes(swapped, tags)


class _Reader:
    """Reads on from ``place`` in a text whose Liquid was swapped for words."""

    def __init__(self, text: str, tags: list[str], place: int) -> None:
        self.text, self.tags, self.place = text, tags, place

    def children(self, name: str, depth: int) -> list[Piece]:
        """All until ``name`` closes, or until the text ends where there is no name."""
        if depth > _DEEPEST:
            raise TemplateError("the blocks are too deep in each other")
        found: list[Piece] = []
        while part := _PART.search(self.text, self.place):
            found += self._between(self.text[self.place : part.start()])
            self.place = part.end()
            if part["end"]:
                if part["name"] == name:
                    return found
                raise TemplateError(f"</{part['name']}> closes what is not open", self._line(part.start()))
            found.append(self._piece(part, depth))
        if name:
            raise TemplateError(f"<{name}> is not closed")
        found += self._between(self.text[self.place :])
        self.place = len(self.text)
        return found

    def _piece(self, part: re.Match[str], depth: int) -> Piece:
        name = part["name"]
        if name is None:
            return self._kept(part[0])
        if name in BOXES and not _odd(part[0]):
            box = _box(name, part[0], self.tags)
            if not part["alone"]:
                box.children = self.children(name, depth + 1)
            return box
        inner = "" if part["alone"] else self._until_closed(part)
        whole = self.text[part.start() : self.place]
        if _odd(part[0]) or (name in WORDED and not _plain(inner)) or name not in WORDED | ALONE:
            return self._kept(whole)
        content = restore(inner, self.tags) if name in WORDED else ""
        return Piece(name, _attributes(part[0], self.tags), content, restore(whole, self.tags))

    def _until_closed(self, start: re.Match[str]) -> str:
        depth = 1
        while part := _PART.search(self.text, self.place):
            self.place = part.end()
            if part["name"] == start["name"] and not part["alone"]:
                depth += -1 if part["end"] else 1
                if depth == 0:
                    return self.text[start.end() : part.start()]
        raise TemplateError(f"<{start['name']}> is not closed", self._line(start.start()))

    def _between(self, text: str) -> list[Piece]:
        """Liquid that stands between blocks, each tag by itself, and words that nothing holds."""
        words = text.strip()
        if not words:
            return []
        if _LIQUID_WORD.sub("", words).strip():
            return [self._kept(words)]
        return [self._kept(word) for word in words.split() for word in _LIQUID_WORD.findall(word)]

    def _kept(self, text: str) -> Piece:
        return Piece(KEPT, source=restore(text, self.tags))

    def _line(self, place: int) -> int:
        return restore(self.text[:place], self.tags).count("\n") + 1


def _opens(part: re.Match[str], name: str) -> bool:
    return part["name"] == name and not part["end"]


def _box(name: str, opening: str, tags: list[str]) -> Piece:
    return Piece(name, _attributes(opening, tags), source=restore(opening, tags))


def _attributes(opening: str, tags: list[str]) -> dict[str, str]:
    # Liquid may hold the quotation mark that ends an attribute.
    shown = [tag.replace('"', "&quot;") for tag in tags]
    return {
        match[1]: restore(match[2] if match[2] is not None else match[3], shown)
        for match in _ATTRIBUTE.finditer(opening)
    }


def _odd(tag: str) -> bool:
    """Whether Liquid stands in a tag outside of its values, where no editor can keep it."""
    return bool(_LIQUID_WORD.search(_QUOTED.sub("", tag)))


def _plain(inner: str) -> bool:
    """Whether a browser gives words back as it got them: it moves Liquid out of tables and out of tags."""
    if _ROWS.search(inner) and _LIQUID_WORD.search(inner):
        return False
    return not any(_odd(tag[0]) for tag in _TAG.finditer(inner))


def to_json(piece: Piece) -> dict[str, Any]:
    """A piece for the browser."""
    return {
        "tag": piece.tag,
        "attributes": piece.attributes,
        "content": piece.content,
        "source": piece.source,
        "look": piece.look,
        "children": [to_json(child) for child in piece.children],
    }


def from_json(data: Any, depth: int = 0) -> Piece:
    """A piece as the browser gave it back. Raises TemplateError for what is none."""
    if not isinstance(data, dict) or depth > _DEEPEST:
        raise TemplateError("this is no tree of blocks")
    tag, values, children = data.get("tag"), data.get("attributes", {}), data.get("children", [])
    if tag not in BOXES | WORDED | ALONE | {KEPT}:
        raise TemplateError(f"“{str(tag)[:40]}” is no block that can be designed")
    content, source = data.get("content", ""), data.get("source", "")
    if not (isinstance(values, dict) and isinstance(children, list) and isinstance(content, str)):
        raise TemplateError("a block is not as it should be")
    if not isinstance(source, str) or (children and tag not in BOXES):
        raise TemplateError("a block is not as it should be")
    for name, value in values.items():
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,60}", name) or not isinstance(value, str):
            raise TemplateError(f"“{name[:40]}” is no attribute")
    return Piece(tag, dict(values), content, source, [from_json(child, depth + 1) for child in children])
