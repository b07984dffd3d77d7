"""Tests of content by program: variants, starting and ending, and what became of each."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from channels import content_tests
from channels.models import ContentTest, Template
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.api.taken import refused_if_taken

_PROBLEMS = {
    "number": "A test has two to ten variants, each with a share.",
    "names": "Each variant has a name of its own, of at most 40 characters.",
    "template": "Each variant is a published template of the same channel.",
    "running": "Another test of this template is running.",
}


class VariantShape(Fields):
    name = serializers.CharField(max_length=40)
    template = serializers.SlugField(max_length=60, help_text="A published template of the same channel.")
    share = serializers.FloatField(min_value=0.001, max_value=1000, help_text="Of the sum of all shares.")


class ContentTestShape(Fields):
    slug = serializers.CharField()
    name = serializers.CharField()
    template = serializers.CharField(help_text="In its place the variants are sent.")
    state = serializers.ChoiceField(choices=["draft", "running", "ended"])
    variants = VariantShape(many=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class ContentTestChange(Fields):
    name = serializers.CharField(required=False, max_length=120)
    template = serializers.SlugField(required=False, max_length=60)
    variants = serializers.ListField(
        child=VariantShape(), required=False, min_length=1, max_length=content_tests.MOST_VARIANTS
    )


class ContentTestBody(ContentTestChange):
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    template = serializers.SlugField(max_length=60)


class VariantResult(Fields):
    name = serializers.CharField()
    sent = serializers.IntegerField(help_text="Taken by a provider since the test was started.")
    opened = serializers.IntegerField(help_text="By people, where they may be measured.")
    clicked = serializers.IntegerField()
    rate = serializers.FloatField(help_text="Clicks to a hundred messages.")


class ContentTestResults(Fields):
    state = serializers.ChoiceField(choices=["draft", "running", "ended"])
    variants = VariantResult(many=True)


class ContentTests(Endpoint):
    scopes = {"GET": "templates:read", "POST": "templates:write"}

    @operation("list_content_tests", "Tests of content, page by page", answer=ContentTestShape, paged=True)
    def get(self, call: Call) -> Any:
        rows = ContentTest.objects.select_related("template")
        return call.page(rows, ("id",), lambda found: [_drawn(one) for one in found])

    @operation("make_content_test", "Make a test", body=ContentTestBody, answer=ContentTestShape, status=201)
    def post(self, call: Call) -> Any:
        """It changes nothing before it is started."""
        test = ContentTest(slug=call.body["slug"])
        _change(test, call)
        call.audit(test, "made")
        return _drawn(test)


class ContentTestDetail(Endpoint):
    scopes = {"GET": "templates:read", "PATCH": "templates:write"}

    @operation("get_content_test", "One test", answer=ContentTestShape)
    def get(self, call: Call, slug: str) -> Any:
        return _drawn(_test(slug))

    @operation("change_content_test", "Change a test", body=ContentTestChange, answer=ContentTestShape)
    def patch(self, call: Call, slug: str) -> Any:
        """Before it is started: who got what must stay true. What is not named stays as it is."""
        test = _test(slug)
        if test.started_at:
            raise Refused(409, "started", "A test that was started does not change.")
        _change(test, call)
        call.audit(test, f"changed {', '.join(sorted(call.body))}")
        return _drawn(test)


class ContentTestStart(Endpoint):
    scopes = {"POST": "templates:publish"}

    @operation("start_content_test", "Start a test", answer=ContentTestShape)
    def post(self, call: Call, slug: str) -> Any:
        """Whoever would get the template from now on gets one of the variants, always the same one."""
        test = _test(slug)
        if test.started_at:
            raise Refused(409, "started", "It was started before.")
        if problems := content_tests.start(test, call.now):
            status = 409 if problems == ["running"] else 400
            raise Refused(status, problems[0], _PROBLEMS[problems[0]], "variants")
        call.audit(test, "started")
        return _drawn(test)


class ContentTestEnd(Endpoint):
    scopes = {"POST": "templates:publish"}

    @operation("end_content_test", "End a test", answer=ContentTestShape)
    def post(self, call: Call, slug: str) -> Any:
        """Whoever is written to from now on gets the template itself."""
        test = _test(slug)
        if test.state != "running":
            raise Refused(409, "not_running", "This test does not run.")
        content_tests.end(test, call.now)
        call.audit(test, "ended")
        return _drawn(test)


class ContentTestFigures(Endpoint):
    scopes = {"GET": "templates:read"}

    @operation("get_content_test_results", "What became of each variant", answer=ContentTestResults)
    def get(self, call: Call, slug: str) -> Any:
        test = _test(slug)
        found = content_tests.figures(test) if test.started_at else []
        return {
            "state": test.state,
            "variants": [
                {"name": one.name, "sent": one.sent, "opened": one.opened, "clicked": one.clicked,
                 "rate": round(one.rate, 2)}
                for one in found
            ],
        }  # fmt: skip


def _change(test: ContentTest, call: Call) -> None:
    given = dict(call.body)
    if "template" in given:
        template = Template.objects.filter(slug=given.pop("template")).first()
        if template is None:
            raise bad_request("unknown", "There is no such template.", "template")
        test.template = template
    for name, value in given.items():
        setattr(test, name, [dict(one) for one in value] if name == "variants" else value)
    with refused_if_taken("There is a test of this slug or name."):
        test.save()


def _test(slug: str) -> ContentTest:
    found = ContentTest.objects.select_related("template").filter(slug=slug).first()
    if found is None:
        raise not_found("content test")
    return found


def _drawn(test: ContentTest) -> dict[str, Any]:
    return {
        "slug": test.slug,
        "name": test.name,
        "template": test.template.slug,
        "state": test.state,
        "variants": [
            {"name": one.name, "template": one.template, "share": one.share}
            for one in content_tests.read(test.variants)
        ],
        "started_at": test.started_at,
        "ended_at": test.ended_at,
    }
