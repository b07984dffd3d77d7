"""Who wanted a message is called by name where reasons are counted."""

import pytest

from channels import reasons
from channels.reasons import Origin
from journeys.models import Journey
from tests.factories import make_version
from tests.statements import statements

pytestmark = pytest.mark.django_db
GRAPH = {"trigger": {"event": "Story Told"}, "start": "end", "steps": {"end": {"type": "exit"}}}


def test_a_journey_has_the_name_that_it_has_now() -> None:
    journey = make_version(GRAPH, slug="hello").journey
    Journey.objects.filter(pk=journey.pk).update(name="Hello again")
    origin = Origin("journey", journey.pk, "hello")
    assert reasons.origin_names([origin]) == {origin: "Hello again"}


def test_what_is_gone_keeps_the_name_of_the_ledger() -> None:
    gone, nameless, program = Origin("journey", 9, "old"), Origin("journey", 8), Origin("api", 0)
    found = reasons.origin_names([gone, nameless, program])
    assert found == {gone: "old", nameless: "journey 8", program: "The API"}


def test_names_take_the_same_number_of_statements_for_any_number_of_origins() -> None:
    counts = []
    reasons.origin_names([Origin("journey", 1)])  # begins the transaction
    for size in (2, 40):
        with statements() as count:
            reasons.origin_names([Origin("journey", number, "a") for number in range(1, size)])
        counts.append(count.total)
    assert counts[0] == counts[1]
