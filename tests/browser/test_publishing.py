"""Publishing with people inside, in a real browser: who is moved, what differs, what failed."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from journeys import runs, versions
from journeys.models import Journey, Redirect, Run
from journeys.runs import Entry
from scripts.browser import too_wide
from tests.browser.conftest import WIDE, Watched, at_each_size
from tests.browser.test_journeys import violations
from tests.factories import make_contact, make_version

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

OLD = {
    "trigger": {"event": "Cart"},
    "start": "rest",
    "steps": {
        "rest": {"type": "wait", "for": "5 days", "next": "bye"},
        "bye": {"type": "exit", "reason": "done"},
    },
}
NEW = {
    "trigger": {"event": "Cart"},
    "start": "pause",
    "steps": {
        "pause": {"type": "wait", "for": "2 days", "next": "bye"},
        "bye": {"type": "exit", "reason": "over"},
    },
}


def look(watched: Watched, name: str) -> None:
    """Fits and is fit for everybody on any screen; SEGUE_LOOK names a folder for pictures."""
    for size in at_each_size(watched.page):
        assert too_wide(watched.page) == 0, (name, size)
        assert violations(watched) == [], (name, size)
        if folder := os.environ.get("SEGUE_LOOK"):
            for scheme in ("light", "dark"):
                watched.page.emulate_media(color_scheme=scheme)
                watched.page.screenshot(path=f"{folder}/{name}-{size}-{scheme}.png", full_page=True)


@WIDE
def test_people_are_moved_by_whoever_publishes(signed_in: Watched) -> None:
    watched = signed_in
    version = make_version(OLD)
    entries = [Entry(make_contact().id, datetime.now(UTC)) for _ in range(3)]
    runs.enter(versions.load([version.id])[version.id], entries, datetime.now(UTC))
    Journey.objects.update(draft=NEW)
    page, journey = watched.page, version.journey_id
    page.goto(f"/admin/journeys/journey/{journey}/act/publish/")
    look(watched, "publish")
    page.get_by_label("rest").select_option("move pause")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("People are moving from step").wait_for()
    page.goto(f"/admin/journeys/journey/{journey}/versions/?from=1&to=2")
    page.get_by_text("Wait 2 days").first.wait_for()
    look(watched, "versions")
    Run.objects.update(state=Run.State.FAILED, due_at=None, ended_at=datetime.now(UTC), outcome="broken")
    page.goto("/admin/journeys/run/stuck/")
    page.get_by_text("broken").wait_for()
    look(watched, "stuck")
    page.goto("/admin/journeys/journey/files/")
    look(watched, "files")
    assert str(Redirect.objects.get()) == "rest: move pause"
    assert watched.faults == []
    assert watched.foreign == []
