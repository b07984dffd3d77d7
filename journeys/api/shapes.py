"""How journeys and runs look from outside, and how definitions come in."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.api.contact_shapes import Who
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from journeys import notation
from journeys.fields import Problem
from journeys.models import Journey, JourneyVersion, Run

STATES = {state.name.lower(): state for state in Run.State}


class JourneyShape(Fields):
    slug = serializers.CharField(help_text="Its name in addresses, rules and reports; it stays.")
    name = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=Journey.Status.values)
    live_version = serializers.IntegerField(allow_null=True, help_text="Number of the version people enter.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ProblemShape(Fields):
    path = serializers.CharField(help_text="Where, such as steps.mail.content.email.")
    message = serializers.CharField()


class JourneyWithDraft(JourneyShape):
    draft = serializers.JSONField(help_text="The definition; see docs/how-to/journeys.md.")
    problems = ProblemShape(many=True, help_text="What keeps the draft from being published.")


class DefinitionBody(Fields):
    definition = serializers.DictField(required=False, help_text="As JSON. Give this or yaml.")
    yaml = serializers.CharField(
        required=False, max_length=notation.LARGEST, trim_whitespace=False, help_text="The same as YAML."
    )


class LintAnswer(Fields):
    problems = ProblemShape(many=True)


class JourneyChangeShape(Fields):
    place = serializers.CharField()
    kind = serializers.ChoiceField(choices=["added", "changed", "removed"])
    before = serializers.CharField()
    after = serializers.CharField()


class StandingShape(Fields):
    version = serializers.IntegerField()
    step = serializers.CharField()
    people = serializers.IntegerField()
    fate = serializers.ChoiceField(choices=["same", "changed", "removed"])


class ImpactShape(Fields):
    changes = JourneyChangeShape(many=True, help_text="What differs from the version people enter now.")
    standing = StandingShape(many=True, help_text="Who stands where, and what becomes of that step.")


class ChoiceBody(Fields):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    step = serializers.CharField(max_length=60)
    act = serializers.ChoiceField(choices=["stay", "move", "leave"])
    to = serializers.CharField(required=False, default="", allow_blank=True, max_length=60)


class JourneyPublishBody(Fields):
    choices = ChoiceBody(
        many=True, required=False, help_text="What people inside do; they stay if not named."
    )
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)


class JourneyPublishAnswer(Fields):
    published = serializers.BooleanField(help_text="False: another person must approve it.")
    version = serializers.IntegerField(allow_null=True)


class JourneyActBody(Fields):
    act = serializers.ChoiceField(choices=["pause", "resume", "stop", "archive"])


class JourneyVersionShape(Fields):
    number = serializers.IntegerField()
    published_at = serializers.DateTimeField()
    published_by = serializers.CharField(allow_null=True)
    live = serializers.BooleanField(help_text="People enter this one.")


class VersionWithGraph(JourneyVersionShape):
    graph = serializers.JSONField()


class StepFigures(Fields):
    step = serializers.CharField()
    here = serializers.IntegerField(help_text="Standing there now.")
    passed = serializers.IntegerField()
    converted = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    messages = serializers.DictField(child=serializers.IntegerField())


class FiguresShape(Fields):
    live = serializers.IntegerField()
    entered = serializers.IntegerField(help_text="In the last 30 days, as the others.")
    converted = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Waiting for somebody to mend them now.")
    outcomes = serializers.DictField(child=serializers.IntegerField())
    steps = StepFigures(many=True)


class RunFilters(Fields):
    state = serializers.ChoiceField(choices=list(STATES), required=False)
    step = serializers.CharField(required=False, max_length=60)


class RunShape(Fields):
    id = serializers.IntegerField()
    contact = serializers.UUIDField(help_text="Public id.")
    version = serializers.IntegerField()
    key = serializers.CharField()
    state = serializers.ChoiceField(choices=list(STATES))
    step = serializers.CharField()
    entered_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="Next wake-up; never null while live.")
    ended_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(help_text="How it ended, or why it failed.")


class RunStartBody(Fields):
    contact = Who()
    key = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    properties = serializers.DictField(
        required=False,
        default=dict,
        help_text="For templates and branches, as of the event that starts a run.",
    )


class RunStartAnswer(Fields):
    run = RunShape()


class RunsMendBody(Fields):
    act = serializers.ChoiceField(choices=["retry", "skip"])
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**62), min_length=1, max_length=1000
    )


class RunsMendAnswer(Fields):
    mended = serializers.IntegerField(help_text="Others have not failed, are in again, or nothing follows.")


def journey_by(slug: str) -> Journey:
    found = Journey.objects.filter(slug=slug, kind=Journey.Kind.JOURNEY).first()
    if found is None:
        raise not_found("journey")
    return found


def read_definition(body: dict[str, Any]) -> Any:
    """The definition in a body, by either way. Raises Refused naming the place."""
    if ("definition" in body) == ("yaml" in body):
        raise bad_request("one_definition_needed", "Give either definition or yaml.", "definition")
    if "definition" in body:
        return body["definition"]
    data, problems = notation.read(body["yaml"])
    if problems or not isinstance(data, dict):
        said = "; ".join(map(str, problems)) or "must be a mapping of names to values"
        raise bad_request("unreadable", said, "yaml")
    return data


def draw_problems(problems: list[Problem]) -> list[dict[str, str]]:
    return [{"path": each.path, "message": each.message} for each in problems]


def refuse_problems(problems: list[Problem]) -> Refused:
    """The answer to a draft that cannot be published: the first place by name, all of them in words."""
    said = "; ".join(map(str, problems))[:2000]
    return Refused(409, "not_in_order", said, f"draft.{problems[0].path}".rstrip("."))


def draw_journeys(rows: list[Journey]) -> list[dict[str, Any]]:
    live = [row.live_version_id for row in rows if row.live_version_id]
    numbers = dict(JourneyVersion.objects.filter(pk__in=live).values_list("pk", "number"))
    names = ("slug", "name", "description", "status", "created_at", "updated_at")
    return [
        {
            **{name: getattr(row, name) for name in names},
            "live_version": numbers.get(row.live_version_id or 0),
        }
        for row in rows
    ]


class CauseShape(serializers.Serializer[Any]):
    journey = serializers.CharField()
    step = serializers.CharField()
    cause = serializers.CharField()
    count = serializers.IntegerField()
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()


class HealthShape(serializers.Serializer[Any]):
    good = serializers.BooleanField(help_text="Nothing is overdue, astray or without a wake-up.")
    live = serializers.IntegerField()
    due = serializers.IntegerField()
    overdue = serializers.IntegerField(help_text="Due for more than 15 minutes.")
    oldest_due = serializers.DateTimeField(allow_null=True)
    without_wakeup = serializers.IntegerField(help_text="Must be 0.")
    astray = serializers.IntegerField(help_text="On a step that is not there. Must be 0.")
    failed = serializers.IntegerField()
    causes = CauseShape(many=True)


def draw_runs(rows: list[Run]) -> list[dict[str, Any]]:
    names = ("id", "key", "step", "entered_at", "due_at", "ended_at", "outcome")
    return [
        {
            **{name: getattr(row, name) for name in names},
            "contact": row.contact.public_id,
            "version": row.version.number,
            "state": Run.State(row.state).name.lower(),
        }
        for row in rows
    ]
