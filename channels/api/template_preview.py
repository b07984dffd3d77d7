"""A template as one person would get it, written by the engine that sends."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from channels import drafting, previewing
from channels.models import Template
from channels.rendering_liquid import TemplateError
from contacts.api import callers
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.api.happenings import contact_id
from contacts.models import Contact


class TemplatePreviewBody(Fields):
    contact = serializers.UUIDField(
        required=False, help_text="Needs contacts:read. Nobody: for an example person."
    )


class TemplatePreviewShape(Fields):
    number = serializers.IntegerField(help_text="Of the version: the draft's where there is one.")
    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField(help_text="Of an email; else empty.")
    link = serializers.CharField()


class TemplatePreview(Endpoint):
    scopes = {"POST": "templates:read"}

    @operation(
        "preview_template",
        "As one person would get it",
        body=TemplatePreviewBody,
        answer=TemplatePreviewShape,
    )
    def post(self, call: Call, slug: str, language: str) -> Any:
        """Nothing is sent and nothing counted; links lead where they will, untracked."""
        contact = self._contact(call)
        template = Template.objects.filter(slug=slug).first()
        version = drafting.latest(template, language) if template else None
        if version is None:
            raise not_found("template in this language")
        try:
            letter = previewing.letter(version, contact, call.now)
        except TemplateError as error:
            raise bad_request("not_in_order", str(error)) from None
        return {"number": version.number, "subject": letter.subject, "text": letter.text,
                "html": letter.html, "link": letter.link}  # fmt: skip

    def _contact(self, call: Call) -> Contact | None:
        if "contact" not in call.body:
            return None
        if not callers.holds(call.request, "contacts:read"):
            raise Refused(403, "forbidden", "To see it as a contact needs contacts:read.", "contact")
        return Contact.objects.get(pk=contact_id(call.body["contact"]))
