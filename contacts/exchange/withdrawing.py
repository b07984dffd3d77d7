"""Exports taken back before their time: files that name somebody who was erased since they were written."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from contacts.exchange import files
from contacts.models import Export

_PIECE = 1 << 20
_SHORTEST = 6
"Shorter names stand in every file, as parts of others."


def count(names: Sequence[str]) -> int:
    """How many files that can still be fetched hold one of ``names``."""
    return len(_holding(names))


def _holding(names: Sequence[str]) -> list[Export]:
    """The exports that can still be fetched and hold one of ``names``, in any case of letters."""
    needles = [name.lower().encode() for name in names if len(name) >= _SHORTEST]
    ready = Export.objects.filter(state=Export.State.READY).order_by("pk") if needles else ()
    return [one for one in ready if _names(files.path_of(one.key, one.format), needles)]


def withdraw(names: Sequence[str], now: datetime) -> int:
    """Remove the files that hold one of ``names``, and have those under way written anew; returns how many.

    Call it when nothing of these people is left in the tables: what is written from then on knows nothing.
    """
    # Whoever writes one just now has read the tables as they were; it is not taken for ready.
    Export.objects.filter(state=Export.State.RUNNING).update(state=Export.State.WAITING)
    found = _holding(names)
    Export.objects.filter(pk__in=[one.pk for one in found]).update(state=Export.State.EXPIRED, expires_at=now)
    for one in found:
        files.path_of(one.key, one.format).unlink(missing_ok=True)
    return len(found)


def _names(path: Path, needles: Sequence[bytes]) -> bool:
    if not path.exists():
        return False
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return _in(file, needles)
    with zipfile.ZipFile(path) as book:
        for member in book.namelist():
            with book.open(member) as file:
                if _in(file, needles):
                    return True
    return False


def _in(file: IO[bytes], needles: Sequence[bytes]) -> bool:
    return any(needle in piece for piece in _pieces(file, max(map(len, needles))) for needle in needles)


def _pieces(file: IO[bytes], longest: int) -> Iterator[bytes]:
    """The file in lower case, a piece at a time, each with the end of the one before."""
    end = b""
    while piece := file.read(_PIECE):
        text = end + piece.lower()
        yield text
        end = text[-longest:]
