"""Which message brought a visit: said by a token of ours, for a while, and by nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contacts import ingest, visits
from contacts.models import Event
from contacts.visits import LASTS, Visit
from tests.factories import NOON, make_source, put_in_inbox

VISIT = Visit(7, "email", "cart-left", "remind")
NAMED = {"message": 7, "channel": "email", "journey": "cart-left", "step": "remind"}


def logged(token: object, name: str = "Order Completed", **properties: Any) -> Event:
    source = make_source()
    put_in_inbox(
        source,
        {
            "type": "track", "name": name, "anonymous_id": "a" * 20, "properties": properties,
            "context": {"campaign": {"name": "spring", "message": token}},
        },
    )  # fmt: skip
    ingest.take_in(NOON)
    return Event.objects.get(source_id=source.pk)


@pytest.mark.django_db
def test_a_conversion_names_the_message_journey_and_step_that_brought_it() -> None:
    event = logged(visits.signer().sign(VISIT, NOON), total=3)

    assert (event.context or {})["campaign"] == {"name": "spring", **NAMED}
    assert event.properties == {"total": 3}


@pytest.mark.django_db
def test_what_the_sdk_measures_carries_it_among_its_properties() -> None:
    event = logged(visits.signer().sign(VISIT, NOON), "Content Engaged", seconds=3, message="forged")

    assert event.properties == {"seconds": 3, **NAMED}


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x.y", "", 7, None, {"a": 1}, "é.ü", "W10.W10"])
def test_what_is_no_token_of_ours_is_taken_out(token: object) -> None:
    assert (logged(token).context or {})["campaign"] == {"name": "spring"}


@pytest.mark.parametrize("later", [timedelta(minutes=-10), LASTS + timedelta(seconds=1)])
def test_a_token_lasts_for_the_visit_only(later: timedelta) -> None:
    signer = visits.Signer("secret")

    assert signer.read(signer.sign(VISIT, NOON), NOON + LASTS) == VISIT
    assert signer.read(signer.sign(VISIT, NOON), NOON + later) is None


def test_a_token_of_another_secret_says_nothing_and_a_former_one_still_does() -> None:
    token = visits.Signer("old").sign(VISIT, NOON)

    assert visits.Signer("new").read(token, NOON) is None
    assert visits.Signer("new", ["old"]).read(token, NOON) == VISIT
