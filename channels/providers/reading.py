"""What a setting of an account must look like, so that its form can name the wrong one. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

YES_NO = (("yes", "Yes"), ("no", "No"))
NO_YES = YES_NO[::-1]


def number(least: int, most: int) -> Callable[[str], float]:
    """A reader of numbers from ``least`` to ``most``. It raises ValueError in plain words."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ValueError(f"“{text[:40]}” is no number from {least} to {most}.")
        return value

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers from ``least`` to ``most``. It raises ValueError in plain words."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            raise ValueError(f"“{text[:40]}” is no whole number from {least} to {most}.")
        return int(text)

    return read


def web_address(text: str) -> str:
    """An address of the web. Raises ValueError in plain words."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.username
        _port = parts.port
    except ValueError:
        good = False
    if not good or any(sign.isspace() for sign in text):
        raise ValueError("An address begins with https:// and names a server, without a user name in it.")
    return text


def json_object(text: str) -> dict[str, object]:
    """A JSON object. Raises ValueError in plain words."""
    value = None
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
    if isinstance(value, dict):
        return value
    raise ValueError("This is no JSON object, which begins with { and ends with }.")


def google_key(text: str) -> dict[str, object]:
    """The JSON file of a service account's key. Raises ValueError in plain words."""
    value = json_object(text)
    missing = [name for name in ("client_email", "private_key") if not isinstance(value.get(name), str)]
    if missing:
        raise ValueError(f"This is not the file of a service account’s key: {', '.join(missing)} is missing.")
    return value
