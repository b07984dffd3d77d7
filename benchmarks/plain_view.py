"""The plain way to take in an event: a Django view that inserts one row and commits, and checks nothing."""

import json
from datetime import UTC, datetime

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from contacts.models import InboxItem


def track(request: HttpRequest) -> JsonResponse:
    json.loads(request.body)
    InboxItem.objects.create(lane=0, source_id=1, received_at=datetime.now(UTC), payload=request.body)
    response = JsonResponse({"success": True})
    response["Content-Length"] = str(len(response.content))
    return response


def ready(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


urlpatterns = [path("v1/track", track), path("healthz", ready)]
application = get_wsgi_application()
