"""The inbox by the API: page by page, counted, marked."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from contacts import clock
from tests.channels.test_inapp_door import waiting
from tests.contacts.api.caller import Caller
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
_DAY = timedelta(days=1)


def test_a_server_reads_counts_and_marks_the_inbox() -> None:
    ada = make_contact()
    now = clock.now()
    rows = [waiting(ada, ends_at=now + _DAY, created_at=now) for _number in range(3)]
    caller, path = Caller(), f"contacts/{ada.public_id}/inbox"

    first = caller.get(f"{path}?limit=2").json()
    rest = caller.get(f"{path}?limit=2&cursor={first['next']}").json()
    assert [one["id"] for one in first["items"] + rest["items"]] == [str(row.key) for row in reversed(rows)]
    assert rest["next"] is None
    assert caller.get(f"{path}/unread").json() == {"unread": 3}
    assert caller.post(f"{path}/{rows[0].key}", {"kind": "dismissed"}).json() == {"unread": 2}
    assert len(caller.get(path).json()["items"]) == 2


def test_a_message_of_somebody_else_is_not_found() -> None:
    row = waiting(make_contact())

    answer = Caller().post(f"contacts/{make_contact().public_id}/inbox/{row.key}", {"kind": "read"})

    assert answer.status_code == 404
    assert Caller().get(f"contacts/{uuid.uuid4()}/inbox").status_code == 404
