"""Files of hits: each belongs to the process that holds its lock, and tells a whole hit from a torn one."""

from __future__ import annotations

import fcntl
import os
import struct
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path

_FRAME = struct.Struct("!II")
"Before each hit: the length of its bytes and their checksum, so that a torn end is known for one."
_ONCE = 1 << 20
"Bytes that are taken in at once."


def framed(rows: Iterable[bytes]) -> bytes:
    """Hits as a file holds them."""
    parts: list[bytes] = []
    for row in rows:
        parts += (_FRAME.pack(len(row), zlib.crc32(row)), row)
    return b"".join(parts)


class File:
    """One file of the spool, held by this process for as long as its lock."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self.handle, self.written = path, handle, os.fstat(handle).st_size
        self.taken = 0

    def close(self, *, gone: bool) -> None:
        if gone:
            self.path.unlink(missing_ok=True)
        os.close(self.handle)


def make(folder: Path) -> File:
    path = folder / f"{uuid.uuid4().hex}.hits"
    # Locked before it has its name: nobody can take it for one whose process is gone.
    hidden = path.with_suffix(".new")
    handle = os.open(hidden, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    hidden.rename(path)
    return File(path, handle)


def adopt(path: Path) -> File | None:
    """A file whose process is gone; None where somebody holds it."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have taken it in and deleted it before we had the lock.
        if path.exists():
            return File(path, handle)
    except OSError:
        pass
    os.close(handle)
    return None


def rows(file: File, upto: int) -> tuple[list[bytes], int]:
    """The next whole hits of a file and where they end; none where what follows is no hit."""
    data = os.pread(file.handle, min(_ONCE, upto - file.taken), file.taken)
    found, place = [], 0
    while place + _FRAME.size <= len(data):
        length, check = _FRAME.unpack_from(data, place)
        begin = place + _FRAME.size
        row = data[begin : begin + length]
        if len(row) < length or not length or zlib.crc32(row) != check:
            break
        found.append(row)
        place = begin + length
    return found, file.taken + place


def whole(file: File) -> int:
    """Up to where a file of a dead process holds whole hits: it may have died while it wrote the last."""
    copy = File(file.path, file.handle)
    copy.taken = file.taken
    while copy.taken < file.written:
        hits, end = rows(copy, file.written)
        if not hits:
            return copy.taken
        copy.taken = end
    return copy.taken
