"""What a loop writes for one item, remembered: the same few products stand in the mails of thousands.

It is done only where nothing but the item's own values can matter: no other name, no counter, no clock. The
fuel that it took is charged each time, so that a template which works too hard still does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import Path
from liquid.builtin.expressions.filtered import FilteredExpression
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.expression import Expression

from channels import rendering_liquid

_MOST_KEPT = 2_000
_MOST_FIELDS = 8
#: Values that are their own key. (A float and an integer may be equal and print differently.)
_PLAIN = frozenset({str, int, float, bool, type(None)})
#: This asks the clock.
_NOT_PURE = frozenset({"date"})
_MISSING = object()
_NO_CONTEXT: Any = None


class Output(Protocol):
    """What a render writes to. ``left`` characters may still come."""

    parts: list[Any]
    left: int

    def write(self, text: str) -> int: ...


Write = Callable[[RenderContext, Output], None]
#: Makes the parts that were written into those that stand for them.
Finish = Callable[[list[Any]], list[Any]]


class Finished(Node):
    """Fixed text that has been made ready. As an ordinary node (in a capture, say) it is that text."""

    __slots__ = ("parts", "text")

    def __init__(self, content: ContentNode, parts: Sequence[object]) -> None:
        super().__init__(content.token)
        self.blank = content.blank
        self.text = content.text
        self.parts = parts

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        size: int = buffer.write(self.text)
        return size


def remembered(loop: ForNode, block: Write, finish: Finish) -> Write:
    """``block`` as it is, or with a memory of what it wrote for each item."""
    name = str(loop.expression.identifier)
    fields = _fields(loop.block, name)
    if fields is None or not 0 < len(fields) <= _MOST_FIELDS:
        return block
    kept: dict[tuple[Any, ...], tuple[list[Any], int, int]] = {}

    def write(context: RenderContext, output: Output) -> None:
        key = _key(context.scope[name], fields)
        if key is None:
            block(context, output)
            return
        found = kept.get(key)
        if found is None:
            before, parts, left, fuel = output.parts, list[Any](), output.left, rendering_liquid.fuel()
            output.parts = parts
            try:
                block(context, output)
            finally:
                output.parts = before
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            spent = fuel - rendering_liquid.fuel()
            found = kept[key] = (finish(parts), left - output.left, spent)
        else:
            rendering_liquid.spend(found[2])
            output.left -= found[1]
        output.parts += found[0]

    return write


def _key(item: Any, fields: Sequence[str]) -> tuple[Any, ...] | None:
    """What tells one item from another, as far as the block can see; None when it cannot be told."""
    if type(item) is not dict:
        return None
    values = [item.get(field, _MISSING) for field in fields]
    kinds = [type(value) for value in values]
    if not all(kind in _PLAIN or kind is object for kind in kinds):
        return None
    return (*values, *kinds)


def _fields(block: Node, name: str) -> tuple[str, ...] | None:
    """The fields of the loop's item that a block reads; None when it depends on anything else."""
    found: dict[str, None] = {}
    for node in _nodes(block):
        if isinstance(node, OutputNode | IfNode):
            for expression in node.expressions():
                for one in _below(expression):
                    if not _pure(one):
                        return None
                    if isinstance(one, Path):
                        if len(one.path) != 2 or one.path[0] != name or type(one.path[1]) is not str:
                            return None
                        found[one.path[1]] = None
        elif not isinstance(node, Finished | ContentNode) and type(node).__name__ not in _HOLDERS:
            return None
    return tuple(found)


#: Nodes that only hold others.
_HOLDERS = frozenset({"BlockNode", "ConditionalBlockNode"})


def _pure(expression: Expression) -> bool:
    if not isinstance(expression, FilteredExpression):
        return type(expression).__name__ != "TernaryFilteredExpression"
    return not any(one.name in _NOT_PURE for one in expression.filters or ())


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children(_NO_CONTEXT):
        yield from _nodes(child)


def _below(expression: Expression) -> Iterator[Expression]:
    yield expression
    for child in expression.children():
        yield from _below(child)
