"""What a segment costs, by country: as an account's own lines say. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LINE = re.compile(r"([A-Z]{2})[ \t:=]+(\d{1,4}(?:[.,]\d{1,6})?)", re.ASCII)


def read(text: str) -> dict[str, float]:
    """Country (two letters) to price. Raises ValueError with the line that is none."""
    prices = {}
    for line in filter(None, (one.strip() for one in text.splitlines())):
        found = _LINE.fullmatch(line.upper())
        if found is None:
            raise ValueError(f"“{line[:40]}” is no price: write a country and a number, such as FR 0.0725")
        prices[found[1]] = float(found[2].replace(",", "."))
    return prices


def known(settings: Mapping[str, object]) -> tuple[dict[str, float], str]:
    """An account's prices and their currency; none where they cannot be read."""
    try:
        prices = read(str(settings.get("prices") or ""))
    except ValueError:
        prices = {}
    return prices, str(settings.get("currency") or "EUR")[:8]
