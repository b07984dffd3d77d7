"""The plain way to take in an event: a Django view that inserts one row and commits. No checks, no middleware."""

import json
import os
from datetime import UTC, datetime

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.plain_settings"
application = get_wsgi_application()

from contacts.models import InboxItem  # noqa: E402 (needs the application)


def track(request: HttpRequest) -> JsonResponse:
    json.loads(request.body)
    InboxItem.objects.create(lane=0, source_id=1, received_at=datetime.now(UTC), payload=request.body)
    response = JsonResponse({"success": True})
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path("v1/track", track)]
