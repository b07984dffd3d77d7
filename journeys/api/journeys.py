"""Journeys by program: drafts as JSON or YAML, versions, publishing, and their own life."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from contacts.api.fields import Fields
from journeys import approving, comparing, figures, filing, publishing, redirecting
from journeys.api import shapes
from journeys.api.shapes import draw_problems, journey_by
from journeys.filing import File
from journeys.graph import GraphError
from journeys.models import Journey, JourneyVersion
from journeys.publishing import NotAllowedError
from journeys.redirecting import Choice


class JourneyFilters(Fields):
    status = serializers.ChoiceField(choices=Journey.Status.values, required=False)


class Journeys(Endpoint):
    scopes = {"GET": "journeys:read"}

    @operation(
        "list_journeys",
        "Journeys, page by page",
        query=JourneyFilters,
        answer=shapes.JourneyShape,
        paged=True,
    )
    def get(self, call: Call) -> Any:
        chosen = {"status": call.query["status"]} if "status" in call.query else {}
        chosen["kind"] = Journey.Kind.JOURNEY
        return call.page(Journey.objects.filter(**chosen), ("id",), shapes.draw_journeys)


class JourneyLint(Endpoint):
    scopes = {"POST": "journeys:read"}

    @operation(
        "lint_journey",
        "What is wrong with a definition",
        body=shapes.DefinitionBody,
        answer=shapes.LintAnswer,
    )
    def post(self, call: Call) -> Any:
        """Stores nothing. What the definition names is looked up here."""
        _graph, problems = publishing.check(shapes.read_definition(call.body))
        return {"problems": draw_problems(problems)}


class JourneyDetail(Endpoint):
    scopes = {"GET": "journeys:read", "PUT": "journeys:write"}

    @operation("get_journey", "One journey with its draft", answer=shapes.JourneyWithDraft)
    def get(self, call: Call, slug: str) -> Any:
        return _whole(journey_by(slug))

    @operation(
        "put_journey",
        "Make a journey or replace its draft",
        body=shapes.DefinitionBody,
        answer=shapes.JourneyWithDraft,
    )
    def put(self, call: Call, slug: str) -> Any:
        """Name and description come from the definition. A draft with problems is stored too."""
        file = File(slug, shapes.read_definition(call.body))
        (plan,) = filing.plan([filing.named(file)])
        if plan.faults:
            fault = plan.faults[0]
            raise Refused(409, "cannot_be_stored", str(fault), f"definition.{fault.path}".rstrip("."))
        for journey in filing.apply([plan]):
            call.audit(journey, "Stored the draft")
        return _whole(journey_by(slug))


class JourneyImpact(Endpoint):
    scopes = {"GET": "journeys:read"}

    @operation(
        "get_impact", "What publishing the draft would change, and for whom", answer=shapes.ImpactShape
    )
    def get(self, call: Call, slug: str) -> Any:
        journey = journey_by(slug)
        live = journey.versions.filter(pk=journey.live_version_id or 0).first()
        changes = comparing.compare(live.graph if live else {}, journey.draft)
        return {
            "changes": [asdict(change) for change in changes],
            "standing": [row._asdict() for row in redirecting.impact(journey)],
        }


class JourneyPublish(Endpoint):
    scopes = {"POST": "journeys:publish"}

    @operation(
        "publish_journey",
        "Publish the draft",
        body=shapes.JourneyPublishBody,
        answer=shapes.JourneyPublishAnswer,
    )
    def post(self, call: Call, slug: str) -> Any:
        """Where two people are needed this asks for it, and `published` is false until somebody approves."""
        journey, choices = journey_by(slug), [Choice(**each) for each in call.body.get("choices", [])]
        try:
            if approving.needed():
                approving.ask(journey, call.acting_user, call.now, choices, call.body["note"])
                call.audit(journey, "Asked for publication")
                return {"published": False, "version": None}
            version = publishing.publish(journey, call.acting_user, call.now, choices)
        except GraphError as error:
            raise shapes.refuse_problems(error.problems) from error
        except NotAllowedError as error:
            raise Refused(409, "not_now", str(error)) from error
        call.audit(journey, f"Published version {version.number}")
        call.wake("redirects")
        return {"published": True, "version": version.number}


class JourneyActs(Endpoint):
    scopes = {"POST": "journeys:publish"}

    @operation(
        "move_journey",
        "Pause, resume, stop or archive",
        body=shapes.JourneyActBody,
        answer=shapes.JourneyShape,
    )
    def post(self, call: Call, slug: str) -> Any:
        journey, act = journey_by(slug), call.body["act"]
        acts = {
            "pause": publishing.pause,
            "resume": publishing.resume,
            "stop": publishing.stop,
            "archive": publishing.archive,
        }
        try:
            acts[act](journey, call.now)
        except NotAllowedError as error:
            raise Refused(409, "not_now", str(error), "act") from error
        call.audit(journey, f"Journey: {act}")
        call.wake("engine")
        return shapes.draw_journeys([journey])[0]


class JourneyVersions(Endpoint):
    scopes = {"GET": "journeys:read"}

    @operation(
        "list_journey_versions", "Versions of a journey", answer=shapes.JourneyVersionShape, paged=True
    )
    def get(self, call: Call, slug: str) -> Any:
        journey = journey_by(slug)
        rows = journey.versions.select_related("published_by").defer("graph")
        return call.page(rows, ("number",), lambda found: [_version(row, journey) for row in found])


class JourneyVersionDetail(Endpoint):
    scopes = {"GET": "journeys:read"}

    @operation("get_journey_version", "One version with its graph", answer=shapes.VersionWithGraph)
    def get(self, call: Call, slug: str, number: int) -> Any:
        journey = journey_by(slug)
        found = journey.versions.filter(number=number).select_related("published_by").first()
        if number > 2**31 - 1 or found is None:
            raise not_found("version")
        return {**_version(found, journey), "graph": found.graph}


class JourneyFigures(Endpoint):
    scopes = {"GET": "journeys:read"}

    @operation("get_journey_figures", "What a journey did in 30 days", answer=shapes.FiguresShape)
    def get(self, call: Call, slug: str) -> Any:
        """The steps are those of the version that people enter now."""
        journey = journey_by(slug)
        at_steps = figures.of_steps(journey, [journey.live_version_id or 0], call.now)
        return {
            **asdict(figures.of_journey(journey, call.now)),
            "steps": [{"step": step, **asdict(found)} for step, found in at_steps.items() if step],
        }


def _whole(journey: Journey) -> dict[str, Any]:
    _graph, problems = publishing.check(journey.draft)
    return {
        **shapes.draw_journeys([journey])[0],
        "draft": journey.draft,
        "problems": draw_problems(problems),
    }


def _version(row: JourneyVersion, journey: Journey) -> dict[str, Any]:
    return {
        "number": row.number,
        "published_at": row.published_at,
        "published_by": str(row.published_by) if row.published_by else None,
        "live": row.pk == journey.live_version_id,
    }
