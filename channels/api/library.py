"""Ready blocks and mails by program: what the library's page shows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from channels import ready_blocks, starter
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields


class ReadyQuery(Fields):
    language = serializers.ChoiceField(choices=ready_blocks.LANGUAGES, required=False, default="en")


class ReadyBlockShape(Fields):
    slug = serializers.CharField()
    name = serializers.CharField()
    inside = serializers.CharField(help_text="The tag that it stands in: mj-body or mj-column.")
    body = serializers.CharField(help_text="MJML with Liquid.")


class ReadyMailShape(Fields):
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    subject = serializers.CharField()
    body = serializers.CharField(help_text="MJML with Liquid.")


class LibraryShape(Fields):
    blocks = ReadyBlockShape(many=True)
    mails = ReadyMailShape(many=True)


class Library(Endpoint):
    scopes = {"GET": "templates:read"}

    @operation("get_template_library", "Ready blocks and mails", query=ReadyQuery, answer=LibraryShape)
    def get(self, call: Call) -> Any:
        """Words to begin with; put what you take into a template or a content block of yours."""
        language = call.query["language"]
        return {
            "blocks": [
                {"slug": one.slug, "name": one.name, "inside": one.inside, "body": one.body}
                for one in ready_blocks.in_language(language, language)
            ],
            "mails": [
                {
                    "slug": one["slug"],
                    "name": one["name"],
                    "description": one["description"],
                    "subject": one[language]["subject"],
                    "body": one[language]["body"],
                }
                for one in starter.emails()
            ],
        }
