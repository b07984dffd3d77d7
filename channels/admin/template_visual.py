"""The page on which an email is designed visually. It edits the very draft that the code view edits."""

from __future__ import annotations

import json
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from channels import blocks, drafting, ready_blocks, starter
from channels.admin import template_beside, template_visual_words
from channels.models import Template, TemplateVersion
from channels.rendering_liquid import TemplateError
from channels.rendering_markup import unix_lines
from channels.visual import editor, head, looks, pieces, writing
from channels.visual.pieces import Document, Piece
from contacts import clock

#: The canvas shows the mail's own pictures; all else on the page stays as strict as elsewhere.
showing_pictures = csp_update({"img-src": [SELF, "data:", "https:", "http:"]})


def design(request: HttpRequest, admin: ModelAdmin, template: Template) -> HttpResponseBase:
    """GET: the editor. POST: keep what was designed, and do what was asked; answers in JSON."""
    language = template_beside.language_of(request)
    version = drafting.editable(template, language)
    if not admin.has_change_permission(request, template):
        raise PermissionDenied
    if request.method == "POST":
        return _keep(request, admin, version)
    begin = starter.words(request.GET.get("begin", ""), language)
    if begin is not None:
        version.subject, version.body = begin["subject"], begin["body"]
    code = f"{reverse('admin:channels_template_change', args=[template.pk])}?language={language}"
    try:
        context = _page(version, begun=begin is not None)
    except TemplateError as error:
        messages.error(request, _("It cannot be designed visually: %s") % error)
        return HttpResponseRedirect(code)
    if not editor.is_there():
        messages.warning(
            request,
            _("The visual editor’s files were not fetched at set-up. “make editor” fetches them; until then"
              " there is the code."),
        )  # fmt: skip
        return HttpResponseRedirect(code)
    present = set(template.versions.values_list("language", flat=True))
    context |= {
        **admin.admin_site.each_context(request),
        **template_beside.beside(request, template, drafting.editable(template, language)),
        "opts": admin.opts,
        "title": template.name,
        "subject": version.subject,
        "languages": template_beside.tabs(present, language),
        "may_publish": request.user.has_perm("channels.publish_template"),
        "ready": [] if version.body.strip() else starter.emails(),
        "begun": begin is not None,
        "code": code,
    }
    return TemplateResponse(request, "channels/template_visual.html", context)


def _page(version: TemplateVersion, *, begun: bool) -> dict[str, Any]:
    """The document, the palette and the texts for the browser. Raises TemplateError."""
    document = pieces.open_up(version.body if version.body.strip() else editor.BLANK)
    now = clock.now()
    looks.add(document, version, now)
    return {
        "preview_text": head.preview_text(document.before),
        "data": {
            "before": document.before,
            "after": document.after,
            "body": _told(document.body),
            "picture": static("channels/library/picture.png"),
            "begun": begun,
            "palette": _palette(document, version),
            "revision": editor.revision(drafting.editable(version.template, version.language)),
            "texts": template_visual_words.texts(),
            "fields": template_visual_words.fields(),
            "placeholders": template_visual_words.placeholders(),
        },
    }


def _palette(document: Document, version: TemplateVersion) -> list[dict[str, Any]]:
    """Ready blocks, then the content blocks of this installation."""
    found = [
        (one.slug, one.name, one.group, one.icon, one.inside, pieces.open_fragment(one.body))
        for one in ready_blocks.in_language(version.language, get_language() or "en")
    ]
    found += [
        (f"content-{slug}", name, _("Content blocks"), "widgets", "mj-body",
         pieces.open_fragment(f'{{% block "{slug}" %}}'))
        for slug, name in blocks.known()
    ]  # fmt: skip
    for inside in ("mj-body", "mj-column"):
        here = [piece for *_rest, place, given in found if place == inside for piece in given]
        looks.of_pieces(here, inside, document, version, clock.now())
    return [
        {"slug": slug, "name": str(name), "group": str(group), "icon": icon, "inside": inside,
         "pieces": [_told(piece) for piece in given]}
        for slug, name, group, icon, inside, given in found
    ]  # fmt: skip


def _told(piece: Piece) -> dict[str, Any]:
    told = pieces.to_json(piece)
    if piece.tag == pieces.KEPT:
        told["label"] = looks.label(piece.source)
    told["children"] = [_told(child) for child in piece.children]
    return told


def _keep(request: HttpRequest, admin: ModelAdmin, version: TemplateVersion) -> HttpResponseBase:
    if request.POST.get("revision") != editor.revision(version) and "over" not in request.POST:
        words = _("Somebody else changed the draft meanwhile. Nothing was saved.")
        return JsonResponse({"error": words, "conflict": True}, status=409)
    try:
        document = _document(request.POST.get("document", ""))
        before = head.with_preview_text(document.before, request.POST.get("preview_text", ""))
        body = writing.close_up(Document(before, document.body, document.after))
    except TemplateError as error:
        return JsonResponse({"error": str(error)}, status=400)
    subject = unix_lines(request.POST.get("subject", "")).replace("\n", " ").strip()
    version.subject, version.body = subject, body
    go = template_beside.save(admin, request, version)
    shown = template_beside.beside(request, version.template, version)
    notes = [[message.level_tag, str(message)] for message in messages.get_messages(request)]
    return JsonResponse(
        {
            "revision": editor.revision(version),
            "before": before,
            "beside": render_to_string("channels/template_beside.html", shown, request),
            "notes": notes,
            "go": go,
        }
    )


def _document(text: str) -> Document:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise TemplateError(_("the design did not arrive whole")) from None
    if not isinstance(data, dict) or not all(isinstance(data.get(name), str) for name in ("before", "after")):
        raise TemplateError(_("the design did not arrive whole"))
    return Document(data["before"], pieces.from_json(data.get("body")), data["after"])


def piece(request: HttpRequest, admin: ModelAdmin, template: Template) -> HttpResponseBase:
    """Some MJML as pieces with their looks, for code that was changed within the editor."""
    if request.method != "POST" or not admin.has_change_permission(request, template):
        raise PermissionDenied
    version = drafting.editable(template, template_beside.language_of(request))
    try:
        document = _document(request.POST.get("document", ""))
        found = pieces.open_fragment(request.POST.get("code", ""))
    except TemplateError as error:
        return JsonResponse({"error": str(error)}, status=400)
    looks.of_pieces(found, request.POST.get("inside", ""), document, version, clock.now())
    return JsonResponse({"pieces": [_told(one) for one in found]})
