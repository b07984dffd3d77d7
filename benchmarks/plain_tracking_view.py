"""The plain way to follow a link: a Django view that inserts one row, commits and redirects. No signature."""

from datetime import UTC, datetime

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from channels.models import Hit, TrackedLink

_GIF = bytes.fromhex("47494638396101000100800000000000000000002c00000000010001000002024401003b")


def follow(request: HttpRequest, message: int, link: int) -> HttpResponse:
    address = TrackedLink.objects.values_list("url", flat=True).get(id=link)
    _keep(request, "click", message, link)
    return HttpResponse(status=302, headers={"Location": address, "Content-Length": "0"})


def pixel(request: HttpRequest, message: int) -> HttpResponse:
    _keep(request, "open", message, None)
    return HttpResponse(_GIF, content_type="image/gif", headers={"Content-Length": str(len(_GIF))})


def _keep(request: HttpRequest, kind: str, message: int, link: int | None) -> None:
    now = datetime.now(UTC)
    data = {"agent": request.headers.get("User-Agent", ""), "method": request.method}
    Hit.objects.create(
        received_at=now, kind=kind, message_id=message, message_created_at=now, link_id=link, data=data
    )


def ready(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


urlpatterns = [
    path("c/<int:message>/<int:link>", follow),
    path("o/<int:message>", pixel),
    path("healthz", ready),
]
application = get_wsgi_application()
