"""Full mailboxes end an address in the end; blocks never do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from channels import engagement, hits
from channels.hits import NewHit
from channels.models import Message
from channels.soft_bounces import MOST
from contacts.models import Contact, Suppression
from tests.factories import NOON, make_contact, make_queued

pytestmark = pytest.mark.django_db
_DAY = timedelta(days=1)


def _came_back(contact: Contact, kind: str, at: datetime, **data: Any) -> None:
    message = make_queued(contact, now=at, state=Message.State.ACCEPTED, due_at=None, accepted_at=at)
    hit = NewHit(
        at, kind, message.id, message.created_at, provider_id=1, receipt_key=f"{kind}-{message.id}", data=data
    )
    hits.write([hit])
    engagement.absorb(at, 100)


def _suppressed() -> list[tuple[str, str]]:
    return list(Suppression.objects.values_list("address", "reason"))


def test_a_mailbox_that_is_full_for_weeks_is_written_to_no_more() -> None:
    ann = make_contact()
    for day in range(MOST - 1):
        _came_back(ann, "bounced", NOON + day * _DAY, soft=True, code="4.2.2")
    assert _suppressed() == []
    _came_back(ann, "bounced", NOON + MOST * _DAY, soft=True, code="4.2.2")
    assert _suppressed() == [(ann.email, "hard_bounce")]
    assert "5 soft bounces" in Suppression.objects.get().note


def test_a_delivery_between_begins_the_count_anew() -> None:
    ann = make_contact()
    for day in range(MOST - 1):
        _came_back(ann, "bounced", NOON + day * _DAY, soft=True)
    _came_back(ann, "delivered", NOON + MOST * _DAY)
    _came_back(ann, "bounced", NOON + (MOST + 1) * _DAY, soft=True)
    assert _suppressed() == []


@pytest.mark.parametrize("apart", [timedelta(days=8), timedelta(0)])
def test_bounces_long_apart_and_of_one_message_do_not_count_together(apart: timedelta) -> None:
    ann = make_contact()
    if apart:
        for number in range(MOST):
            _came_back(ann, "bounced", NOON + number * apart, soft=True)
    else:
        message = make_queued(ann, state=Message.State.ACCEPTED, due_at=None, accepted_at=NOON)
        hits.write(
            NewHit(
                NOON, "bounced", message.id, message.created_at, provider_id=1, receipt_key=f"again-{number}",
                data={"soft": True},
            )
            for number in range(MOST)
        )  # fmt: skip
        engagement.absorb(NOON, 100)
    assert _suppressed() == []


@pytest.mark.parametrize("data", [{"code": "5.7.1"}, {"code": "4.7.0"}, {"block": True}])
def test_a_block_is_about_us_and_ends_no_address(data: dict[str, Any]) -> None:
    ann = make_contact()
    for day in range(MOST + 1):
        _came_back(ann, "bounced", NOON + day * _DAY, soft=True, **data)
    assert _suppressed() == []
