"""Pages of our own inside the back office."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin


def page(admin: ModelAdmin, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """``template`` with the frame, navigation and messages that every page of ``admin`` has."""
    whole = {**admin.admin_site.each_context(request), "opts": admin.opts, **context}
    return TemplateResponse(request, template, whole)
