"""Templates: written, checked, previewed as a contact, published."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from channels import drafting, previewing, push_preview, ready_blocks, starter, template_words
from channels.admin import template_beside, template_library, template_visual
from channels.admin.template_form import WordsForm
from channels.framing import darkened, framed
from channels.models import Template, TemplateVersion
from channels.rendering_liquid import TemplateError
from channels.visual import editor
from contacts import clock


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    list_display = ["title", "channel_shown", "languages", "draft"]
    list_filter = ["channel"]
    search_fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "channel", "description", "tags"]
    list_per_page = 50
    compressed_fields = True
    actions_list = ["ready"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("versions")

    @display(description=_("template"), header=True, ordering="name")
    def title(self, template: Template) -> tuple[str, str]:
        return template.name, template.description or template.slug

    @display(description=_("channel"), ordering="channel", label=True)
    def channel_shown(self, template: Template) -> str:
        return template.get_channel_display()

    @admin.display(description=_("published in"))
    def languages(self, template: Template) -> str:
        found = {version.language for version in template.versions.all() if version.published_at}
        return ", ".join(sorted(found)) or "–"

    @display(description=_("draft"), label={"draft": "warning"})
    def draft(self, template: Template) -> tuple[str, Any]:
        waiting = any(version.published_at is None for version in template.versions.all())
        return ("draft", _("Not published yet")) if waiting else ("none", "–")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/preview/<int:version_id>/", view(self.preview), name="channels_template_preview"),
            path("<int:pk>/publish/<int:version_id>/", view(self.publish), name="channels_template_publish"),
            path(
                "<int:pk>/design/",
                template_visual.showing_pictures(view(self.design)),
                name="channels_template_design",
            ),
            path("<int:pk>/design/piece/", view(self.piece), name="channels_template_piece"),
            path("library/", view(self.library), name="channels_template_library"),
            path("library/look/", view(self.library_look), name="channels_template_library_look"),
            path("names/", view(self.names), name="channels_template_names"),
            *super().get_urls(),
        ]

    def response_add(self, request: HttpRequest, obj: Template, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(reverse("admin:channels_template_change", args=[obj.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        template = self._template(request, object_id)
        language = template_beside.language_of(request)
        version = drafting.editable(template, language)
        may_change = self.has_change_permission(request, template)
        begin = starter.words(request.GET.get("begin", ""), language) if template.channel == "email" else None
        form = WordsForm(request.POST or None, instance=version, channel=template.channel, initial=begin)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            if form.is_valid():
                here = f"{reverse('admin:channels_template_change', args=[template.pk])}?language={language}"
                go = template_beside.save(self, request, form.save(commit=False))
                return HttpResponseRedirect(go or here)
        context = {
            **self.admin_site.each_context(request),
            **template_beside.beside(request, template, version),
            "opts": self.opts,
            "title": template.name,
            "form": form,
            "begun": begin is not None,
            "may_design": may_change and editor.fits(version),
            "ready_blocks": ready_blocks.in_language(language, get_language() or "en")
            if template.channel == "email"
            else [],
            "languages": template_beside.tabs(
                set(template.versions.values_list("language", flat=True)), language
            ),
            "history": template.versions.filter(language=language)[:20],
            "may_change": may_change,
            "may_publish": self._may_publish(request),
        }
        return TemplateResponse(request, "channels/template.html", context)

    def design(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Design an email visually."""
        return template_visual.design(request, self, self._template(request, str(pk)))

    def piece(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """A piece of code as the visual editor shows it."""
        return template_visual.piece(request, self, self._template(request, str(pk)))

    @action(description=_("Ready blocks and mails"), url_path="ready")
    def ready(self, request: HttpRequest) -> HttpResponseRedirect:
        """From the list to the library."""
        return HttpResponseRedirect(reverse("admin:channels_template_library"))

    def library(self, request: HttpRequest) -> HttpResponseBase:
        """Ready blocks and mails."""
        return template_library.library(request, self)

    def library_look(self, request: HttpRequest) -> HttpResponseBase:
        """One of them, drawn."""
        return template_library.look(request, self)

    def names(self, request: HttpRequest) -> HttpResponseBase:
        """What templates may use here: the marketer's reference."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What a template may use"),
            "sections": template_words.sections(),
            "filters": template_words.FILTERS,
            "tags": template_words.TAGS,
            "all_filters": template_words.filters(),
        }
        return TemplateResponse(request, "channels/template_names.html", context)

    def publish(self, request: HttpRequest, pk: int, version_id: int) -> HttpResponseBase:
        """Ask, then make the draft the version that goes out."""
        template = self._template(request, str(pk))
        version = self._version(template, version_id)
        if not self._may_publish(request):
            raise PermissionDenied
        errors = [finding for finding in template_beside.findings(version) if finding.is_error]
        here = f"{reverse('admin:channels_template_change', args=[pk])}?language={version.language}"
        if request.method == "POST" and not errors:
            try:
                drafting.publish(version, clock.now())
            except TemplateError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("Published: it is sent from now on."))
            return HttpResponseRedirect(here)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Publish %s?") % version,
            "words": _(
                "Every message that leaves from now on uses these words, also those of running journeys."
                " A published version cannot be changed; a new one can follow it."
            ),
            "faults": [template_beside.told(finding) for finding in errors],
            "refused": _("It cannot be published before this is put right:"),
            "button": _("Publish"),
            "back": here,
            "back_words": _("Back to the draft"),
        }
        return TemplateResponse(request, "channels/ask.html", context)

    def preview(self, request: HttpRequest, pk: int, version_id: int) -> HttpResponseBase:
        """One part of the message, for a frame: it may do nothing and knows nothing of this site."""
        version = self._version(self._template(request, str(pk)), version_id)
        contact = previewing.find(request.GET.get("contact", ""))
        try:
            letter = previewing.letter(version, contact, clock.now())
            page = letter.html if request.GET.get("part") == "html" and letter.html else letter.text
            kind = "text/html" if page == letter.html and letter.html else "text/plain"
            if request.GET.get("part") == "subject":
                page, kind = letter.subject, "text/plain"
            elif request.GET.get("part") == "push":
                page, kind = push_preview.page(letter), "text/html"
        except TemplateError as error:
            page, kind = str(error), "text/plain"
        return framed(darkened(page) if "dark" in request.GET and kind == "text/html" else page, kind)

    def _template(self, request: HttpRequest, object_id: str) -> Template:
        template = Template.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        if template is None:
            raise Http404
        if not self.has_view_permission(request, template):
            raise PermissionDenied
        return template

    def _version(self, template: Template, version_id: int) -> TemplateVersion:
        version = template.versions.filter(pk=version_id).first()
        if version is None:
            raise Http404
        return version

    def _may_publish(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.publish_template"))
