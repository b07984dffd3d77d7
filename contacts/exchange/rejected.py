"""The file of rejected lines: as they were, with number and reason, ready to be mended and sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from contacts.exchange import words
from contacts.exchange.guarding import guard
from contacts.models import Import, RejectedLine

_AT_ONCE = 2_000


def rejected_csv(job: Import) -> Iterator[bytes]:
    """CSV in UTF-8, piece by piece: the file's own columns, then the line and the reason."""
    columns = list(job.format.get("columns", []))
    delimiter = job.format.get("delimiter", ",")
    last, first = 0, True
    while True:
        found = list(RejectedLine.objects.filter(job=job, pk__gt=last).order_by("pk")[:_AT_ONCE])
        if not found and not first:
            return
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
        if first:
            out.write("\ufeff")
            writer.writerow([*map(guard, columns), "_line", "_column", "_reason"])
        for line in found:
            cells = [*line.cells, *[""] * (len(columns) - len(line.cells))]
            reason = str(words.REASONS.get(line.code, line.code))
            writer.writerow([*map(guard, cells), line.line, guard(line.column), reason])
        yield out.getvalue().encode()
        if not found:
            return
        last, first = found[-1].pk, False
