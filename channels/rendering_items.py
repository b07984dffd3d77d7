"""What a part of a template wrote, remembered: thousands of mails name the same products, prices and shop.

It is done only where nothing but the values in question can matter: no other name, no counter, no clock. The
fuel that it took is charged each time, so that a template which works too hard still does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode

from channels import rendering_liquid
from channels.rendering_values import PLAIN, Value, Values, below, nodes, pure

_MOST_KEPT = 2_000
_MOST_FIELDS = 8
_MOST_OBJECTS = 256

#: Writes what a part of a template prints to the end of a list.
Write = Callable[[Values, list[Any]], None]


class Finished(Node):
    """Fixed text that has been made ready. As an ordinary node (in a capture, say) it is that text."""

    __slots__ = ("parts", "text")

    def __init__(self, content: ContentNode, parts: Sequence[object]) -> None:
        super().__init__(content.token)
        self.blank = content.blank
        self.text = content.text
        self.parts = parts

    def render_to_output(self, context: Any, buffer: Any) -> int:
        if isinstance(buffer, Collector):
            buffer.parts += self.parts
            return 1
        size: int = buffer.write(self.text)
        return size


class TooLongError(Exception):
    """More came out than a cut may hold."""


class Collector:
    """What Liquid's own nodes write to: pieces as they are, all else as text, up to ``left`` characters."""

    __slots__ = ("left", "parts")

    def __init__(self, left: int) -> None:
        self.parts: list[Any] = []
        self.left = left

    def write(self, text: str) -> int:
        if text:
            self.parts.append(text)
            self.left -= len(text)
            if self.left < 0:
                raise TooLongError
        return 1


def remembered(loop: ForNode, block: Write) -> Write:
    """``block`` as it is, or with a memory of what it wrote for each item."""
    name = str(loop.expression.identifier)
    fields = _fields(loop.block, name)
    if fields is None or not 0 < len(fields) <= _MOST_FIELDS:
        return block
    of = itemgetter(*fields)
    kept: dict[tuple[Any, ...], tuple[list[Any], int]] = {}

    def write(values: Values, out: list[Any]) -> None:
        try:
            own = of(values[name])
            # A float and an integer may be equal and print differently.
            key = (own, *map(type, own)) if len(fields) > 1 else (own, type(own))
            found = kept.get(key)
        except (KeyError, TypeError):  # a field is missing, or is a list
            block(values, out)
            return
        if found is None:
            made, spent = _tried(block, values)
            if not PLAIN.issuperset(key[1:]):
                out += made
                return
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            found = kept[key] = (_joined(made), spent)
        else:
            rendering_liquid.spend(found[1])
        out += found[0]

    return write


def by_value(left: Value, write: Write) -> Write:
    """``write``, remembering what it made of each value that it was given by ``left``."""
    kept: dict[tuple[Any, type], tuple[list[Any], int]] = {}

    def again(values: Values, out: list[Any]) -> None:
        given = left(values)
        if type(given) not in PLAIN:
            write(values, out)
            return
        key = (given, type(given))
        found = kept.get(key)
        if found is None:
            made, spent = _tried(write, values)
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            found = kept[key] = (made, spent)
        else:
            rendering_liquid.spend(found[1])
        out += found[0]

    return again


def by_object(names: Sequence[str], write: Write) -> Write:
    """``write``, remembering what it made of the very objects behind ``names``, which nobody changes."""
    # The objects are kept too, so that no other one can come to the same identity.
    kept: dict[tuple[int, ...], tuple[list[Any], list[Any], int]] = {}

    def again(values: Values, out: list[Any]) -> None:
        try:
            given = [values[name] for name in names]
        except KeyError:
            write(values, out)
            return
        key = tuple(map(id, given))
        found = kept.get(key)
        if found is None:
            made, spent = _tried(write, values)
            if len(kept) >= _MOST_OBJECTS:
                kept.clear()
            found = kept[key] = (given, _joined(made), spent)
        else:
            rendering_liquid.spend(found[2])
        out += found[1]

    return again


def _tried(write: Write, values: Values) -> tuple[list[Any], int]:
    """What ``write`` makes of ``values``, and the fuel that it took."""
    fuel, made = rendering_liquid.fuel(), list[Any]()
    write(values, made)
    return made, fuel - rendering_liquid.fuel()


def _joined(parts: Sequence[Any]) -> list[Any]:
    joined: list[Any] = []
    for one in parts:
        if joined and type(one) is type(joined[-1]) and type(one) in (bytes, str):
            joined[-1] += one
        else:
            joined.append(one)
    return joined


def _fields(block: Node, name: str) -> tuple[str, ...] | None:
    """The fields of the loop's item that a block reads; None when it depends on anything else."""
    found: dict[str, None] = {}
    for node in nodes(block):
        if isinstance(node, OutputNode | IfNode):
            for expression in node.expressions():
                for one in below(expression):
                    if not pure(one):
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
