"""A published email cut once into pieces that are encoded already and the holes between them.

The Liquid renderer stays the one truth: a cut is the same parsed template, in which each stretch of fixed
text stands for its finished bytes. The commonest tags are run as one flat program (rendering_flat), every
other template by Liquid's own nodes; so a mail costs its holes and not its size. What cannot be cut, or comes
out strangely, is None here and is written the long way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from liquid import BoundTemplate, RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode

from channels import rendering, rendering_flat, rendering_liquid, rendering_wire
from channels.models.provider import Channel
from channels.rendering import Source
from channels.rendering_flat import OWN, Ink
from channels.rendering_items import Collector, Finished, TooLongError, Write
from channels.rendering_liquid import TemplateError
from channels.rendering_wire import Piece, Target

#: A mail longer than this is written the long way, where Liquid's own limits of output are asked.
_MOST = 150_000
_MOST_CUTS = 256


class Drafted(NamedTuple):
    """One person's mail, written but for the tracked addresses of its links."""

    subject: str
    text: Sequence[Piece]
    html: Sequence[Piece]

    @property
    def addresses(self) -> set[str]:
        """The addresses that its links lead to."""
        return {one[1] for one in (*self.text, *self.html) if type(one) is Target and one[1]}


@dataclass(frozen=True, slots=True)
class Cut:
    """A template of an email, ready to be written many times."""

    subject: Write
    text: Write
    html: Write

    def write(self, context: Mapping[str, Any], own: Iterable[str] = ()) -> Drafted | None:
        """The mail for one person; None when it must be written the long way.

        ``own`` are the addresses of the person's own pages, which stay as they are.
        """
        values = {**context, OWN: {address: rendering_wire.spread(address) for address in own}}
        try:
            with rendering_liquid.bounds():
                subject = rendering.subject_line("".join(_run(self.subject, values)))
                text = rendering.text_body("".join(_run(self.text, values)))
                page = _run(self.html, values)
            words = rendering_wire.words(text, values[OWN])
        except (TemplateError, TooLongError, rendering_wire.NotCutError):
            return None
        if sum(map(len, page)) + sum(map(len, words)) > _MOST:
            return None
        return Drafted(subject, words, page)


def _run(write: Write, context: Mapping[str, Any]) -> list[Any]:
    rendering_liquid.refuel()
    out: list[Any] = []
    write(dict(context), out)
    return out


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
    return Cut(
        _ready(subject, rendering_flat.TEXT),
        _ready(text, rendering_flat.TEXT),
        _ready(html, rendering_flat.PAGE),
    )


def _ready(parsed: BoundTemplate, ink: Ink) -> Write:
    """What writes a template: a flat program where there is one, else Liquid's own nodes."""
    flat = rendering_flat.program(parsed, ink)
    if flat is not None:
        return flat
    namespace = parsed.make_partial_namespace(False, {})

    def write(values: dict[str, Any], out: list[Any]) -> None:
        context, collector = RenderContext(parsed, globals=values), Collector(_MOST)
        with context.extend(namespace):
            for node in parsed.nodes:
                node.render(context, collector)  # type: ignore[arg-type]
        out += rendering_wire.joined(collector.parts) if ink is rendering_flat.PAGE else collector.parts

    return write


class _Cutter:
    """Swaps the fixed text of a parsed template for pieces, in the order in which it is written."""

    def cut(self, nodes: list[Node], *, inside: bool) -> bool:
        """Whether the text ends inside an address, having begun ``inside`` one. Raises NotCutError."""
        for place, node in enumerate(nodes):
            if isinstance(node, ContentNode):
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
