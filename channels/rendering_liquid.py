"""Liquid as a bounded interpreter: what a template may use, and how much.

Templates are data written by marketers. They see plain dictionaries, never model objects; loops, output,
nesting and the size of every value are limited, so the worst template costs milliseconds and fails alone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import FilterArgumentError, LiquidError, LoopIterationLimitError
from liquid.undefined import FalsyStrictUndefined

MOST_ITERATIONS = 2_000
MOST_OUTPUT = 400_000
MOST_VALUE = 50_000
_FUEL = 600_000
_BIGGEST_NUMBER = 10**18
_LOCALS = 200_000
_DEPTH = 12

#: They read other files, keep state between renders, or are of no use in a message.
_REMOVED_TAGS = (
    "include", "render", "macro", "call", "tablerow", "increment", "decrement", "extends", "block", "doc",
)  # fmt: skip
#: They would print a value without escaping it.
_REMOVED_FILTERS = ("safe", "escapejs", "base64_decode", "base64_url_safe_decode")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ue000\ue001]")


class TemplateError(Exception):
    """A template cannot be read or rendered. ``line`` is counted from 1, or None when it is not known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


class _Fuel(threading.local):
    """What the render of this thread may still spend on filters."""

    left = 0


_fuel = _Fuel()


def fuel() -> int:
    """What the render of this thread may still spend."""
    return _fuel.left


def spend(amount: int) -> None:
    """Charge the render for work that was done before. Raises FilterArgumentError."""
    _fuel.left -= amount
    if _fuel.left < 0:
        raise FilterArgumentError("the template works too hard", token=None)


def refuel() -> None:
    """Let the render of this thread spend anew."""
    _fuel.left = _FUEL


def _bounded(function: Callable[..., Any], *, multiplies: bool) -> Callable[..., Any]:
    """Charge a filter for the size of what it takes, and refuse a result that is too big.

    Only the replacing filters can multiply two sizes, so their product is charged before they run.
    """

    @wraps(function)
    def guarded(value: Any, *args: Any, **kwargs: Any) -> Any:
        cost = 20 + (len(value) if type(value) is str else _size(value))
        for one in args:
            cost += len(one) if type(one) is str else _size(one)
        if multiplies and len(args) > 1:
            cost += _size(value) * _size(args[1]) // 20
        _fuel.left -= cost
        if _fuel.left < 0:
            raise FilterArgumentError("the template works too hard", token=None)
        result = function(value, *args, **kwargs)
        if (len(result) if type(result) is str else _size(result)) > MOST_VALUE:
            raise FilterArgumentError("a filter makes a value that is too big", token=None)
        return result

    return guarded


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict | range):
        return 10 * len(value)
    if isinstance(value, int) and not -_BIGGEST_NUMBER <= value <= _BIGGEST_NUMBER:
        return MOST_VALUE + 1
    return 0


class Missing(FalsyStrictUndefined):
    """A name without a value: false in a condition, an error where it would be printed or looped over."""

    __slots__ = ()
    force_liquid_default = True


def money(value: Any, currency: Any = "") -> str:
    """``{{ cart.total | money: "EUR" }}``: two decimals, thousands apart, sign of the currency."""
    try:
        amount = float(value)
    except (TypeError, ValueError):
        raise FilterArgumentError("money needs a number", token=None) from None
    text = f"{amount:,.2f}"
    code = str(currency).upper()
    sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(code)
    if sign == "€":
        return f"{text} €"
    return f"{sign}{text}" if sign else f"{text} {code}".strip()


def _short_range(original: Callable[..., range]) -> Callable[..., range]:
    def make(self: RangeLiteral, start: Any, stop: Any) -> range:
        result = original(self, start, stop)
        if len(result) > MOST_ITERATIONS:
            raise LoopIterationLimitError("a range is too long", token=self.token)
        return result

    return make


# A range literal has no limit of its own, and no environment can give it one.
RangeLiteral._make_range = _short_range(RangeLiteral._make_range)  # type: ignore[method-assign]


class _Bounded(Environment):
    loop_iteration_limit = MOST_ITERATIONS
    output_stream_limit = MOST_OUTPUT
    local_namespace_limit = _LOCALS
    context_depth_limit = _DEPTH
    block_nesting_limit = _DEPTH

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for name in _REMOVED_TAGS:
            self.tags.pop(name, None)
        for name in _REMOVED_FILTERS:
            self.filters.pop(name, None)
        self.filters["money"] = money
        for name, function in self.filters.items():
            self.filters[name] = _bounded(function, multiplies=name.startswith("replace"))


HTML = _Bounded(autoescape=True, undefined=Missing)
TEXT = _Bounded(autoescape=False, undefined=Missing)


def parse(source: str, *, html: bool) -> BoundTemplate:
    """The parsed template. Raises TemplateError with the line."""
    environment = HTML if html else TEXT
    try:
        template = environment.from_string(source)
        for name, spans in template.analyze(include_partials=False).filters.items():
            if name not in environment.filters:
                raise TemplateError(f"there is no filter “{name}”", source.count("\n", 0, spans[0].index) + 1)
        return template
    except LiquidError as error:
        raise _fault(error) from None
    except (RecursionError, ValueError) as error:
        raise TemplateError(f"cannot be read: {type(error).__name__}") from None


def render(template: BoundTemplate, context: Mapping[str, Any]) -> str:
    """The text for one person. Raises TemplateError; nothing of it reaches another person."""
    with bounds():
        return template.render(**context)


@contextmanager
def bounds() -> Iterator[None]:
    """Give a render its fuel, and turn whatever it raises into a TemplateError."""
    refuel()
    try:
        yield
    except LiquidError as error:
        raise _fault(error) from None
    except (ArithmeticError, RecursionError, TypeError, ValueError, AttributeError, LookupError) as error:
        # Strange data makes filters raise what they like; one person's data fails one person's message.
        raise TemplateError(f"{type(error).__name__}: {error}"[:200]) from None


def paths(template: BoundTemplate) -> Iterator[str]:
    """Names that a template asks for, such as ``contact.first_name``."""
    yield from sorted(map(str, template.global_variable_paths()))


def plain(value: Any, depth: int = 0) -> Any:
    """``value`` as templates may see it: plain types only, control characters gone, ten levels at most."""
    kind = type(value)
    if kind is str:
        # None of those signs is printable, and asking that is quicker.
        return value if value.isprintable() else _CONTROLS.sub("", value)
    if kind in _PLAIN or isinstance(value, int | float):
        return value
    if depth < 10:
        if isinstance(value, Mapping):
            return {str(key): plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item, depth + 1) for item in value]
    return None if depth >= 10 else plain(str(value))


_PLAIN = frozenset({type(None), bool, int, float})


def _fault(error: LiquidError) -> TemplateError:
    context = error.context() if error.token is not None else None
    return TemplateError(str(error.message), context[0] if context else None)
