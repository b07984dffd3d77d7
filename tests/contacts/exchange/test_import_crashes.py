"""An import whose worker is killed goes on where it was: nothing is lost, nothing comes twice."""

from __future__ import annotations

import pytest

from contacts.models import Contact, Event, Import, RejectedLine
from tests import elsewhere
from tests.contacts.exchange.makers import make_import, work
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)

_WORK = """
from contacts.exchange import importing, running
running.CHUNK = 4
importing.work(lambda: now, seconds=30)
"""


@pytest.mark.parametrize(
    ("point", "lines"),
    [("import.stored:2", 4), ("import.before_commit:2", 4), ("import.after_commit:2", 8)],
)
def test_a_death_at_any_point_loses_nothing_and_doubles_nothing(point: str, lines: int) -> None:
    text = "email,event,date\n" + "".join(
        f"p{n}@example.com,Seen,2026-01-{n + 1:02}\n" if n % 5 else "nobody,Seen,2026-01-01\n"
        for n in range(12)
    )
    job = make_import(text, what="events")
    Import.objects.filter(pk=job.pk).update(state=Import.State.RUNNING)
    assert elsewhere.run(_WORK, now=NOON, crashpoint=point) == 137
    job.refresh_from_db()
    assert (job.state, job.lines) == (Import.State.RUNNING, lines)
    work()
    job.refresh_from_db()
    assert (job.state, job.lines, job.created, job.rejected) == (Import.State.FINISHED, 12, 9, 3)
    assert Event.objects.filter(name="Seen").count() == Contact.objects.count() == 9
    assert sorted(RejectedLine.objects.values_list("line", flat=True)) == [2, 7, 12]
