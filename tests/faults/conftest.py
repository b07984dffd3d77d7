"""What fault tests tell `make faults` besides having passed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

import pytest


class Tally(Protocol):
    """Counts what went through a fault, as the truth outside saw it."""

    def __call__(
        self,
        *,
        things: int,
        lost: int = 0,
        twice: int = 0,
        uncertain: int = 0,
        unmarked: int = 0,
        kills: int = 0,
        seconds: float = 0,
    ) -> None:
        """``things`` are messages or events; ``unmarked`` is uncertain and nobody could know it.

        ``seconds``: how long it took until all was right again.
        """


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    def note(**counts: float) -> None:
        record_property("tally", json.dumps(counts))

    return note
