"""How many events a source may send: a bucket per source that fills with time and may be overdrawn once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable


class Quota:
    """`rate` events a second for each source, with one second's worth at once; 0 means no limit.

    A request passes while its source's bucket is not empty and is then charged in full, so that a batch
    larger than the bucket is delayed and not impossible. Counted in each web process by itself.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}

    def wait(self, source_id: int) -> int:
        """Whole seconds after which `source_id` may send again; 0 for now."""
        if not self._rate:
            return 0
        with self._lock:
            left = self._left(source_id)
        return 0 if left > 0 else max(1, math.ceil((1 - left) / self._rate))

    def charge(self, source_id: int, events: int) -> None:
        if self._rate:
            with self._lock:
                self._buckets[source_id] = (self._left(source_id) - events, self._clock())

    def _left(self, source_id: int) -> float:
        now = self._clock()
        left, at = self._buckets.get(source_id, (self._rate, now))
        return min(self._rate, left + (now - at) * self._rate)
