"""Cells that a spreadsheet would run as a formula, made harmless, and read back as they were. Pure.

OWASP, "CSV injection": a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break may be
taken for a formula. An apostrophe before it makes it text. A cell that begins with such an apostrophe by
itself gets one more, so that nothing is lost on the way out and in again.
"""

from __future__ import annotations

import re

_LIVE = re.compile(r"'*[=+\-@\t\r\n＝＋－＠|%]")


def guard(text: str) -> str:
    """``text`` as a cell that no spreadsheet runs."""
    return f"'{text}" if text and _LIVE.match(text) else text


def unguard(text: str) -> str:
    """What ``guard`` was given; any other text stays as it is."""
    return text[1:] if text.startswith("'") and _LIVE.match(text, 1) else text
