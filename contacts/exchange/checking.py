"""A dry run: what an import would do, found by doing it and taking it back.

The first lines go through the very code that imports them, in a transaction that is rolled back. Of a longer
file the rest is only read: who would be found is not asked, so only its rejected lines are foreseen.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from contacts.exchange import files, running, sheets, storing
from contacts.exchange.lines import Line, LineReader, Refused
from contacts.exchange.sheets import Broken, Format, Row
from contacts.models import Import

EXACT = 5_000
"Lines that are tried out; a longer transaction would keep the log's readers waiting."
_EVERY = 20_000
_EXAMPLES = 5
"Of each outcome and each reason."


@dataclass(slots=True)
class Forecast:
    """``examples`` are (outcome or reason, line, byte); the lines themselves stay in the file."""

    lines: int = 0
    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    merged: int = 0
    consents: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    _shown: Counter[str] = field(default_factory=Counter)

    def show(self, outcome: str, row: Row | Broken, at: int, column: str = "") -> None:
        if self._shown[outcome] < _EXAMPLES:
            self._shown[outcome] += 1
            self.examples.append({"of": outcome, "line": row.line, "at": at, "column": column})

    def refuse(self, one: Refused, row: Row | Broken, at: int) -> None:
        self.outcomes["rejected"] += 1
        self.reasons[one.code] += 1
        self.show(one.code, row, at, one.column)

    def stored(self) -> dict[str, Any]:
        return {
            "lines": self.lines,
            "tried": self.tried,
            **{name: self.outcomes[name] for name in ("created", "updated", "unchanged", "rejected")},
            "merged": self.merged,
            "consents": self.consents,
            "reasons": dict(self.reasons.most_common()),
            "examples": self.examples,
        }


def check(job: Import, clock: Callable[[], datetime]) -> None:
    """Foresee what a checked import would do; writes nothing but the forecast. Call it ``alone``."""
    form, now = msgspec.convert(job.format, Format), clock()
    described = running.described(job)
    reader = LineReader(job.what, form, described.mapping, now, f"import:{job.pk}")
    forecast = Forecast()
    with files.open_settled(job.key) as file:
        rows = _with_places(sheets.rows(file, form), form.start)
        _try_out(described, reader, list(itertools.islice(rows, EXACT)), forecast, now)
        while chunk := list(itertools.islice(rows, _EVERY)):
            for at, row in chunk:
                forecast.lines += 1
                if isinstance(read := reader.read(row), Refused):
                    forecast.refuse(read, row, at)
            if not _save(job, forecast):
                return
    forecast.examples.sort(key=lambda example: (example["of"], example["line"]))
    _save(job, forecast, Import.State.CHECKED)


def _with_places(rows: Iterator[Row | Broken], start: int) -> Iterator[tuple[int, Row | Broken]]:
    """Each row with the byte at which it begins."""
    for row in rows:
        yield start, row
        start = row.end


def _try_out(
    job: storing.Job,
    reader: LineReader,
    rows: Sequence[tuple[int, Row | Broken]],
    forecast: Forecast,
    now: datetime,
) -> None:
    with transaction.atomic():
        for place in range(0, len(rows), running.CHUNK):
            _try_chunk(job, reader, rows[place : place + running.CHUNK], forecast, now)
        transaction.set_rollback(True)
    forecast.lines = forecast.tried = len(rows)


def _try_chunk(
    job: storing.Job,
    reader: LineReader,
    rows: Sequence[tuple[int, Row | Broken]],
    forecast: Forecast,
    now: datetime,
) -> None:
    of_line = {row.line: (row, at) for at, row in rows}
    read = [reader.read(row) for _at, row in rows]
    lines = [one for one in read if isinstance(one, Line)]
    outcome = running.stored(job, lines, now)
    refused = [one for one in read if isinstance(one, Refused)] + outcome.refused
    gone = {one.number for one in refused}
    for one in refused:
        forecast.refuse(one, *of_line[one.number])
    for line, became in zip((line for line in lines if line.number not in gone), outcome.of, strict=True):
        forecast.outcomes[became] += 1
        forecast.show(became, *of_line[line.number])
    forecast.merged += outcome.merged
    forecast.consents += outcome.consents


def _save(job: Import, forecast: Forecast, state: str = Import.State.CHECKING) -> bool:
    """False when the person stopped it meanwhile."""
    return bool(
        Import.objects.filter(pk=job.pk, state=Import.State.CHECKING).update(
            forecast=forecast.stored(), state=state
        )
    )
