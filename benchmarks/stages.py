"""Processor time by stage: functions are wrapped, and each is charged for what it does itself.

A stage inside another one is taken off the outer one. Times are of threads, so waiting costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any


class Stages:
    """Seconds of processor time by name."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._own = threading.local()
        self._lock = threading.Lock()

    def watch(self, place: Any, function: str, name: str) -> None:
        """Charge every call of ``place.function`` to ``name``."""
        setattr(place, function, self.wrapped(getattr(place, function), name))

    def wrapped(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            stack: list[float] = self._own.__dict__.setdefault("stack", [])
            began = time.thread_time()
            stack.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.thread_time() - began
                inner = stack.pop()
                if stack:
                    stack[-1] += whole
                with self._lock:
                    self.spent[name] += whole - inner  # type: ignore[assignment]

        return timed
