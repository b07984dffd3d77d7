"""Retargeting audiences elsewhere: changes of membership as hashed addresses; here to a file.

A parcel is one person's change: its address is the SHA-256 of the normalised email, ``extra`` names the
audience, its id there, the action (add or remove) and the hashed phone, with its plus (phone) and without
(digits). Telling the same thing twice does no harm.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings

from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, every

ADD, REMOVE = "add", "remove"
_SLUG = re.compile(r"[\w-]{1,60}")
_COLUMNS = ("email_sha256", "phone_sha256")


def hashed_email(email: str) -> str:
    """Trimmed, lower-case, SHA-256 in hex; empty stays empty."""
    text = email.strip().lower()
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def hashed_phone(phone: str) -> str:
    """E.164 with its plus, SHA-256 in hex; empty stays empty."""
    text = re.sub(r"[^\d+]", "", phone, flags=re.ASCII)
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def hashed_digits(phone: str) -> str:
    """E.164 without its plus, SHA-256 in hex; empty stays empty."""
    return hashed_phone(re.sub(r"\D", "", phone, flags=re.ASCII))


class AudienceCsv(Provider):
    """A file an audience under the installation's folder, holding those who are in it now."""

    kind = "audience_csv"
    label = "Audience as a file (CSV)"
    channels = frozenset({"audience"})
    chunk = 5_000
    honours_key = True
    settings = (Setting("folder", "Folder", "Empty: audiences/ beside the installation's own files"),)

    def check(self) -> str:
        folder = self._folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotReadyError(f"{folder}: {error.strerror}", "settings") from None
        if not os.access(folder, os.W_OK):
            raise NotReadyError(f"{folder} cannot be written to", "settings")
        return f"Files go to {folder}."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        going = mark(parcels)
        results: dict[int, Result] = {}
        for slug in {str(parcel.extra.get("audience", "")) for parcel in going}:
            own = [parcel for parcel in going if str(parcel.extra.get("audience", "")) == slug]
            results |= every(own, self._write(slug, own))
        return results

    def _folder(self) -> Path:
        return Path(self.value("folder") or settings.SEGUE_HOME / "audiences")

    def _write(self, slug: str, parcels: Sequence[Parcel]) -> Result:
        if not _SLUG.fullmatch(slug):
            return Result(Outcome.REFUSED, "audience", "not the name of an audience")
        try:
            folder = self._folder()
            folder.mkdir(parents=True, exist_ok=True)
            # Two syncs at once would each forget what the other wrote.
            with (folder / f".{slug}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                _rewrite(folder / f"{slug}.csv", parcels)
        except OSError as error:
            return Result(Outcome.TRY_LATER, "file", str(error.strerror))
        return Result(Outcome.ACCEPTED, "written")


def _rewrite(path: Path, parcels: Sequence[Parcel]) -> None:
    inside: dict[tuple[str, str], None] = {}
    if path.exists():
        with path.open(newline="", encoding="ascii") as file:
            rows = csv.reader(file)
            next(rows, None)
            inside = dict.fromkeys((row[0], row[1]) for row in rows if len(row) == 2)
    for parcel in parcels:
        person = (parcel.address, str(parcel.extra.get("phone", "")))
        if parcel.extra.get("action") == ADD:
            inside[person] = None
        else:
            inside.pop(person, None)
    draft = path.with_suffix(".draft")
    with draft.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(inside)
    draft.replace(path)
