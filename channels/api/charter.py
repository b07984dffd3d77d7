"""The charter by program: what rules, drafts, what publishing one would do, and publishing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from channels import charter, charter_approving, charter_impact, charter_rules, charter_words
from channels.charter_approving import NotAllowedError
from channels.charter_impact import Impact, Row
from channels.charter_rules import CharterError, Problem
from channels.models import CharterVersion
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from contacts.api.fields import Fields


class CharterProblemShape(Fields):
    path = serializers.CharField(help_text="Where, such as caps.0.limit.")
    message = serializers.CharField()
    warning = serializers.BooleanField(help_text="A warning does not keep it from being published.")


class VersionRow(Fields):
    number = serializers.IntegerField()
    note = serializers.CharField()
    effective_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)


class CharterVersionShape(VersionRow):
    rules = serializers.JSONField(help_text="See docs/how-to/charter.md.")
    sentences = serializers.ListField(child=serializers.CharField())
    problems = CharterProblemShape(many=True)


class CharterRulingShape(Fields):
    number = serializers.IntegerField(allow_null=True, help_text="Null: the default rules.")
    rules = serializers.JSONField()
    sentences = serializers.ListField(child=serializers.CharField())


class CharterRulesBody(Fields):
    rules = serializers.DictField(help_text="The whole charter.")


class DraftBody(CharterRulesBody):
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)
    effective_at = serializers.DateTimeField(required=False, default=None, allow_null=True)


class CharterLintShape(Fields):
    problems = CharterProblemShape(many=True)


class CharterFigureShape(Fields):
    kind = serializers.ChoiceField(choices=["outcome", "channel", "purpose", "reason"])
    name = serializers.CharField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class CharterImpactShape(Fields):
    since = serializers.DateTimeField()
    messages = serializers.IntegerField(help_text="Wanted in the last 14 days.")
    played = serializers.IntegerField(help_text="So many of them were looked at; fewer are a sample.")
    people = serializers.IntegerField()
    lost = serializers.IntegerField(help_text="Left, and would not have left.")
    gained = serializers.IntegerField()
    later = serializers.IntegerField()
    later_seconds = serializers.IntegerField(help_text="By so much at the median.")
    elsewhere = serializers.IntegerField(help_text="Would have taken another channel.")
    figures = CharterFigureShape(many=True)


class PublishBody(Fields):
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)


class PublishAnswer(Fields):
    published = serializers.BooleanField(help_text="False: somebody else has to approve it.")


class CharterInForce(Endpoint):
    scopes = {"GET": "charter:read"}

    @operation("get_charter", "The charter in force", answer=CharterRulingShape)
    def get(self, call: Call) -> Any:
        ruling = charter.current(call.now)
        return {
            "number": ruling.number,
            "rules": charter.rules_in_force(call.now),
            "sentences": charter_words.explain(ruling),
        }


class CharterLint(Endpoint):
    scopes = {"POST": "charter:read"}

    @operation(
        "lint_charter", "What is wrong or doubtful in rules", body=CharterRulesBody, answer=CharterLintShape
    )
    def post(self, call: Call) -> Any:
        """Stores nothing."""
        return {"problems": _problems(charter.lint(call.body["rules"], call.now))}


class CharterVersions(Endpoint):
    scopes = {"GET": "charter:read", "POST": "charter:write"}

    @operation("list_charter_versions", "Versions of the charter", answer=VersionRow, paged=True)
    def get(self, call: Call) -> Any:
        return call.page(CharterVersion.objects.all(), ("-id",), lambda rows: [_row(row) for row in rows])

    @operation("draft_charter", "Make a draft", body=DraftBody, answer=CharterVersionShape, status=201)
    def post(self, call: Call) -> Any:
        """A draft with problems is stored too; it cannot be published before they are put right."""
        version = charter.draft(call.body["rules"], call.body["note"], call.acting_user)
        CharterVersion.objects.filter(pk=version.pk).update(effective_at=call.body["effective_at"])
        version.refresh_from_db()
        call.audit(version, "Made a draft")
        return _whole(version, call.now)


class CharterDetail(Endpoint):
    scopes = {"GET": "charter:read", "PUT": "charter:write"}

    @operation("get_charter_version", "One version", answer=CharterVersionShape)
    def get(self, call: Call, number: int) -> Any:
        return _whole(version_by(number), call.now)

    @operation("change_charter_draft", "Change a draft", body=DraftBody, answer=CharterVersionShape)
    def put(self, call: Call, number: int) -> Any:
        """A published version never changes: make a new draft."""
        drafts = CharterVersion.objects.filter(number=version_by(number).number, published_at=None)
        if not drafts.update(**{name: call.body[name] for name in ("rules", "note", "effective_at")}):
            raise Refused(409, "published", "This version is published already.")
        version = version_by(number)
        call.audit(version, "Changed the draft")
        return _whole(version, call.now)


class CharterImpact(Endpoint):
    scopes = {"GET": "charter:read"}

    @operation("get_charter_impact", "What it would have done to the last 14 days", answer=CharterImpactShape)
    def get(self, call: Call, number: int) -> Any:
        try:
            new = charter_rules.parse(version_by(number).rules)
        except CharterError as error:
            raise refusal(error) from error
        return _impact(charter_impact.look(charter.current(call.now), new, call.now))


class CharterPublish(Endpoint):
    scopes = {"POST": "charter:publish"}

    @operation("publish_charter", "Publish a draft", body=PublishBody, answer=PublishAnswer)
    def post(self, call: Call, number: int) -> Any:
        """Where two people are needed this asks for it, and somebody else decides."""
        version, by = version_by(number), call.acting_user
        try:
            if charter_approving.needed():
                charter_approving.ask(version, by, call.now, call.body["note"])
                call.audit(version, "Asked for publication")
                return {"published": False}
            charter_approving.publish(version, by, call.now)
        except CharterError as error:
            raise refusal(error) from error
        except NotAllowedError as error:
            raise Refused(409, "not_now", str(error)) from error
        call.audit(version, "Published")
        return {"published": True}


def version_by(number: int) -> CharterVersion:
    version = CharterVersion.objects.filter(number=number).first()
    if version is None:
        raise not_found("charter version")
    return version


def _row(version: CharterVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in ("number", "note", "effective_at", "published_at")}


def _whole(version: CharterVersion, now: datetime) -> dict[str, Any]:
    problems = charter.lint(version.rules, now)
    readable = all(one.warning for one in problems)
    sentences = charter_words.explain(charter_rules.parse(version.rules)) if readable else []
    return {
        **_row(version),
        "rules": version.rules,
        "sentences": sentences,
        "problems": _problems(problems),
    }


def _problems(problems: list[Problem]) -> list[dict[str, Any]]:
    return [one._asdict() for one in problems]


def refusal(error: CharterError) -> Refused:
    """The first place by name, all of them in words."""
    return Refused(409, "not_in_order", str(error)[:2000], f"rules.{error.problems[0].path}")


def _impact(found: Impact) -> dict[str, Any]:
    names = ("since", "messages", "played", "people", "lost", "gained", "later", "elsewhere")
    rows: list[Row] = [*found.outcomes, *found.by_channel, *found.by_purpose, *found.reasons]
    return {
        **{name: getattr(found, name) for name in names},
        "later_seconds": int(found.later_by.total_seconds()),
        "figures": [row._asdict() for row in rows],
    }
