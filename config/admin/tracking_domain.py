"""The page “Tracking domain”: with which address links begin, and whether it is in order."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from channels import tracking_domain
from contacts import clock


def page(request: HttpRequest) -> HttpResponse:
    """GET shows what is set; POST asks the world, which takes some seconds and changes nothing."""
    if not request.user.has_perm("channels.view_provideraccount"):
        raise PermissionDenied
    report = tracking_domain.look(clock.now()) if request.method == "POST" else None
    address = urlsplit(settings.SEGUE_TRACKING_URL)
    context = {
        **admin.site.each_context(request),
        "title": _("Tracking domain"),
        "address": settings.SEGUE_TRACKING_URL,
        "host": address.hostname,
        "own": settings.SEGUE_TRACKING_URL != settings.SEGUE_BASE_URL,
        "base_host": urlsplit(settings.SEGUE_BASE_URL).hostname,
        "days": settings.SEGUE_LINK_DAYS,
        "report": report,
    }
    return TemplateResponse(request, "config/tracking_domain.html", context).render()
