"""Run an import: chunk by chunk from its file into the database.

Each chunk of lines is one transaction that also moves the import's place in the file. So a death at any
point loses nothing and doubles nothing, and pausing takes effect at the next chunk.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.db import transaction

from contacts import contention, partitions
from contacts.crashpoints import crashpoint
from contacts.exchange import files, sheets, storing
from contacts.exchange.lines import Line, LineReader, Refused
from contacts.exchange.mapping import EVENTS, Mapping, decode
from contacts.exchange.sheets import Broken, Format, Row
from contacts.exchange.storing import Job, Outcome
from contacts.models import Import, Segment, Source

CHUNK = 2_500
"Lines; one chunk is one transaction, and readers of the log wait for it."
_TRIES = 8

Clock = Callable[[], datetime]


def run(number: int, clock: Clock, *, until: float) -> int:
    """Import chunks of a running import until it is done, stopped, or ``until`` (monotonic) has passed.

    Returns how many lines were accounted for. Call it ``alone``.
    """
    job = Import.objects.get(pk=number)
    began = job.lines
    with files.open_settled(job.key) as file:
        work = _Work(job, clock)
        rows = sheets.rows(file, work.form, job.offset, job.next_line)
        # Lines are read while the database works on those before.
        with ThreadPoolExecutor(1) as beside:
            ahead = beside.submit(work.read, rows)
            going = True
            while going:
                chunk = ahead.result()
                going = bool(chunk.rows) and time.monotonic() < until
                if going:
                    ahead = beside.submit(work.read, rows)
                going = work.take(chunk) and going
    job.refresh_from_db()
    return job.lines - began


class _Chunk(NamedTuple):
    """Rows of a file, with those that can be used and those that cannot."""

    rows: list[Row | Broken]
    lines: list[Line]
    refused: list[Refused]


class _Work:
    """One import in one worker's hands."""

    def __init__(self, job: Import, clock: Clock) -> None:
        self._number, self._clock, self._offset = job.pk, clock, job.offset
        self.form = msgspec.convert(job.format, Format)
        self._job, now = described(job), clock()
        self._reader = LineReader(job.what, self.form, self._job.mapping, now, f"import:{job.pk}")
        self._months: set[tuple[int, int]] = set()

    def read(self, rows: Iterator[Row | Broken]) -> _Chunk:
        """The next rows of the file and what they say. Asks no database."""
        chunk = list(itertools.islice(rows, CHUNK))
        read = [self._reader.read(row) for row in chunk]
        return _Chunk(
            chunk,
            [one for one in read if isinstance(one, Line)],
            [one for one in read if isinstance(one, Refused)],
        )

    def take(self, chunk: _Chunk) -> bool:
        """Account for every row of ``chunk``, or for none; whether there is more to do.

        An empty chunk ends the import.
        """
        began, now = time.monotonic(), self._clock()
        if self._job.what == EVENTS:
            self._months = ensure_months(chunk.lines, self._months)
        for tried in range(_TRIES):
            try:
                return self._store(chunk, now, began)
            except Exception as error:
                if not contention.lost_a_race(error):
                    raise
                time.sleep(0.01 * tried)
        return False  # Others kept coming; the next pulse takes the chunk again.

    def _store(self, chunk: _Chunk, now: datetime, began: float) -> bool:
        with transaction.atomic():
            job = Import.objects.select_for_update(of=("self",)).get(pk=self._number)
            if job.state != Import.State.RUNNING or job.offset != self._offset:
                return False
            outcome = stored(self._job, chunk.lines, now)
            outcome.refused = sorted([*chunk.refused, *outcome.refused])
            crashpoint("import.stored")
            storing.refuse(job.pk, outcome.refused)
            _count(job, outcome)
            if chunk.rows:
                job.offset, job.next_line = chunk.rows[-1].end, chunk.rows[-1].next_line
            else:
                job.state, job.ended_at = Import.State.FINISHED, now
            job.seconds += time.monotonic() - began
            job.save()
            crashpoint("import.before_commit")
        crashpoint("import.after_commit")
        self._offset = job.offset
        return bool(chunk.rows)


def stored(job: Job, lines: Sequence[Line], now: datetime) -> Outcome:
    """Store ``lines``; those that the database cannot take are found by halves and refused."""
    try:
        with transaction.atomic():
            return storing.store(job, lines, now)
    except Exception as error:
        if contention.lost_a_race(error) or not contention.lies_in_the_data(error):
            raise
        if len(lines) == 1:
            return Outcome(refused=[Refused(lines[0].number, lines[0].cells, "database")])
    middle = len(lines) // 2
    return _joined(stored(job, lines[:middle], now), stored(job, lines[middle:], now))


def _joined(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        one.of + other.of,
        one.refused + other.refused,
        one.merged + other.merged,
        one.consents + other.consents,
        one.made + other.made,
    )


def _count(job: Import, outcome: Outcome) -> None:
    counts = outcome.counts()
    job.created += counts[storing.CREATED]
    job.updated += counts[storing.UPDATED]
    job.unchanged += counts[storing.UNCHANGED]
    job.rejected += len(outcome.refused)
    job.merged += outcome.merged
    job.consents += outcome.consents
    job.lines += len(outcome.of) + len(outcome.refused)


def described(job: Import) -> Job:
    """An import in the form that storing wants it."""
    mapping = decode(job.mapping)
    chosen = Segment.objects.filter(kind=Segment.Kind.STATIC)
    segment = chosen.filter(pk=mapping.segment).first() if mapping.segment else None
    return Job(job.pk, job.what, mapping, _source(mapping), segment)


def _source(mapping: Mapping) -> int:
    """The touchpoint that imported events are said to come from."""
    source, _made = Source.objects.get_or_create(
        slug=mapping.source, defaults={"name": "Imports", "kind": Source.Kind.SYSTEM}
    )
    return source.pk


def ensure_months(lines: Iterable[Line], made: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Make the log's partitions for the months of ``lines``; returns all that are there by now."""
    wanted = {(line.occurred_at.year, line.occurred_at.month) for line in lines} - made
    for year, month in sorted(wanted):
        first = datetime(year, month, 1).date()  # noqa: DTZ001 (a month has no zone)
        partitions.ensure("contacts_event", first, first + timedelta(days=1))
    return made | wanted
