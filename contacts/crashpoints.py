"""Places at which a fault test may let this process die as if by ``kill -9``. Off unless asked for.

``SEGUE_CRASHPOINT=name:n`` ends the process at the n-th passing of the point called ``name``.
"""

from __future__ import annotations

import os
import threading

_KILLED = 137
"The exit status that a shell reports for SIGKILL."


class Fuse:
    """Counts the passings of one named point and says at which one to end."""

    def __init__(self, order: str) -> None:
        self._name, _, hits = order.partition(":")
        self._left = int(hits or 1)
        self._lock = threading.Lock()

    def burnt(self, name: str) -> bool:
        if name != self._name:
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0


_fuse = Fuse(os.environ["SEGUE_CRASHPOINT"]) if os.environ.get("SEGUE_CRASHPOINT") else None


def crashpoint(name: str) -> None:
    """Mark a place between two steps where a crash must do no harm."""
    if _fuse and _fuse.burnt(name):
        os._exit(_KILLED)
