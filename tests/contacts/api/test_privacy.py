"""Requests about people's own data by the API."""

from datetime import timedelta

import pytest

from contacts import clock
from contacts.models import PrivacyRequest
from contacts.privacy import copying
from tests.contacts.api.caller import Caller
from tests.contacts.privacy import cast
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_a_copy_is_asked_for_approved_followed_and_fetched(caller: Caller) -> None:
    contact = cast.make_somebody()
    asked = caller.post("privacy/requests", {"contact": str(contact.public_id), "kind": "access"})
    assert asked.status_code == 201
    reference = asked.json()["reference"]
    assert caller.post(f"privacy/requests/{reference}", {"act": "approve"}).json()["state"] == "waiting"
    copying.pulse(clock.now() + timedelta(seconds=1))
    assert caller.get(f"privacy/requests/{reference}").json()["state"] == "done"
    answer = caller.get(f"privacy/requests/{reference}/copy")
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    assert [one["reference"] for one in caller.get("privacy/requests", kind="access").json()["items"]] == [
        reference
    ]


def test_what_was_settled_cannot_be_decided_again(caller: Caller) -> None:
    contact = make_contact()
    asked = caller.post("privacy/requests", {"contact": str(contact.public_id), "kind": "erasure"}).json()
    address = f"privacy/requests/{asked['reference']}"
    assert caller.post(address, {"act": "refuse"}).status_code == 400
    assert caller.post(address, {"act": "refuse", "reason": "an invoice is open"}).status_code == 200
    assert caller.post(address, {"act": "approve"}).status_code == 409
    assert PrivacyRequest.objects.get().state == "refused"
