"""Runs by program: who is where, starting one, and mending those that failed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from contacts import finding
from contacts.api.contact_shapes import name_of
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from journeys import mending, runs, versions
from journeys.api import shapes
from journeys.api.shapes import journey_by
from journeys.models import Journey, Run


class JourneyRuns(Endpoint):
    scopes = {"GET": "journeys:read", "POST": "journeys:write"}

    @operation(
        "list_runs",
        "Runs of a journey, page by page",
        query=shapes.RunFilters,
        answer=shapes.RunShape,
        paged=True,
    )
    def get(self, call: Call, slug: str) -> Any:
        rows = Run.objects.filter(journey=journey_by(slug)).select_related("contact", "version")
        if "state" in call.query:
            rows = rows.filter(state=shapes.STATES[call.query["state"]])
        if "step" in call.query:
            rows = rows.filter(step=call.query["step"])
        return call.page(rows, ("id",), shapes.draw_runs)

    @operation(
        "start_run",
        "Let a contact into a live journey",
        body=shapes.RunStartBody,
        answer=shapes.RunStartAnswer,
        status=201,
    )
    def post(self, call: Call, slug: str) -> Any:
        """Without its trigger, but under its entry rule: 409 where that keeps the contact out."""
        journey = journey_by(slug)
        contact_id = finding.find_one(name_of(call.body["contact"]))
        if contact_id is None:
            raise not_found("contact", "contact")
        if journey.status != Journey.Status.LIVE or not journey.live_version_id:
            raise Refused(409, "not_live", f"The journey is {journey.status}.")
        version = versions.load([journey.live_version_id])[journey.live_version_id]
        entry = runs.Entry(contact_id, call.now, call.body["properties"], call.body["key"])
        if not runs.enter(version, [entry], call.now):
            raise Refused(409, "kept_out", "The entry rule keeps this contact out, or it is in already.")
        run = Run.objects.filter(journey=journey, contact_id=contact_id, key=entry.key).latest("id")
        call.audit(journey, f"Started run {run.pk}")
        call.wake("engine")
        return {"run": shapes.draw_runs([run])[0]}


class RunsMend(Endpoint):
    scopes = {"POST": "journeys:publish"}

    @operation(
        "mend_runs",
        "Try failed steps again, or skip them",
        body=shapes.RunsMendBody,
        answer=shapes.RunsMendAnswer,
    )
    def post(self, call: Call, slug: str) -> Any:
        journey, act = journey_by(slug), call.body["act"]
        chosen = list(
            Run.objects.filter(journey=journey, id__in=call.body["ids"]).values_list("id", flat=True)
        )
        mended = {"retry": mending.retry, "skip": mending.skip}[act](chosen, call.now)
        call.audit(journey, f"Runs: {act}, {mended} go on")
        call.wake("engine")
        return {"mended": mended}


class RunsHealth(Endpoint):
    scopes = {"GET": "journeys:read"}

    @operation(
        "get_runs_health", "How runs stand over all journeys, and why some failed", answer=shapes.HealthShape
    )
    def get(self, call: Call) -> Any:
        """Reads all live runs: for monitors, not for every second."""
        found = mending.health(call.now)
        slugs = dict(Journey.objects.values_list("id", "slug"))
        return {
            **asdict(found),
            "good": found.good,
            "causes": [
                {
                    "journey": slugs.get(one.journey_id, ""),
                    "step": one.step,
                    "cause": one.cause,
                    "count": one.count,
                    "first": one.first,
                    "last": one.last,
                }
                for one in mending.causes()
            ],
        }
