"""People and machines told apart, on a labelled corpus of fetches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels import actors, engagement, hits
from channels.actors import Fetch
from channels.hits import NewHit
from channels.models import Message, Receipt, TrackedLink
from contacts.models import Event
from tests.channels.fetch_corpus import HUMANS, MACHINES, Case
from tests.factories import NOON, make_contact, make_queued

SECOND = timedelta(seconds=1)


def judged(case: Case) -> list[str]:
    """The class of each fetch of one person's or machine's visit to one message."""
    together = actors.company(
        Fetch(place, 1, one.kind, one.link, NOON + one.after * SECOND, one.network, one.agent)
        for place, one in enumerate(case)
    )
    found = []
    for place, one in enumerate(case):
        actor, _why = actors.of(one.kind, one.method, one.agent, one.purpose, one.after)
        found.append(actors.SCANNER if actor == actors.HUMAN and place in together else actor)
    return found


def test_of_the_labelled_corpus_nearly_all_are_classed_right() -> None:
    machines = [actor for case in MACHINES for actor in judged(case)]
    people = [actor for case in HUMANS for actor in judged(case)]
    caught = sum(actor != actors.HUMAN for actor in machines) / len(machines)
    wronged = sum(actor != actors.HUMAN for actor in people) / len(people)
    assert len(machines) > 300
    assert len(people) > 300
    assert caught >= 0.95, f"{caught:.3f} of {len(machines)}"
    assert wronged <= 0.01, f"{wronged:.3f} of {len(people)}"


def test_a_burst_is_known_wherever_it_is_cut() -> None:
    """Links one after the other, ten minutes after the mail, by an agent like everybody's."""
    contact = make_contact()
    message = make_queued(contact, state=Message.State.ACCEPTED, due_at=None, accepted_at=NOON)
    ids = [
        TrackedLink.objects.create(digest=bytes([n]) * 32, url=f"https://shop.example/{n}").id
        for n in range(4)
    ]
    at = NOON + 600 * SECOND
    for place, link in enumerate(ids):
        hits.write([click(message, link, at + place * 0.3 * SECOND)])
    while engagement.absorb(at + 60 * SECOND, 1):
        continue
    kept = list(Receipt.objects.values_list("actor", "detail__why"))
    assert kept == [("scanner", "many_links")] * 4
    assert not Event.objects.exists()


def test_who_follows_the_link_that_nobody_sees_is_a_machine_in_all_it_does() -> None:
    message = make_queued(make_contact(), state=Message.State.ACCEPTED, due_at=None, accepted_at=NOON)
    link = TrackedLink.objects.create(digest=b"x" * 32, url="https://shop.example/")
    at = NOON + 600 * SECOND
    hits.write(
        [
            click(message, link.id, at),
            NewHit(at + 4 * SECOND, "trap", message.id, message.created_at, data=data()),
            NewHit(at + 8 * SECOND, "open", message.id, message.created_at, data=data()),
            # Somebody else, from another network, with another browser.
            click(message, link.id, at + 20 * SECOND, network="203.0.113.0"),
        ]
    )
    engagement.absorb(at + 60 * SECOND)
    actors_ = sorted(Receipt.objects.values_list("kind", "actor"))
    assert actors_ == [
        ("clicked", "human"),
        ("clicked", "scanner"),
        ("clicked", "scanner"),
        ("opened", "scanner"),
    ]
    assert [one.name for one in Event.objects.all()] == ["Message Clicked"]


def test_a_fetch_waits_for_its_company_and_a_callback_does_not() -> None:
    message = make_queued(make_contact(), state=Message.State.ACCEPTED, due_at=None, accepted_at=NOON)
    at = NOON + 600 * SECOND
    hits.write([NewHit(at, "open", message.id, message.created_at, data=data())])
    hits.write([NewHit(at, "delivered", message.id, message.created_at, provider_id=1, receipt_key="a")])
    assert engagement.absorb(at + SECOND) == 1
    assert engagement.absorb(at + actors.SETTLED) == 1


def data(**values: Any) -> dict[str, Any]:
    agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 Safari/605.1.15"
    return {"method": "GET", "agent": agent, "purpose": "", "network": "198.51.100.0", **values}


def click(message: Message, link: int, at: Any, **values: Any) -> NewHit:
    return NewHit(at, "click", message.id, message.created_at, link, data=data(**values))


pytestmark = pytest.mark.django_db
