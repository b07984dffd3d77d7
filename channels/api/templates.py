"""Templates and content blocks by program: drafts, what is wrong with them, and publishing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from rest_framework import serializers

from channels import blocks, charter, drafting, rendering_lint
from channels.models import BlockVersion, ContentBlock, Template, TemplateVersion
from channels.models.provider import Channel
from channels.rendering_liquid import TemplateError
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.api.taken import refused_if_taken

_CHANNELS = [one.value for one in Channel if one is not Channel.AUDIENCE]
_LONGEST = 400_000
#: Of a language, such as en or pt-br.
_LONGEST_LANGUAGE = 16


class TemplateShape(Fields):
    slug = serializers.CharField()
    name = serializers.CharField()
    channel = serializers.ChoiceField(choices=_CHANNELS)
    description = serializers.CharField()
    published = serializers.DictField(help_text="Language to the number of the version that is sent.")
    drafts = serializers.ListField(child=serializers.CharField(), help_text="Languages with a draft.")


class TemplateBody(Fields):
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    channel = serializers.ChoiceField(choices=_CHANNELS)
    description = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class TemplateWordsBody(Fields):
    subject = serializers.CharField(required=False, allow_blank=True, max_length=2_000)
    body = serializers.CharField(required=False, allow_blank=True, max_length=_LONGEST)
    text = serializers.CharField(required=False, allow_blank=True, max_length=_LONGEST)
    link = serializers.CharField(required=False, allow_blank=True, max_length=2_000)
    icon = serializers.CharField(required=False, allow_blank=True, max_length=2_000, help_text="Of a push.")
    image = serializers.CharField(required=False, allow_blank=True, max_length=2_000)
    button = serializers.CharField(required=False, allow_blank=True, max_length=500)
    button_link = serializers.CharField(
        required=False, allow_blank=True, max_length=2_000, help_text="Empty: where the message leads."
    )
    second_button = serializers.CharField(required=False, allow_blank=True, max_length=500)
    second_link = serializers.CharField(required=False, allow_blank=True, max_length=2_000)


#: What a version says, as the API names it.
_SAID = ("subject", "body", "text", "link", "icon", "image", "button", "button_link", "second_button",
         "second_link")  # fmt: skip


class FindingShape(Fields):
    part = serializers.CharField()
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    is_error = serializers.BooleanField()


class TemplateWordsShape(Fields):
    language = serializers.CharField()
    number = serializers.IntegerField()
    published = serializers.BooleanField()
    subject = serializers.CharField()
    body = serializers.CharField()
    text = serializers.CharField()
    link = serializers.CharField()
    icon = serializers.CharField()
    image = serializers.CharField()
    button = serializers.CharField()
    button_link = serializers.CharField()
    second_button = serializers.CharField()
    second_link = serializers.CharField()
    findings = FindingShape(many=True)


class BlockShape(Fields):
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    published = serializers.DictField(help_text="Language to the number of the newest published version.")


class BlockBody(Fields):
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class BlockWordsBody(Fields):
    body = serializers.CharField(max_length=_LONGEST)


class Templates(Endpoint):
    scopes = {"GET": "templates:read", "POST": "templates:write"}

    @operation("list_templates", "Templates, page by page", answer=TemplateShape, paged=True)
    def get(self, call: Call) -> Any:
        rows = Template.objects.prefetch_related("versions")
        return call.page(rows, ("id",), lambda found: [_drawn(one) for one in found])

    @operation("make_template", "Make a template", body=TemplateBody, answer=TemplateShape, status=201)
    def post(self, call: Call) -> Any:
        template = _made(Template, call)
        return _drawn(template)


class TemplateWords(Endpoint):
    scopes = {"GET": "templates:read", "PUT": "templates:write", "POST": "templates:publish"}

    @operation("get_template_words", "The newest words in a language", answer=TemplateWordsShape)
    def get(self, call: Call, slug: str, language: str) -> Any:
        """A draft where there is one, with what is wrong with it."""
        version = drafting.latest(_template(slug), language)
        if version is None:
            raise not_found("language")
        return _words(version, call.now)

    @operation(
        "put_template_words",
        "Change the draft of a language",
        body=TemplateWordsBody,
        answer=TemplateWordsShape,
    )
    def put(self, call: Call, slug: str, language: str) -> Any:
        """What is not named stays as it is. Nothing of it is sent before it is published."""
        template = _template(slug)
        version = drafting.editable(template, _language(language))
        for name, value in call.body.items():
            setattr(version, name, value)
        drafting.save(version, _person(call))
        call.audit(template, f"changed the draft in {language}")
        return _words(version, call.now)

    @operation("publish_template", "Publish the draft of a language", answer=TemplateWordsShape)
    def post(self, call: Call, slug: str, language: str) -> Any:
        template = _template(slug)
        version = template.versions.filter(language=language, published_at=None).first()
        if version is None:
            raise Refused(409, "no_draft", "There is no draft to publish.")
        faults = [
            one for one in rendering_lint.lint_version(version, charter.current(call.now)) if one.is_error
        ]
        if faults:
            raise bad_request("not_in_order", f"{faults[0].part}: {faults[0].message}", faults[0].part)
        try:
            drafting.publish(version, call.now)
        except TemplateError as error:
            raise bad_request("not_in_order", str(error), "body") from None
        call.audit(template, f"published version {version.number} in {language}")
        return _words(version, call.now)


class Blocks(Endpoint):
    scopes = {"GET": "templates:read", "POST": "templates:write"}

    @operation("list_content_blocks", "Content blocks, page by page", answer=BlockShape, paged=True)
    def get(self, call: Call) -> Any:
        rows = ContentBlock.objects.prefetch_related("versions")
        return call.page(rows, ("id",), lambda found: [_block_drawn(one) for one in found])

    @operation("make_content_block", "Make a content block", body=BlockBody, answer=BlockShape, status=201)
    def post(self, call: Call) -> Any:
        return _block_drawn(_made(ContentBlock, call))


class BlockWords(Endpoint):
    scopes = {"PUT": "templates:write", "POST": "templates:publish"}

    @operation(
        "put_content_block", "Change a block's draft in a language", body=BlockWordsBody, answer=BlockShape
    )
    def put(self, call: Call, slug: str, language: str) -> Any:
        block = _block(slug)
        version = blocks.editable(block, _language(language))
        version.body = call.body["body"]
        try:
            blocks.save(version, _person(call))
        except TemplateError as error:
            raise bad_request("not_in_order", str(error), "body") from None
        call.audit(block, f"changed the draft in {language}")
        return _block_drawn(block)

    @operation("publish_content_block", "Publish a block's draft in a language", answer=BlockShape)
    def post(self, call: Call, slug: str, language: str) -> Any:
        """Templates take it in when they are published next."""
        block = _block(slug)
        version = block.versions.filter(language=language, published_at=None).first()
        if version is None:
            raise Refused(409, "no_draft", "There is no draft to publish.")
        blocks.publish(version, call.now)
        call.audit(block, f"published version {version.number} in {language}")
        return _block_drawn(block)


def _language(code: str) -> str:
    if len(code) > _LONGEST_LANGUAGE:
        raise bad_request("invalid", f"A language has at most {_LONGEST_LANGUAGE} signs.", "language")
    return code


def _made(model: Any, call: Call) -> Any:
    with refused_if_taken("Another one has this name or slug."):
        made = model.objects.create(**call.body)
    call.audit(made, "made")
    return made


def _person(call: Call) -> AbstractBaseUser | None:
    return get_user_model().objects.filter(pk=call.acting_user_id).first()


def _template(slug: str) -> Template:
    found = Template.objects.filter(slug=slug).first()
    if found is None:
        raise not_found("template")
    return found


def _block(slug: str) -> ContentBlock:
    found = ContentBlock.objects.filter(slug=slug).first()
    if found is None:
        raise not_found("content block")
    return found


def _drawn(template: Template) -> dict[str, Any]:
    versions = list(template.versions.all())
    return {
        "slug": template.slug,
        "name": template.name,
        "channel": template.channel,
        "description": template.description,
        "published": _newest(versions),
        "drafts": sorted(version.language for version in versions if version.published_at is None),
    }


def _block_drawn(block: ContentBlock) -> dict[str, Any]:
    return {
        "slug": block.slug,
        "name": block.name,
        "description": block.description,
        "published": _newest(list(block.versions.all())),
    }


def _newest(versions: list[TemplateVersion] | list[BlockVersion]) -> dict[str, int]:
    found: dict[str, int] = {}
    for version in versions:
        if version.published_at:
            found[version.language] = max(version.number, found.get(version.language, 0))
    return found


def _words(version: TemplateVersion, now: datetime) -> dict[str, Any]:
    return {
        "language": version.language,
        "number": version.number,
        "published": version.published_at is not None,
        **{name: getattr(version, name) for name in _SAID},
        "findings": [
            {"part": one.part, "message": one.message, "line": one.line, "is_error": one.is_error}
            for one in rendering_lint.lint_version(version, charter.current(now))
        ],
    }
