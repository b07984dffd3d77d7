"""How many requests were answered, by kind and status, and how long they took: counted by every process.

Each process counts in a file of its own, mapped into memory: a count costs no system call and outlives its
process. A process takes the first file that nobody holds and goes on with its numbers, so there are never
more files than there were processes at once, and sums never fall.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

#: Kinds by the beginning of the path; anything else is ``other``, so that no caller can make new ones.
_KINDS = (
    ("intake", ("/v1/",)),
    ("tracking", ("/t/",)),
    ("inapp", ("/i/",)),
    ("api", ("/api/",)),
    ("back_office", ("/admin/", "/account/")),
    ("public", ("/p/", "/u/", "/w/", "/c/", "/q/", "/d/")),
    ("hooks", ("/hooks/",)),
    ("files", ("/static/", "/sdk/", "/brand/", "/push/", "/segue-sw.js")),
    ("health", ("/healthz", "/livez", "/readyz", "/metrics")),
    ("other", ()),
)
KINDS = tuple(name for name, _paths in _KINDS)
STATUSES = ("2xx", "3xx", "4xx", "429", "5xx")
#: Upper ends in seconds; what took longer is counted beside them.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: Of each kind and status: a number for each bound and beyond, and the sum of seconds.
_WIDTH = len(BOUNDS) + 2
_SIZE = len(KINDS) * len(STATUSES) * _WIDTH
_MOST_FILES = 512

Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Counted(NamedTuple):
    """One kind and status over all processes. ``buckets`` are by bound, each with those below it."""

    kind: str
    status: str
    buckets: tuple[int, ...]
    number: int
    seconds: float


def counting(application: WSGI, clock: Callable[[], float] = time.perf_counter) -> WSGI:
    """The application, with each of its answers counted: until it begins, not while it is sent."""

    def counted(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        began, status = clock(), "500"

        def start(said: str, *rest: Any) -> Any:
            nonlocal status
            status = said
            return start_response(said, *rest)

        try:
            return application(environ, start)
        finally:
            note(environ.get("PATH_INFO", ""), status, clock() - began)

    return counted


def note(path: str, status: str, seconds: float) -> None:
    """Count one answer."""
    place = (_kind(path) * len(STATUSES) + _status(status)) * _WIDTH
    _mine().add(place + bisect_left(BOUNDS, seconds), place + _WIDTH - 1, seconds)


def read() -> list[Counted]:
    """What all processes of this machine counted, kinds and statuses that occurred."""
    whole = [0.0] * _SIZE
    for path in sorted(_folder().glob("*.counts")):
        data = path.read_bytes()
        if len(data) == _SIZE * 8:
            whole = [ours + theirs for ours, theirs in zip(whole, memoryview(data).cast("d"), strict=True)]
    return list(_counted(whole))


def _counted(whole: list[float]) -> Iterator[Counted]:
    for place, kind in enumerate(KINDS):
        for number, status in enumerate(STATUSES):
            start = (place * len(STATUSES) + number) * _WIDTH
            *buckets, seconds = whole[start : start + _WIDTH]
            below, so_far = [], 0
            for one in buckets:
                so_far += int(one)
                below.append(so_far)
            if so_far:
                yield Counted(kind, status, tuple(below[:-1]), so_far, seconds)


def _kind(path: str) -> int:
    return _by_first(path[: path.find("/", 1) + 1] or path)


@lru_cache(maxsize=1024)
def _by_first(beginning: str) -> int:
    for number, (_name, beginnings) in enumerate(_KINDS):
        if beginning.startswith(beginnings):
            return number
    return len(_KINDS) - 1


@lru_cache(maxsize=128)
def _status(status: str) -> int:
    if status.startswith("429"):
        return STATUSES.index("429")
    # 1xx is never an answer's last word; whatever else is wrong is ours.
    return {"2": 0, "3": 1, "4": 2}.get(status[:1], STATUSES.index("5xx"))


class _File:
    """The counts of this process. Threads take turns; the lock on the file ends with the process."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._handle, self._memory = _taken()
        self._numbers = memoryview(self._memory).cast("d")

    def add(self, bucket: int, total: int, seconds: float) -> None:
        with self._turn:
            self._numbers[bucket] += 1
            self._numbers[total] += seconds


def _taken() -> tuple[Any, mmap.mmap]:
    """The first file that no other process holds; memory of our own where none can be written."""
    for number in range(_MOST_FILES):
        try:
            _folder().mkdir(parents=True, exist_ok=True)
            handle = (_folder() / f"{number}.counts").open("a+b")
        except OSError:
            break
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            handle.truncate(_SIZE * 8)
            return handle, mmap.mmap(handle.fileno(), _SIZE * 8)
        except OSError:
            handle.close()
    return None, mmap.mmap(-1, _SIZE * 8)


def _folder() -> Path:
    return Path(settings.SEGUE_HOME) / "requests"


_own: list[_File] = []
_opening = threading.Lock()


#: Whoever is forked takes a file of their own.
os.register_at_fork(after_in_child=_own.clear)


def _mine() -> _File:
    if not _own:
        with _opening:
            if not _own:
                _own.append(_File())
    return _own[0]
