"""Bodies of requests: strict JSON, within bounds, with nothing that PostgreSQL cannot keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from contacts import intake_limits as limits
from contacts.api.errors import bad_request


class StrictJson(BaseParser):
    """Refuses what other readers take in silence: keys named twice, NaN, NUL, numbers that would explode."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request: Request = (parser_context or {})["request"]
        # Django's reading of the body, and not the stream's: it minds the size.
        return read(request._request.body)


def read(body: bytes) -> Any:
    """The value of a body; an empty one is an empty object. Raises Refused, naming the place."""
    if not body.strip():
        return {}
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_whole,
            parse_float=_decimal,
        )
    except UnicodeDecodeError:
        raise bad_request("malformed_json", "The body is not valid UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise bad_request("malformed_json", f"The body is not valid JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise _too_deep("") from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _value in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise bad_request("repeated_key", "A key is named twice in one object.", twice[: limits.MAX_KEY])
    return found


def _constant(name: str) -> Any:
    raise bad_request("malformed_json", f"{name} is not JSON.")


def _whole(literal: str) -> int:
    if len(literal) <= limits.MAX_NUMBER_LENGTH:
        value = int(literal)
        if limits.MIN_WHOLE <= value <= limits.MAX_WHOLE:
            return value
    raise _number()


def _decimal(literal: str) -> float:
    _digits, mark, exponent = literal.lower().partition("e")
    long = len(literal) > limits.MAX_NUMBER_LENGTH
    if long or (mark and abs(int(exponent)) > limits.MAX_EXPONENT):
        raise _number()
    return float(literal)


def _check(value: Any) -> None:
    """Depth, keys and texts of a decoded tree, level by level, so that no depth can exhaust the stack."""
    level: list[tuple[str, Any]] = [("", value)]
    for _depth in range(limits.MAX_DEPTH + 4):
        deeper: list[tuple[str, Any]] = []
        for path, node in level:
            if isinstance(node, dict):
                for name, item in node.items():
                    _check_text(name, path, limits.MAX_KEY)
                    _look(item, f"{path}.{name}" if path else name, deeper)
            elif isinstance(node, list):
                for place, item in enumerate(node):
                    _look(item, f"{path}.{place}" if path else str(place), deeper)
            elif isinstance(node, str):
                _check_text(node, path)
        if not deeper:
            return
        level = deeper
    raise _too_deep(level[0][0])


def _look(item: Any, path: str, deeper: list[tuple[str, Any]]) -> None:
    if isinstance(item, str):
        _check_text(item, path)
    elif isinstance(item, dict | list):
        deeper.append((path, item))


def _check_text(text: str, path: str, longest: int | None = None) -> None:
    if longest is not None and len(text) > longest:
        raise bad_request("key_too_long", f"A key may have at most {longest} characters.", path or None)
    if "\x00" in text:
        raise bad_request("forbidden_character", "A text contains a NUL character.", path or None)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            message = "A text contains half of a character (a lone surrogate)."
            raise bad_request(
                "forbidden_character", message, path.encode(errors="replace").decode()
            ) from None


def _number() -> Exception:
    return bad_request(
        "number_out_of_range",
        f"A number lies beyond 64 bits, {limits.MAX_NUMBER_LENGTH} characters or an exponent"
        f" of {limits.MAX_EXPONENT}.",
    )


def _too_deep(path: str) -> Exception:
    return bad_request(
        "too_deep", f"At most {limits.MAX_DEPTH} levels of nesting are accepted.", path[:200] or None
    )
