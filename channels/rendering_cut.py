"""A published email cut once into pieces that are encoded already and the holes between them.

The Liquid renderer stays the one truth: a cut is the same parsed template, run by the same interpreter, in
which each stretch of fixed text stands for its finished bytes. So conditions, loops, filters and limits are
Liquid's own, and a mail costs its holes and not its size. What cannot be cut, or comes out strangely, is
None here and is written the long way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode

from channels import rendering, rendering_items, rendering_liquid, rendering_quick, rendering_wire
from channels.models.provider import Channel
from channels.rendering import Source
from channels.rendering_items import Finished
from channels.rendering_liquid import TemplateError
from channels.rendering_wire import Target

#: A mail longer than this is written the long way, where Liquid's own limits of output are asked.
_MOST = 150_000
_MOST_CUTS = 256


class _TooLongError(Exception):
    """More came out than a cut may hold."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """One person's mail, written but for the tracked addresses of its links."""

    subject: str
    text: Sequence[str | Target]
    html: Sequence[bytes | Target]
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A parsed template, and what writes it."""

    parsed: BoundTemplate
    write: rendering_items.Write


@dataclass(frozen=True, slots=True)
class Cut:
    """A template of an email, ready to be written many times."""

    subject: _Ready
    text: _Ready
    html: _Ready
    #: Bytes of the fixed text of the HTML.
    size: int

    def write(self, context: Mapping[str, Any]) -> Drafted | None:
        """The mail for one person; None when it must be written the long way."""
        try:
            subject = rendering.subject_line("".join(_run(self.subject, context, 2_000)))
            words = rendering.text_body("".join(_run(self.text, context, _MOST)))
            text = rendering_wire.targets(words)
            html = rendering_wire.joined(_run(self.html, context, _MOST - self.size))
        except (TemplateError, _TooLongError, rendering_wire.NotCutError, UnicodeError):
            return None
        found = {part.address for part in (*text, *html) if isinstance(part, Target) and part.tracked}
        return Drafted(subject, text, html, frozenset(found))


@lru_cache(maxsize=_MOST_CUTS)
def of(source: Source) -> Cut | None:
    """The cut of an email's words; None when they cannot be cut. Raises TemplateError as ``wording`` does."""
    if source.channel != Channel.EMAIL:
        return None
    subject, text, html = rendering.parsed(source)
    if html is None or not all(one.env.globals == {} == one.globals for one in (subject, text, html)):
        return None
    if "\r" in source.compiled or "\r" in source.body:
        return None
    cutter = _Cutter()
    try:
        inside = cutter.cut(html.nodes, inside=False)
    except rendering_wire.NotCutError:
        return None
    if inside:
        return None
    words = [_Ready(one, rendering_quick.template(one, _whole)) for one in (subject, text)]
    page = _Ready(html, rendering_quick.template(html, rendering_wire.finished))
    return Cut(words[0], words[1], page, cutter.size)


def _whole(parts: list[Any]) -> list[Any]:
    return ["".join(parts)]


class _Cutter:
    """Swaps the fixed text of a parsed template for pieces, in the order in which it is written."""

    def __init__(self) -> None:
        self.size = 0

    def cut(self, nodes: list[Node], *, inside: bool) -> bool:
        """Whether the text ends inside an address, having begun ``inside`` one. Raises NotCutError."""
        for place, node in enumerate(nodes):
            if isinstance(node, ContentNode):
                self.size += len(node.text.encode())
                parts, inside = rendering_wire.pieces(node.text, inside=inside)
                nodes[place] = Finished(node, parts)
                continue
            for child in node.children(_NO_CONTEXT):
                if isinstance(child, ContentNode):  # fixed text stands in blocks only
                    raise rendering_wire.NotCutError
                own = child.nodes if isinstance(child, BlockNode) else [child]
                # What may be left out or repeated must not open or close an address.
                if self.cut(own, inside=inside) is not inside:
                    raise rendering_wire.NotCutError
        return inside


# No template of ours loads another one, so nodes know their children without a context.
_NO_CONTEXT: Any = None


class _Collector:
    """What a render writes to: pieces as they are, everything else as text, up to ``left`` characters."""

    __slots__ = ("left", "parts")

    def __init__(self, left: int) -> None:
        self.parts: list[Any] = []
        self.left = left

    def write(self, text: str) -> int:
        if text:
            self.parts.append(text)
            self.left -= len(text)
            if self.left < 0:
                raise _TooLongError
        return 1


def _run(template: _Ready, values: Mapping[str, Any], most: int) -> list[Any]:
    collector = _Collector(most)
    with rendering_liquid.bounds():
        template.write(RenderContext(template.parsed, globals=values), collector)
    return collector.parts
