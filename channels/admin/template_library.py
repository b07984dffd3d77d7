"""The library: ready blocks and mails, each drawn by the sending engine, to look at and to begin with."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from channels import blocks, drafting, previewing, ready_blocks, starter
from channels.framing import framed
from channels.models import ContentBlock, Template, TemplateVersion
from channels.models.provider import Channel
from channels.visual import editor, looks
from contacts import clock

_PAGE = "admin:channels_template_library"


def library(request: HttpRequest, admin: ModelAdmin) -> HttpResponseBase:
    """GET: all there is. POST: make a template of a ready mail, or a content block of a ready block."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return _make(request, admin)
    language = _language(request)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Ready blocks and mails"),
        "mails": starter.emails(),
        "blocks": ready_blocks.in_language(language, get_language() or "en"),
        "language": language,
        "languages": [("en", _("English")), ("fr", _("French"))],
        "target": _target(request),
        "may_add": admin.has_add_permission(request),
        "may_add_blocks": request.user.has_perm("channels.add_contentblock"),
        "kept": set(ContentBlock.objects.values_list("slug", flat=True)),
    }
    return TemplateResponse(request, "channels/template_library.html", context)


def look(request: HttpRequest, admin: ModelAdmin) -> HttpResponseBase:
    """One ready block or mail, for a frame."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    language, now = _language(request), clock.now()
    version = TemplateVersion(template=Template(channel=Channel.EMAIL), language=language)
    if mail := starter.words(request.GET.get("mail", ""), language):
        (page,) = previewing.pages([mail["body"]], version, now)
    elif block := _block(request.GET.get("block", ""), language):
        page = looks.page(block.body, version, now)
    else:
        raise Http404
    return framed(page, "text/html")


def _make(request: HttpRequest, admin: ModelAdmin) -> HttpResponseBase:
    if slug := request.POST.get("mail"):
        return _make_template(request, admin, slug)
    if not request.user.has_perm("channels.add_contentblock"):
        raise PermissionDenied
    found = {one: _block(request.POST.get("block", ""), one) for one in ready_blocks.LANGUAGES}
    bodies = {language: block.body for language, block in found.items() if block}
    if (english := found["en"]) is None:
        raise Http404
    made = blocks.begin(english.slug, english.name, bodies, request.user)  # type: ignore[arg-type]
    admin.log_addition(request, made, "content block from the library")
    messages.success(request, _("A content block with a draft in two languages. Publish it to use it."))
    return HttpResponseRedirect(reverse("admin:channels_contentblock_change", args=[made.pk]))


def _make_template(request: HttpRequest, admin: ModelAdmin, slug: str) -> HttpResponseBase:
    if not admin.has_add_permission(request):
        raise PermissionDenied
    each = next((one for one in starter.emails() if one["slug"] == slug), None)
    if each is None:
        raise Http404
    words = {language: each[language] for language in ready_blocks.LANGUAGES}
    made = drafting.begin(each["slug"], each["name"], each["description"], words, request.user)  # type: ignore[arg-type]
    admin.log_addition(request, made, "template from the library")
    messages.success(request, _("A new template with a draft in English and French. Nothing is sent yet."))
    name = "design" if editor.is_there() else "change"
    return HttpResponseRedirect(reverse(f"admin:channels_template_{name}", args=[made.pk]))


def _block(slug: str, language: str) -> ready_blocks.ReadyBlock | None:
    found = ready_blocks.in_language(language, get_language() or "en")
    return next((one for one in found if one.slug == slug), None)


def _target(request: HttpRequest) -> Template | None:
    """The template that the library was opened for."""
    asked = request.GET.get("for", "")
    return Template.objects.filter(pk=asked, channel=Channel.EMAIL).first() if asked.isdigit() else None


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("language", "")
    return asked if asked in ready_blocks.LANGUAGES else "en"
