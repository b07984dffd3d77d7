"""Expressions of a parsed template as functions of plain dictionaries: names, filters and conditions.

They give what Liquid's own expressions give. What is not among the commonest, and every name without a value,
is asked of Liquid itself, in a context made for that question.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from liquid import BoundTemplate, Environment, Markup, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import Path, StringLiteral
from liquid.builtin.expressions.arguments import PositionalArgument
from liquid.builtin.expressions.filtered import Filter, FilteredExpression
from liquid.builtin.expressions.logical import (
    BooleanExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
    is_truthy,
)
from liquid.builtin.expressions.primitive import FloatLiteral, IntegerLiteral
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.expression import Expression

from channels import rendering_liquid

Values = dict[str, Any]
Value = Callable[[Values], Any]

#: Values that are their own key, when their type stands beside them.
PLAIN = frozenset({str, int, float, bool, type(None)})
#: This asks the clock.
_NOT_PURE = frozenset({"date"})
_LITERALS = (StringLiteral, IntegerLiteral, FloatLiteral)
_NUMBERS = frozenset({int, float})
_SURE = frozenset({str, int, float, bool, list, dict})
_COMPARED: dict[type, Callable[[Any, Any], bool]] = {
    EqExpression: operator.eq,
    NeExpression: operator.ne,
    LtExpression: operator.lt,
    GtExpression: operator.gt,
    LeExpression: operator.le,
    GeExpression: operator.ge,
}
_NO_CONTEXT: Any = None


@dataclass(frozen=True, slots=True)
class Shop:
    """What the functions are made with."""

    parsed: BoundTemplate

    @property
    def environment(self) -> Environment:
        return self.parsed.env

    def context(self, values: Values) -> RenderContext:
        """A context for Liquid's own expressions. (Loops keep their item among the values.)"""
        return RenderContext(self.parsed, globals=values)


def value(expression: Expression, shop: Shop) -> Value:
    """What an expression comes to, as Liquid has it: a name without a value is Liquid's own nothing."""
    if type(expression) is Path:
        return _path(expression, shop)
    if type(expression) in _LITERALS:
        fixed = _literal(expression, shop)
        return lambda values: fixed
    if type(expression) is FilteredExpression:
        found = value(expression.left, shop)
        for one in expression.filters or ():
            found = _then(found, one, shop)
        return found
    return lambda values: expression.evaluate(shop.context(values))


def truth(expression: Expression, shop: Shop) -> Callable[[Values], bool]:
    """Whether a condition holds."""
    kind = type(expression)
    if isinstance(expression, BooleanExpression):
        return truth(expression.expression, shop)
    if isinstance(expression, LogicalAndExpression):
        left, right = truth(expression.left, shop), truth(expression.right, shop)
        return lambda values: left(values) and right(values)
    if isinstance(expression, LogicalOrExpression):
        left, right = truth(expression.left, shop), truth(expression.right, shop)
        return lambda values: left(values) or right(values)
    if kind in _COMPARED:
        return _compared(expression, shop)
    if kind is Path:
        return _there(_path(cast(Path, expression), shop))
    return lambda values: is_truthy(expression.evaluate(shop.context(values)))


def pure(expression: Expression) -> bool:
    """Whether an expression's own step depends on nothing but what it is given."""
    if not isinstance(expression, FilteredExpression):
        return type(expression).__name__ != "TernaryFilteredExpression"
    return not any(one.name in _NOT_PURE for one in expression.filters or ())


def fixed_filters(expression: Expression, shop: Shop) -> bool:
    """Whether this is a name put through filters that see nothing else: its value says what comes out."""
    return (
        type(expression) is FilteredExpression
        and type(expression.left) is Path
        and bool(expression.filters)
        and pure(expression)
        and all(_written_out(step, shop) for step in expression.filters or ())
    )


def nodes(node: Node) -> Iterator[Node]:
    """A node and all nodes below it."""
    yield node
    for child in node.children(_NO_CONTEXT):
        yield from nodes(child)


