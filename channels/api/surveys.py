"""Surveys by program: their words, publishing, results and answers."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from rest_framework import serializers

from channels.models import Survey, SurveyAnswer
from channels.surveys import results, versions, wording
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.api.taken import refused_if_taken


class SurveyShape(Fields):
    slug = serializers.CharField(help_text="Its name in addresses and journeys; it stays.")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Survey.Kind.values)
    description = serializers.CharField()
    version = serializers.IntegerField(allow_null=True, help_text="The version that is asked.")
    words = serializers.DictField(
        help_text="Of the draft, else of the version that is asked: language to words."
    )
    days = serializers.IntegerField(help_text="For so many days after the message an answer is taken.")
    has_draft = serializers.BooleanField()


class SurveyBody(Fields):
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=Survey.Kind.values)
    description = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class WordsBody(Fields):
    words = serializers.DictField(
        help_text="Language to question, low, high, comment, thanks, and choices (a list)."
    )
    days = serializers.IntegerField(required=False, min_value=1, max_value=365)


class ResultsQuery(Fields):
    days = serializers.IntegerField(required=False, default=30, min_value=1, max_value=730)
    channel = serializers.ChoiceField(required=False, choices=("email", "sms", "push", "inapp"))


class BarShape(Fields):
    answer = serializers.CharField()
    count = serializers.IntegerField()
    share = serializers.FloatField(help_text="Per cent.")


class WeekShape(Fields):
    first = serializers.DateTimeField()
    count = serializers.IntegerField()
    score = serializers.FloatField(allow_null=True)


class ResultsShape(Fields):
    days = serializers.IntegerField()
    asked = serializers.IntegerField()
    answered = serializers.IntegerField()
    score = serializers.FloatField(
        allow_null=True, help_text="NPS from -100 to 100, or the per cent satisfied (CSAT)."
    )
    mean = serializers.FloatField(allow_null=True)
    bars = BarShape(many=True)
    weeks = WeekShape(many=True)


class AnswerShape(Fields):
    contact = serializers.UUIDField()
    score = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField()
    text = serializers.CharField()
    version = serializers.IntegerField()
    channel = serializers.CharField()
    journey = serializers.CharField()
    step = serializers.CharField()
    answered_at = serializers.DateTimeField()


class Surveys(Endpoint):
    scopes = {"GET": "surveys:read", "POST": "surveys:write"}

    @operation("list_surveys", "Surveys, page by page", answer=SurveyShape, paged=True)
    def get(self, call: Call) -> Any:
        return call.page(
            Survey.objects.prefetch_related("versions"), ("id",), lambda rows: [draw(one) for one in rows]
        )

    @operation("make_survey", "Make a survey", body=SurveyBody, answer=SurveyShape, status=201)
    def post(self, call: Call) -> Any:
        with refused_if_taken("Another survey has this name or slug."):
            survey = Survey.objects.create(**call.body)
        call.audit(survey, "made")
        return draw(survey)


class SurveyDetail(Endpoint):
    scopes = {"GET": "surveys:read", "PUT": "surveys:write"}

    @operation("get_survey", "A survey", answer=SurveyShape)
    def get(self, call: Call, slug: str) -> Any:
        return draw(_survey(slug))

    @operation("put_survey", "Change a survey's draft", body=WordsBody, answer=SurveyShape)
    def put(self, call: Call, slug: str) -> Any:
        """What is asked changes when the draft is published."""
        survey = _survey(slug)
        version = versions.editable(survey)
        said = wording.read(call.body["words"])
        if len(str(call.body["words"])) > 100_000:
            raise bad_request("too_large", "The words are too long.", "words")
        version.words = {language: {**wording.stored(words)} for language, words in said.items()}
        version.days = call.body.get("days", version.days)
        versions.save(version, get_user_model().objects.filter(pk=call.acting_user_id).first())
        call.audit(survey, f"changed the draft of version {version.number}")
        return draw(survey)


class SurveyPublish(Endpoint):
    scopes = {"POST": "surveys:publish"}

    @operation("publish_survey", "Publish a survey's draft", answer=SurveyShape)
    def post(self, call: Call, slug: str) -> Any:
        survey = _survey(slug)
        version = survey.versions.filter(published_at=None).first()
        if version is None:
            raise Refused(409, "no_draft", "There is no draft to publish.")
        if faults := versions.publish(version, call.now):
            first = faults[0]
            field = f"words.{first.language}.{first.field}"
            raise bad_request(first.code, "The draft cannot be published as it is.", field)
        call.audit(survey, f"published version {version.number}")
        return draw(survey)


class SurveyResults(Endpoint):
    scopes = {"GET": "surveys:read"}

    @operation("get_survey_results", "What people answered", query=ResultsQuery, answer=ResultsShape)
    def get(self, call: Call, slug: str) -> Any:
        found = results.of(_survey(slug), call.query["days"], call.now, call.query.get("channel", ""))
        return {
            "days": found.days,
            "asked": found.asked,
            "answered": found.answered,
            "score": found.score,
            "mean": found.mean,
            "bars": [{"answer": bar.label, "count": bar.count, "share": bar.share} for bar in found.bars],
            "weeks": [{"first": one.first, "count": one.count, "score": one.score} for one in found.weeks],
        }


class SurveyAnswers(Endpoint):
    scopes = {"GET": "surveys:read"}

    @operation("list_survey_answers", "Answers, the newest first", answer=AnswerShape, paged=True)
    def get(self, call: Call, slug: str) -> Any:
        rows = SurveyAnswer.objects.filter(survey=_survey(slug)).select_related("contact")
        return call.page(rows, ("-answered_at", "-id"), lambda found: [_drawn(one) for one in found])


def draw(survey: Survey) -> dict[str, Any]:
    known = sorted(survey.versions.all(), key=lambda one: -one.number)
    asked = next((one for one in known if one.published_at), None)
    last = known[0] if known else None
    return {
        "slug": survey.slug,
        "name": survey.name,
        "kind": survey.kind,
        "description": survey.description,
        "version": asked.number if asked else None,
        "words": last.words if last else {},
        "days": last.days if last else 30,
        "has_draft": bool(last and last.published_at is None),
    }


def _drawn(row: SurveyAnswer) -> dict[str, Any]:
    return {
        "contact": row.contact.public_id,
        "score": row.score,
        "answer": row.answer,
        "text": row.text,
        "version": row.number,
        "channel": row.channel,
        "journey": row.journey,
        "step": row.step,
        "answered_at": row.answered_at,
    }


def _survey(slug: str) -> Survey:
    found = Survey.objects.filter(slug=slug).first()
    if found is None:
        raise not_found("survey")
    return found
