"""A parsed template as one flat row of steps over plain dictionaries: text, names, conditions and loops.

The steps do what Liquid's own nodes do, and only where that is certain: a template with any other tag has no
such program, and a value that is out of the ordinary raises, so that the mail is written the long way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from liquid import BoundTemplate, escape
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import Path
from liquid.builtin.expressions.primitive import IntegerLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression
from liquid.stringify import to_liquid_string

from channels import rendering_items, rendering_values, rendering_wire
from channels.rendering_items import Finished, Write
from channels.rendering_values import Shop, Values
from channels.rendering_wire import NotCutError

#: Among the values, finished pieces by address: those of the person's own pages. No template can name it.
OWN = ""
#: Names of a loop's own counters, which are no values.
_COUNTERS = frozenset({"forloop", "parentloop"})
#: These are others in each mail.
_PERSONAL = frozenset({"contact", "message", "survey", OWN})
_LONGEST_LOCAL = 10_000


@dataclass(frozen=True, slots=True)
class Ink:
    """How what a template prints is written down: what is not escaped yet, and what is."""

    raw: Callable[[str], Any]
    done: Callable[[str], Any]


def _same(text: str) -> str:
    return text


TEXT = Ink(_same, _same)
#: The body of an HTML mail.
PAGE = Ink(rendering_wire.hole, rendering_wire.hole_escaped)
#: An address within it.
ADDRESS = Ink(lambda text: str(escape(text)), str)


def program(parsed: BoundTemplate, ink: Ink) -> Write | None:
    """What writes the whole template; None when it holds what is not known here."""
    every = [one for node in parsed.nodes for one in rendering_values.nodes(node)]
    paths = [
        one
        for node in every
        for expression in node.expressions()
        for one in rendering_values.below(expression)
        if isinstance(one, Path)
    ]
    loops = {str(node.expression.identifier) for node in every if isinstance(node, ForNode)}
    names = {str(node.name) for node in every if isinstance(node, AssignNode)}
    if any(path.head() in _COUNTERS for path in paths) or loops & (names | _COUNTERS):
        return None
    maker = _Maker(Shop(parsed), rendering_values.most_turns(parsed.nodes), _PERSONAL | names | loops)
    try:
        return maker.block(parsed.nodes, ink)
    except NotCutError:
        return None


def _nothing(values: Values, out: list[Any]) -> None:
    """Writes nothing."""


class _Steps:
    """A row of steps: fixed parts, and between them what must be asked of the values."""

    def __init__(self) -> None:
        self._rows: list[tuple[tuple[Any, ...], Write]] = []
        self._fixed: list[Any] = []

    def fixed(self, part: Any) -> None:
        if self._fixed and type(part) is bytes and type(self._fixed[-1]) is bytes:
            self._fixed[-1] += part
        else:
            self._fixed.append(part)

    def then(self, step: Write) -> None:
        self._rows.append((tuple(self._fixed), step))
        self._fixed = []

    def whole(self) -> Write:
        rows = [*self._rows, (tuple(self._fixed), _nothing)] if self._fixed else self._rows
        if len(rows) == 1:
            fixed, only = rows[0]
            if not fixed:
                return only
            if only is _nothing:
                return lambda values, out: out.extend(fixed)

        def write(values: Values, out: list[Any]) -> None:
            for fixed, step in rows:
                out += fixed
                step(values, out)

        return write


class _Maker:
    """Makes steps of nodes."""

    def __init__(self, shop: Shop, most: int, own: Set[str]) -> None:
        self._shop = shop
        self._most = most
        #: Names of what is another one in each mail.
        self._own = own
        #: Whether what is being made is within something that is remembered as a whole.
        self._shared = False

    def block(self, nodes: Sequence[Node], ink: Ink, *, blank: bool = False) -> Write:
        """``blank``: Liquid prints nothing of blocks that hold only spaces. Raises NotCutError."""
        steps = _Steps()
        address: tuple[str, _Steps] | None = None
        for node in nodes:
            if isinstance(node, ContentNode | Finished):
                parts = node.parts if isinstance(node, Finished) else (node.text,)
                for part in () if blank else parts:
                    if isinstance(part, rendering_wire.Open):
                        address = part.kind, _Steps()
                    elif part is rendering_wire.CLOSE and address is not None:
                        steps.then(_address(address[0], address[1].whole()))
                        address = None
                    else:
                        (address[1] if address else steps).fixed(part)
            elif address is not None:
                address[1].then(self._step(node, ADDRESS))
            else:
                steps.then(self._step(node, ink))
        if address is not None:
            raise NotCutError
        return steps.whole()

    def _step(self, node: Node, ink: Ink) -> Write:
        names = None if self._shared else rendering_values.free(node)
        if names is None or names & self._own:
            return self._made(node, ink)
        self._shared = True
        try:
            return rendering_items.by_object(sorted(names), self._made(node, ink))
        finally:
            self._shared = False

    def _made(self, node: Node, ink: Ink) -> Write:
        if type(node) is OutputNode:
            return self._printed(node.expression, ink)
        if isinstance(node, IfNode | UnlessNode):
            return self._condition(node, ink)
        if type(node) is ForNode:
            return self._loop(node, ink)
        if type(node) is AssignNode:
            return self._assigned(node)
        if type(node) is CommentNode:
            return _nothing
        raise NotCutError

    def _inner(self, block: BlockNode | None, ink: Ink) -> Write:
        return _nothing if block is None else self.block(block.nodes, ink, blank=block.blank)

    def _printed(self, expression: Expression, ink: Ink) -> Write:
        value, escaped = rendering_values.value(expression, self._shop), self._shop.environment.autoescape
        raw, done = ink.raw, ink.done

        def write(values: Values, out: list[Any]) -> None:
            found = value(values)
            if type(found) is str:
                out.append(raw(found))
            else:
                out.append(done(to_liquid_string(found, escaped)))

        if not rendering_values.fixed_filters(expression, self._shop):
            return write
        return rendering_items.by_value(rendering_values.value(expression.left, self._shop), write)  # type: ignore[attr-defined]

    def _condition(self, node: IfNode | UnlessNode, ink: Ink) -> Write:
        holds, first = rendering_values.truth(node.condition, self._shop), self._inner(node.consequence, ink)
        wanted = isinstance(node, IfNode)
        others = [
            (rendering_values.truth(one.expression, self._shop), self._inner(one.block, ink))
            for one in node.alternatives
        ]
        default = self._inner(node.default, ink)

        def write(values: Values, out: list[Any]) -> None:
            if holds(values) is wanted:
                first(values, out)
                return
            for other, block in others:
                if other(values):
                    block(values, out)
                    return
            default(values, out)

        return write

    def _loop(self, node: ForNode, ink: Ink) -> Write:
        expression = node.expression
        ends = (expression.offset, expression.limit)
        if not all(one is None or type(one) is IntegerLiteral for one in ends):
            raise NotCutError
        offset, limit = (getattr(one, "value", None) for one in ends)
        if (offset or 0) < 0 or (limit or 0) < 0:
            raise NotCutError
        name, most = str(expression.identifier), self._most
        items = rendering_values.value(expression.iterable, self._shop)
        block = rendering_items.remembered(node, self._inner(node.block, ink))
        default = self._inner(node.default, ink)
        start = offset or 0
        # As Liquid cuts: a limit of nothing is none.
        stop = None if limit is None else limit + start or None

        def write(values: Values, out: list[Any]) -> None:
            found = items(values)
            if type(found) is not list:
                raise NotCutError
            found = found[start:stop]
            if not found:
                default(values, out)
                return
            if len(found) > most:
                raise NotCutError
            before = values.get(name, values)
            for values[name] in reversed(found) if expression.reversed else found:
                block(values, out)
            if before is values:
                del values[name]
            else:
                values[name] = before

        return write

    def _assigned(self, node: AssignNode) -> Write:
        value, name = rendering_values.value(node.expression, self._shop), str(node.name)

        def write(values: Values, out: list[Any]) -> None:
            found = value(values)
            if isinstance(found, str) and len(found) > _LONGEST_LOCAL:
                raise NotCutError
            values[name] = found

        return write


def _address(kind: str, inner: Write) -> Write:
    def write(values: Values, out: list[Any]) -> None:
        words: list[str] = []
        inner(values, words)
        raw = "".join(words)
        out.append(values[OWN].get(raw) or rendering_wire.address(kind, raw))

    return write
