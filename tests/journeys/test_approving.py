from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from journeys import approving, publishing
from journeys.graph import GraphError
from journeys.models import Journey, PublishRequest
from journeys.publishing import NotAllowedError
from tests.factories import NOON

pytestmark = pytest.mark.django_db

GRAPH = {"trigger": {"event": "X"}, "start": "rest", "steps": {"rest": {"type": "wait", "for": "1 day"}}}


@pytest.fixture
def journey() -> Journey:
    return Journey.objects.create(name="Mine", slug="mine", draft=GRAPH)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


def test_one_asks_and_another_one_publishes(journey: Journey, ada: User, bob: User) -> None:
    request = approving.ask(journey, ada, NOON, note="Ready")
    with pytest.raises(NotAllowedError, match="Somebody else"):
        approving.approve(request, ada, NOON)
    assert approving.approve(request, bob, NOON).published_by == bob
    assert PublishRequest.objects.get().state == "approved"
    assert Journey.objects.get().status == "live"


def test_a_draft_that_was_changed_since_is_not_what_was_approved(
    journey: Journey, ada: User, bob: User
) -> None:
    request = approving.ask(journey, ada, NOON)
    Journey.objects.update(draft={**GRAPH, "name": "Other"})
    with pytest.raises(NotAllowedError, match="changed since"):
        approving.approve(request, bob, NOON)
    assert Journey.objects.get().status == "draft"


def test_a_request_is_decided_once(journey: Journey, ada: User, bob: User) -> None:
    request = approving.ask(journey, ada, NOON)
    approving.refuse(request, bob, NOON)
    with pytest.raises(NotAllowedError, match="meanwhile"):
        approving.approve(request, bob, NOON)
    assert PublishRequest.objects.get().state == "refused"


def test_asking_again_takes_the_place_of_the_request_before(journey: Journey, ada: User) -> None:
    approving.ask(journey, ada, NOON)
    again = approving.ask(journey, ada, NOON)
    assert approving.pending(journey) == again
    assert set(PublishRequest.objects.values_list("state", flat=True)) == {"withdrawn", "open"}


def test_a_draft_with_problems_cannot_be_asked_for(ada: User) -> None:
    with pytest.raises(GraphError):
        approving.ask(Journey.objects.create(name="Bad", slug="bad"), ada, NOON)
    assert publishing.acts("draft")
