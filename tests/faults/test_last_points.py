"""Deaths at the crash points of consents, copies, rescues and upserts: the next worker makes them good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from channels import confirming as confirming_act
from channels import engagement, hits, rescue, unmeasuring
from channels.hits import NewHit
from channels.models import Message, Receipt
from contacts import consent, upserting
from contacts.consent import NewConsent, anchoring, expiring
from contacts.models import (
    ConsentAnchor,
    ConsentEntry,
    ConsentRequest,
    Contact,
    PrivacyFile,
    PrivacyRequest,
    Purpose,
)
from contacts.privacy import copying, requests
from tests import elsewhere
from tests.factories import NOON, make_contact, make_provider, make_queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LATER = NOON + timedelta(hours=3)
_BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 Safari/605.1.15"


class Case(NamedTuple):
    before: Callable[[], None]
    #: The act, in another process and in this one.
    code: str
    act: Callable[[], object]
    #: What must have come of it, once.
    after: Callable[[], object]
    wanted: object


def _said(given: bool = True, **more: object) -> None:
    consent.record(
        [NewConsent(make_contact().id, "email", "offers", given, "test", **more) for _ in range(3)],  # type: ignore[arg-type]
        NOON,
    )


def _asked() -> None:
    Purpose.objects.create(slug="news", name="News", confirmed_channels=["email"])
    consent.ask([NewConsent(make_contact().id, "email", "news", True, "form")], NOON)


def _copy_wanted() -> None:
    request = requests.ask(make_contact(), PrivacyRequest.Kind.ACCESS, NOON, origin="staff", by="clerk")
    requests.approve(request, NOON, "officer")


def _lost() -> None:
    make_provider("email", kind="smtp")
    state = Message.State.TRANSMITTING
    make_queued(make_contact(), state=state, lease_until=NOON, due_at=NOON)


def _opened_and_withdrawn() -> None:
    contact = make_contact()
    consent.record([NewConsent(contact.id, "email", "tracking", True, "test")], NOON)
    message = make_queued(contact, state=Message.State.ACCEPTED, due_at=None, accepted_at=NOON)
    data = {"method": "GET", "agent": _BROWSER, "purpose": ""}
    at = NOON + timedelta(hours=1)
    hits.write([NewHit(at, "open", message.id, message.created_at, data=data)])
    engagement.absorb(at)
    consent.record([NewConsent(contact.id, "email", "tracking", False, "test")], NOON + timedelta(hours=2))


_ITEM = {"user_id": "u1", "email": "ada@example.com"}
CASES = {
    "consent.anchoring": Case(
        _said,
        "from contacts.consent import anchoring; anchoring.anchor(now)",
        lambda: anchoring.anchor(LATER),
        lambda: list(ConsentAnchor.objects.values_list("number", "lines")),
        [(1, 3)],
    ),
    "consent.lapsing": Case(
        lambda: _said(expires_at=NOON + timedelta(hours=1)),
        "from contacts.consent import expiring; expiring.lapse(now)",
        lambda: expiring.lapse(LATER),
        ConsentEntry.objects.count,
        6,
    ),
    "consent.confirming": Case(
        _asked,
        "from channels import confirming; confirming.send(now)",
        lambda: confirming_act.send(LATER),
        lambda: (Message.objects.count(), list(ConsentRequest.objects.values_list("mails", flat=True))),
        (1, [1]),
    ),
    "copying.before_commit": Case(
        _copy_wanted,
        "from contacts.privacy import copying; copying.pulse(now)",
        lambda: copying.pulse(LATER),
        lambda: (PrivacyRequest.objects.get().state, PrivacyFile.objects.count()),
        (PrivacyRequest.State.DONE, 1),
    ),
    "rescue.done": Case(
        _lost,
        "from channels import rescue; rescue.rescue(now)",
        lambda: rescue.rescue(LATER),
        lambda: list(Message.objects.values_list("state", flat=True)),
        [Message.State.UNCERTAIN],
    ),
    "unmeasuring.taken": Case(
        _opened_and_withdrawn,
        "from channels import unmeasuring; unmeasuring.follow(now)",
        lambda: unmeasuring.follow(LATER),
        lambda: (Receipt.objects.count(), Message.objects.get().opened_at),
        (0, None),
    ),
    "upsert.before_commit": Case(
        lambda: None,
        f"from contacts import upserting; upserting.upsert([{_ITEM!r}], 'api', now)",
        lambda: upserting.upsert([_ITEM], "api", LATER),
        lambda: list(Contact.objects.values_list("email", flat=True)),
        ["ada@example.com"],
    ),
}


@pytest.mark.parametrize("point", CASES)
def test_a_death_at_any_point_is_made_good_by_the_next(point: str) -> None:
    case = CASES[point]
    case.before()

    assert elsewhere.run(case.code, now=LATER, crashpoint=f"{point}:1") == 137
    case.act()
    case.act()

    assert case.after() == case.wanted
