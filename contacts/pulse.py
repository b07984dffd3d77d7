"""Hints that wake pulses. They carry nothing: tables hold the work, and pulses also tick by themselves."""

import threading
import time
from collections.abc import Callable, Sequence

from celery import current_app

_AT_MOST_EVERY = 0.05
"Seconds between two hints of one name from one process: a pulse takes whole batches anyway."
_PAUSE_AFTER_FAILURE = 1.0
"Seconds in which nothing is sent after the broker failed, so that writers do not wait for it each time."


class Waker:
    """Sends hints through `send`, sparingly, and never lets its failures out."""

    def __init__(self, send: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: dict[str, float] = {}
        self._silent_until = float("-inf")

    def wake(self, name: str) -> None:
        now = self._clock()
        with self._lock:
            if now < self._silent_until or now - self._sent.get(name, float("-inf")) < _AT_MOST_EVERY:
                return
            self._sent[name] = now
        try:
            self._send(name)
        except Exception:  # noqa: BLE001 (whatever a broker's client raises, a hint is not worth an error)
            with self._lock:
                self._silent_until = self._clock() + _PAUSE_AFTER_FAILURE


def _send(name: str) -> None:
    # A hint that waited is no longer needed: the tick has come.
    current_app.send_task(current_app.conf["pulses"][name], retry=False, ignore_result=True, expires=30)


_waker = Waker(_send)


def wake(name: str) -> None:
    """Hint that a pulse of the table in config.celery has work. The broker's failures stay inside."""
    if name not in current_app.conf["pulses"]:
        raise LookupError(f"no pulse is named {name!r}")
    _waker.wake(name)


def drain(step: Callable[[], int], *, seconds: float, full: int = 1, wakes: Sequence[str] = ()) -> int:
    """Repeat `step` while it returns at least `full`, for up to `seconds`; returns the sum.

    Where work trickles in, `full` lets a pulse give its place away instead of waiting for crumbs: whoever
    writes more wakes it again, and it ticks by itself. `wakes` names who reads what each step wrote.
    """
    done = 0
    end = time.monotonic() + seconds
    while True:
        count = step()
        done += count
        if count:
            for name in wakes:
                wake(name)
        if count < full or time.monotonic() >= end:
            return done
