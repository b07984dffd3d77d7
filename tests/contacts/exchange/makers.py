"""Files and imports for tests."""

from __future__ import annotations

from typing import Any

from contacts.exchange import importing
from contacts.models import Import
from tests.factories import NOON


def make_import(text: str | bytes, what: str = "contacts", **mapping: Any) -> Import:
    """An uploaded file with its guessed columns; ``mapping`` overrides parts of the guess."""
    data = text.encode() if isinstance(text, str) else text
    job = importing.begin(what, "people.csv", [data], None, NOON)
    job.mapping = job.mapping | mapping
    job.save()
    return job


def work() -> None:
    importing.work(lambda: NOON, seconds=60)


def run(job: Import) -> Import:
    """Import all of it."""
    Import.objects.filter(pk=job.pk).update(state=Import.State.RUNNING)
    work()
    job.refresh_from_db()
    return job
