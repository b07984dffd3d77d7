"""The schema, and the page that shows it and lets one try it."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.views import SpectacularAPIView

from contacts.api import callers
from contacts.api.errors import answer


class Schema(SpectacularAPIView):
    """OpenAPI 3 of everything below /api/v1/, as YAML or, with ?format=json, as JSON."""

    authentication_classes = [callers.KeyAuthentication, callers.StaffSession]
    permission_classes = [callers.HasScope]
    throttle_classes = [callers.Rate]
    scopes = {"GET": callers.ANY_CALLER}

    def get_exception_handler(self) -> Any:
        return answer


@staff_member_required
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "contacts/api_docs.html")
