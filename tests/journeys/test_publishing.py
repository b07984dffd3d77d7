from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.models import Template
from contacts.models import Purpose
from journeys import publishing, runs
from journeys.graph import GraphError
from journeys.models import Journey, Run
from journeys.publishing import NotAllowedError
from tests.factories import NOON, make_contact, make_version

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "lifecycles.md"
SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
GRAPH: dict[str, Any] = {"trigger": {"event": "X"}, "start": "mail", "steps": {"mail": SEND}}


@pytest.mark.parametrize("drawing", [runs.drawing(), publishing.drawing()], ids=["run", "journey"])
def test_the_drawings_in_the_docs_are_the_tables_in_the_code(drawing: str) -> None:
    assert f"```mermaid\n{drawing}```\n" in DOCUMENT.read_text(encoding="utf-8")


def draft(**changes: Any) -> Journey:
    return Journey.objects.create(name="Mine", slug="mine", draft={**GRAPH, **changes})


def furnish() -> None:
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    Template.objects.create(name="Hello", slug="hello", channel="email")


@pytest.mark.django_db
def test_a_version_is_a_copy_that_later_edits_do_not_touch() -> None:
    furnish()
    journey = draft()
    first = publishing.publish(journey, None, NOON)
    journey.draft = {**GRAPH, "name": "Edited"}
    journey.save()
    second = publishing.publish(journey, None, NOON)
    first.refresh_from_db()
    assert (first.number, second.number) == (1, 2)
    assert ("name" in first.graph, second.graph["name"]) == (False, "Edited")
    assert Journey.objects.get().live_version_id == second.id


@pytest.mark.django_db
def test_a_draft_with_problems_is_not_published() -> None:
    with pytest.raises(GraphError) as caught:
        publishing.publish(draft(start="nowhere"), None, NOON)
    assert [problem.path for problem in caught.value.problems] == ["start"]
    assert Journey.objects.get().status == "draft"


@pytest.mark.django_db
def test_everything_a_draft_names_must_exist_and_fit() -> None:
    Template.objects.create(name="Hello", slug="hello", channel="sms")
    audience = {"type": "audience", "audience": "nobody"}
    journey = draft(
        trigger={"segment": "none"}, start="list", steps={"list": {**audience, "next": "mail"}, "mail": SEND}
    )
    _graph, problems = publishing.check(journey.draft)
    assert {problem.path for problem in problems} == {
        "trigger.segment",
        "steps.list.audience",
        "steps.mail.content.email",
        "steps.mail.purpose",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("status", Journey.Status.values)
def test_an_act_that_the_status_does_not_allow_is_refused(status: str) -> None:
    journey = draft()
    Journey.objects.update(status=status)
    acts = {"pause": publishing.pause, "resume": publishing.resume, "stop": publishing.stop}
    for name, act in acts.items():
        if name not in publishing.acts(status):
            with pytest.raises(NotAllowedError):
                act(journey, NOON)


@pytest.mark.django_db
def test_a_journey_with_people_inside_is_not_archived() -> None:
    version = make_version(GRAPH)
    contact = make_contact()
    Run.objects.create(
        slot=contact.slot,
        contact=contact,
        journey=version.journey,
        version=version,
        step="mail",
        due_at=NOON,
        since=NOON,
        entered_at=NOON - timedelta(days=1),
    )
    Journey.objects.update(status="stopped")
    with pytest.raises(NotAllowedError, match="still in this journey"):
        publishing.archive(version.journey, NOON)
