"""Files of imports and exports in the installation's folder: stored, settled, removed.

A file is *settled* once it is CSV in an encoding whose lines can be told by their bytes. Most are so from
the start; workbooks, UTF-16 and files whose lines end in CR are written anew, once. From then on any row can
be reached by its byte, and an import goes on after a crash where it was.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from contacts.exchange import sniffing, workbooks
from contacts.exchange.sniffing import HEAD, NotATableError

_PIECE = 1 << 20


class TooLargeError(Exception):
    """More bytes than the installation takes."""


def folder() -> Path:
    """Where the files lie, readable by this installation alone."""
    found = Path(settings.SEGUE_EXCHANGE)
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path_of(key: uuid.UUID, ending: str) -> Path:
    """Named by us; what a sender called the file never becomes part of a path."""
    return folder() / f"{key}.{ending}"


def store(key: uuid.UUID, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Keep an upload; returns its size and SHA-256. Raises TooLargeError, and leaves nothing then."""
    path = path_of(key, "upload")
    try:
        return _copy(pieces, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _copy(pieces: Iterable[bytes], path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > settings.SEGUE_IMPORT_MEGABYTES << 20:
                raise TooLargeError
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def settle(key: uuid.UUID, encoding: str | None = None) -> str:
    """Make the file of an upload readable by lines; returns its encoding from now on.

    Raises NotATableError or BadWorkbookError. Safe to repeat: it begins with the upload each time.
    """
    source, target = path_of(key, "upload"), path_of(key, "csv")
    with source.open("rb") as file:
        head = file.read(HEAD)
    unfinished = target.with_suffix(".part")
    if sniffing.is_workbook(head):
        with source.open("rb") as file:
            _write_rows(unfinished, workbooks.rows(file))
        encoding = "utf-8"
    else:
        found, mark = sniffing.encoding(head)
        encoding = encoding or found
        if encoding.startswith("utf-16"):
            _transcode(source, unfinished, encoding, mark, lone="\n" not in head.decode(encoding, "replace"))
            encoding = "utf-8"
        elif b"\r" in head and b"\n" not in head:
            _end_lines(source, unfinished)
        else:
            unfinished.unlink(missing_ok=True)
            os.link(source, unfinished)
    unfinished.replace(target)
    return encoding


def _write_rows(path: Path, rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in rows:
            writer.writerow([cell.replace("\0", "") for cell in row] if row else [""])
    if path.stat().st_size == 0:
        raise NotATableError("empty")


def _transcode(source: Path, target: Path, encoding: str, mark: int, *, lone: bool) -> None:
    """Write UTF-8; ``lone`` says that lines end in CR alone."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with source.open("rb") as file, target.open("wb") as out:
        file.seek(mark)
        while piece := file.read(_PIECE):
            text = decoder.decode(piece)
            out.write((text.replace("\r", "\n") if lone else text).encode("utf-8", "replace"))
        out.write(decoder.decode(b"", True).encode("utf-8", "replace"))


def _end_lines(source: Path, target: Path) -> None:
    with source.open("rb") as file, target.open("wb") as out:
        while piece := file.read(_PIECE):
            out.write(piece.replace(b"\r", b"\n"))


def open_settled(key: uuid.UUID) -> BinaryIO:
    return path_of(key, "csv").open("rb")


def head_of(key: uuid.UUID) -> bytes:
    """The beginning of a settled file."""
    with open_settled(key) as file:
        return file.read(HEAD)


def remove(key: uuid.UUID) -> None:
    """Delete all that lies here under ``key``."""
    for ending in ("upload", "csv", "part", "xlsx"):
        path_of(key, ending).unlink(missing_ok=True)
