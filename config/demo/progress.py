"""A progress bar that is readable on a terminal and in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_WIDTH = 28


class Progress:
    """Use as a context; ``add`` what is done. Draws a bar on a terminal, a line each tenth elsewhere."""

    def __init__(self, title: str, total: int, unit: str) -> None:
        self.title, self.total, self.unit = title, max(total, 1), unit
        self.done = 0
        self._began = time.monotonic()
        self._drawn = -1
        self._terminal = sys.stdout.isatty()

    def __enter__(self) -> Progress:
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal:
            print(flush=True)

    def add(self, count: int) -> None:
        self.done += count
        self._draw()

    @property
    def rate(self) -> float:
        """Done a second so far."""
        return self.done / max(time.monotonic() - self._began, 1e-6)

    def _draw(self) -> None:
        share = min(self.done / self.total, 1.0)
        step = int(share * (100 if self._terminal else 10))
        if step == self._drawn:
            return
        self._drawn = step
        filled = int(share * _WIDTH)
        line = (
            f"{self.title} [{'█' * filled}{'·' * (_WIDTH - filled)}] {share:4.0%}"
            f"  {self.done:,} of {self.total:,} {self.unit}, {self.rate:,.0f}/s"
        )
        print(f"\r{line}" if self._terminal else line, end="" if self._terminal else "\n", flush=True)