def below(expression: Expression) -> Iterator[Expression]:
    """An expression and all expressions in it."""
    yield expression
    for child in expression.children():
        yield from below(child)


def free(node: Node) -> set[str] | None:
    """Names that a node reads from outside; None when it depends on more than what they are, or sets one."""
    if isinstance(node, AssignNode):
        return None
    found: set[str] = set()
    for expression in node.expressions():
        for one in below(expression):
            if not pure(one):
                return None
            if isinstance(one, Path):
                found.add(str(one.head()))
    for child in node.children(_NO_CONTEXT):
        inner = free(child)
        if inner is None:
            return None
        if isinstance(node, ForNode) and child is node.block:
            inner.discard(str(node.expression.identifier))
        found |= inner
    return found


def most_turns(whole: Sequence[Node]) -> int:
    """So many turns may a loop take: Liquid counts those of loops in loops together."""
    depth = max((_depth(node) for node in whole), default=0)
    return int(rendering_liquid.MOST_ITERATIONS ** (1 / max(1, depth)) + 1e-9)


def _depth(node: Node) -> int:
    own = max((_depth(child) for child in node.children(_NO_CONTEXT)), default=0)
    return own + isinstance(node, ForNode)


def _there(found_by: Value) -> Callable[[Values], bool]:
    def holds(values: Values) -> bool:
        found = found_by(values)
        if type(found) in _SURE:
            return found is not False
        return found is not None and is_truthy(found)

    return holds


def _compared(expression: Any, shop: Shop) -> Callable[[Values], bool]:
    left, right = value(expression.left, shop), value(expression.right, shop)
    compare = _COMPARED[type(expression)]

    def holds(values: Values) -> bool:
        one, other = left(values), right(values)
        if type(one) in _NUMBERS and type(other) in _NUMBERS:
            return compare(one, other)
        if isinstance(one, str) and isinstance(other, str):
            return compare(one, other)
        return is_truthy(expression.evaluate(shop.context(values)))

    return holds


def _literal(expression: Any, shop: Shop) -> Any:
    written = expression.value
    return Markup(written) if type(written) is str and shop.environment.autoescape else written


def _written_out(step: Filter, shop: Shop) -> bool:
    function = shop.environment.filters[step.name]
    needs = getattr(function, "with_context", False) or getattr(function, "with_environment", False)
    fixed = all(type(one) is PositionalArgument and type(one.value) in _LITERALS for one in step.args)
    return fixed and not needs


def _then(found_by: Value, step: Filter, shop: Shop) -> Value:
    """``found_by`` put through a filter; one whose arguments are written out is called at once."""
    if not _written_out(step, shop):
        return lambda values: step.evaluate(found_by(values), shop.context(values))
    function = shop.environment.filters[step.name]
    given: list[Any] = [_literal(cast(Any, one).value, shop) for one in step.args]
    if len(given) == 1:
        only = given[0]
        return lambda values: function(found_by(values), only)
    return lambda values: function(found_by(values), *given)


def _path(path: Path, shop: Shop) -> Value:
    """The value of a name: in dictionaries at once, by Liquid's own rules in all other cases."""
    whole: list[Any] = list(path.path)
    token = path.token
    if not all(type(segment) is str for segment in whole):
        return lambda values: path.evaluate(shop.context(values))
    root, *names = whole
    name = names[0] if len(names) == 1 else ""

    def one(values: Values) -> Any:
        found = values.get(root)
        if type(found) is dict:
            if name in found:
                return found[name]
        elif name == "size" and type(found) is list:
            return len(found)
        return shop.context(values).get(whole, token=token)

    def several(values: Values) -> Any:
        found: Any = values
        for part in whole:
            if type(found) is not dict or part not in found:
                return shop.context(values).get(whole, token=token)
            found = found[part]
        return found

    return one if len(names) == 1 else several
