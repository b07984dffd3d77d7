"""The commonest parts of a parsed template as functions: fixed text, names, filters, conditions and loops.

They do what Liquid's own nodes do, with Liquid's own contexts, filters, loops and limits, without asking each
time what a template cannot change. Every other part stays what it is and is run by Liquid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from liquid import BoundTemplate, Environment, Markup, RenderContext, escape
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.arguments import PositionalArgument
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.logical import BooleanExpression, is_truthy
from liquid.builtin.expressions.primitive import FloatLiteral, IntegerLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.for_tag import ForLoop, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.exceptions import BreakLoop, ContinueLoop, LiquidTypeError
from liquid.expression import Expression
from liquid.stringify import to_liquid_string

from channels import rendering_items
from channels.rendering_items import Finish, Finished, Output, Write

Value = Callable[[RenderContext], Any]
_LITERALS = (StringLiteral, IntegerLiteral, FloatLiteral)


@dataclass(frozen=True, slots=True)
class _Shop:
    """What the functions are made with."""

    environment: Environment
    finish: Finish


def template(parsed: BoundTemplate, finish: Finish) -> Write:
    """What writes the whole template, on a context whose globals are its values.

    ``finish`` makes what a stretch wrote into what may be kept of it.
    """
    shop = _Shop(parsed.env, finish)
    writes = [_node(node, shop) for node in parsed.nodes]
    namespace = parsed.make_partial_namespace(False, {})

    def write(context: RenderContext, output: Output) -> None:
        with context.extend(namespace):
            for one in writes:
                one(context, output)

    return write


def _node(node: Node, shop: _Shop) -> Write:
    if isinstance(node, Finished):
        return _finished(node.parts)
    if type(node) is ContentNode:
        return _finished((node.text,))
    if type(node) is OutputNode:
        return _printed(node, shop)
    if type(node) is IfNode:
        return _condition(node, shop)
    if type(node) is ForNode:
        return _loop(node, shop)
    return partial(_asis, node)


def _block(block: BlockNode, shop: _Shop) -> Write:
    if block.blank:
        # Liquid prints nothing of blocks that hold only spaces.
        return partial(_asis, block)
    writes = [_node(node, shop) for node in block.nodes]
    if len(writes) == 1:
        return writes[0]

    def write(context: RenderContext, output: Output) -> None:
        for one in writes:
            one(context, output)

    return write


def _asis(node: Node, context: RenderContext, output: Output) -> None:
    node.render(context, output)  # type: ignore[arg-type]


def _finished(parts: Sequence[object]) -> Write:
    def write(context: RenderContext, output: Output) -> None:
        output.parts += parts

    return write


def _printed(node: OutputNode, shop: _Shop) -> Write:
    value = _filtered(node.expression, shop)

    def write(context: RenderContext, output: Output) -> None:
        found = value(context)
        if type(found) is str:
            output.write(escape(found) if context.autoescape else found)
        else:
            output.write(to_liquid_string(found, context.autoescape))

    return write


def _condition(node: IfNode, shop: _Shop) -> Write:
    ways = [(_truth(node.condition), _block(node.consequence, shop))]
    ways += [(_truth(one.expression), _block(one.block, shop)) for one in node.alternatives]
    default = _block(node.default, shop) if node.default else None

    def write(context: RenderContext, output: Output) -> None:
        for holds, block in ways:
            if holds(context):
                block(context, output)
                return
        if default is not None:
            default(context, output)

    return write


def _loop(node: ForNode, shop: _Shop) -> Write:
    expression = node.expression
    block = rendering_items.remembered(node, _block(node.block, shop), shop.finish)
    default = _block(node.default, shop) if node.default else None
    name = str(expression.identifier)
    title = f"{name}-{expression.iterable}"

    def write(context: RenderContext, output: Output) -> None:
        it, length = expression.evaluate(context)
        if not length:
            if default is not None:
                default(context, output)
            return
        forloop = ForLoop(title, it, length, context.parentloop())
        namespace: dict[str, Any] = {"forloop": forloop, name: None}
        with context.loop(namespace, forloop):
            for item in forloop:
                namespace[name] = item
                try:
                    block(context, output)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break

    return write


def _truth(expression: Expression) -> Value:
    if type(expression) is BooleanExpression and type(expression.expression) is Path:
        value = _path(expression.expression)
        return lambda context: is_truthy(value(context))
    return expression.evaluate


def _filtered(expression: Expression, shop: _Shop) -> Value:
    if type(expression) is not FilteredExpression:
        return expression.evaluate
    value = _path(expression.left) if type(expression.left) is Path else expression.left.evaluate
    for one in expression.filters or ():
        value = _then(value, one, shop)
    return value


def _then(value: Value, step: Filter, shop: _Shop) -> Value:
    """``value`` put through a filter; one whose arguments are written out is called at once."""
    function = shop.environment.filters[step.name]
    needs = getattr(function, "with_context", False) or getattr(function, "with_environment", False)
    fixed = all(type(one) is PositionalArgument and type(one.value) in _LITERALS for one in step.args)
    if needs or not fixed:
        return lambda context: step.evaluate(value(context), context)
    given: list[Any] = [cast(Any, one.value).value for one in step.args]
    if shop.environment.autoescape:
        given = [Markup(one) if type(one) is str else one for one in given]

    def filtered(context: RenderContext) -> Any:
        try:
            return function(value(context), *given)
        except TypeError as error:
            raise LiquidTypeError(f"{step.name}: {error}", token=step.token) from error

    return filtered


def _path(path: Path) -> Value:
    """The value of a name: in dictionaries at once, by Liquid's own rules in all other cases."""
    if not all(type(segment) is str for segment in path.path):
        return path.evaluate
    root, *names = path.path
    whole, token = list(path.path), path.token

    def value(context: RenderContext) -> Any:
        found: Any
        # Its own lookup would raise for each part without the name.
        for space in context.scope._maps:
            if root in space:
                found = space[root]  # type: ignore[index]
                break
        else:
            return context.get(whole, token=token)  # type: ignore[arg-type]
        for name in names:
            if type(found) is not dict or name not in found:
                return context.get(whole, token=token)  # type: ignore[arg-type]
            found = found[name]
        return found

    return value
