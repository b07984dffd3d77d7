"""An import whose worker is killed goes on where it was: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings

from contacts.models import Contact, Event, Import, RejectedLine
from tests.contacts.exchange.makers import make_import, work

pytestmark = pytest.mark.django_db(transaction=True)

_WORK = """
import django
django.setup()
from datetime import datetime
from contacts.exchange import importing, running
running.CHUNK = 4
importing.work(lambda: datetime.fromisoformat("2026-03-10T12:00:00+00:00"), seconds=30)
"""


def work_elsewhere(folder: Path, crashpoint: str) -> int:
    """The pulse in a process of its own, which dies at a point; returns its exit status."""
    database = settings.DATABASES["default"]
    address = (
        f"postgresql://{database['USER']}:{quote(database['PASSWORD'])}"
        f"@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    environment = os.environ | {
        "DATABASE_URL": address,
        "SEGUE_CRASHPOINT": crashpoint,
        "SEGUE_EXCHANGE": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    return subprocess.run([sys.executable, "-c", _WORK], env=environment, timeout=60).returncode


@pytest.mark.parametrize(
    ("point", "lines"),
    [("import.stored:2", 4), ("import.before_commit:2", 4), ("import.after_commit:2", 8)],
)
def test_a_death_at_any_point_loses_nothing_and_doubles_nothing(
    tmp_path: Path, point: str, lines: int
) -> None:
    text = "email,event,date\n" + "".join(
        f"p{n}@example.com,Seen,2026-01-{n + 1:02}\n" if n % 5 else "nobody,Seen,2026-01-01\n"
        for n in range(12)
    )
    job = make_import(text, what="events")
    Import.objects.filter(pk=job.pk).update(state=Import.State.RUNNING)
    assert work_elsewhere(tmp_path, point) == 137
    job.refresh_from_db()
    assert (job.state, job.lines) == (Import.State.RUNNING, lines)
    work()
    job.refresh_from_db()
    assert (job.state, job.lines, job.created, job.rejected) == (Import.State.FINISHED, 12, 9, 3)
    assert Event.objects.filter(name="Seen").count() == Contact.objects.count() == 9
    assert sorted(RejectedLine.objects.values_list("line", flat=True)) == [2, 7, 12]
