"""Templates: written, checked, previewed as a contact, published."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels import (
    charter,
    drafting,
    link_checking,
    previewing,
    rendering_lint,
    template_words,
    trying,
)
from channels.addresses import AddressError
from channels.admin.template_form import WordsForm
from channels.framing import darkened, framed
from channels.link_checking import Checked
from channels.models import DataFeed, Template, TemplateVersion
from channels.providers.base import NotReadyError
from channels.rendering_lint import Known
from channels.rendering_liquid import TemplateError
from channels.trying import NotTriedError
from contacts import clock
from contacts.models import Contact

_LANGUAGES = [("en", _("English")), ("fr", _("French")), ("de", _("German")), ("es", _("Spanish")),
              ("it", _("Italian")), ("nl", _("Dutch")), ("pt", _("Portuguese"))]  # fmt: skip


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    list_display = ["title", "channel_shown", "languages", "draft"]
    list_filter = ["channel"]
    search_fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "channel", "description", "tags"]
    list_per_page = 50
    compressed_fields = True

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
            path("names/", view(self.names), name="channels_template_names"),
            *super().get_urls(),
        ]

    def response_add(self, request: HttpRequest, obj: Template, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(reverse("admin:channels_template_change", args=[obj.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        template = self._template(request, object_id)
        language = request.GET.get("language", "")
        if language not in dict(_LANGUAGES):
            language = "en"
        version = drafting.editable(template, language)
        may_change = self.has_change_permission(request, template)
        form = WordsForm(request.POST or None, instance=version, channel=template.channel)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            if form.is_valid():
                return self._save(request, form.save(commit=False))
        contact_words = request.GET.get("contact", "")
        shown = version if version.pk else drafting.latest(template, language)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": template.name,
            "template": template,
            "form": form,
            "version": version,
            "shown": shown,
            "findings": _findings(version) if version.body else [],
            "links": self._links(request, shown),
            "look": _look(request),
            "samples": Contact.objects.filter(known=True).order_by("-id")[:3],
            "may_try": template.channel in trying.CHANNELS,
            "languages": _tabs(template, language),
            "language": language,
            "history": template.versions.filter(language=language)[:20],
            "contact_words": contact_words,
            "contact": previewing.find(contact_words),
            "may_change": may_change,
            "may_publish": self._may_publish(request),
        }
        return TemplateResponse(request, "channels/template.html", context)

    def _save(self, request: HttpRequest, version: TemplateVersion) -> HttpResponseBase:
        drafting.save(version, request.user)  # type: ignore[arg-type]
        here = reverse("admin:channels_template_change", args=[version.template_id])
        here = f"{here}?language={version.language}"
        if "publish" in request.POST:
            return HttpResponseRedirect(
                reverse("admin:channels_template_publish", args=[version.template_id, version.pk])
            )
        if "try" in request.POST:
            self._try(request, version)
        elif "test" in request.POST:
            try:
                previewing.send_to_sandbox(
                    version, previewing.find(request.POST.get("contact", "")), clock.now()
                )
            except TemplateError as error:
                messages.error(request, _("Not sent: %s") % error)
            else:
                messages.success(request, _("Saved, and a test is in the sandbox outbox."))
        else:
            messages.success(request, _("The draft is saved."))
        return HttpResponseRedirect(here)

    def _try(self, request: HttpRequest, version: TemplateVersion) -> None:
        """Send it to the address that was named, and say what the provider said."""
        contact = previewing.find(request.POST.get("contact", ""))
        try:
            result = trying.send(version, contact, request.POST.get("address", ""), clock.now())
        except (NotTriedError, NotReadyError, AddressError, TemplateError) as error:
            messages.error(request, _("Not sent: %s") % error)
            return
        self.log_change(request, version.template, "sent a test to an address")
        if result.outcome == "accepted":
            messages.success(request, _("Saved, and the provider has taken the test."))
        else:
            messages.error(request, _("Not sent: %s") % (result.detail or result.code or result.outcome))

    def _links(self, request: HttpRequest, version: TemplateVersion | None) -> list[Checked] | None:
        """What came of the template's addresses, where somebody asked."""
        if "links" not in request.GET or version is None:
            return None
        try:
            letter = previewing.letter(version, previewing.find(request.GET.get("contact", "")), clock.now())
        except TemplateError:
            return []
        return link_checking.check(link_checking.addresses(letter, settings.SEGUE_BASE_URL))

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
        errors = [finding for finding in _findings(version) if finding.is_error]
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
            "template": template,
            "version": version,
            "errors": errors,
            "back": here,
        }
        return TemplateResponse(request, "channels/template_publish.html", context)

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


def _known() -> Known:
    feeds = DataFeed.objects.filter(active=True).values_list("slug", flat=True)
    return Known(template_words.attributes(), frozenset(feeds))


def _look(request: HttpRequest) -> dict[str, bool]:
    """How the preview is shown: as on a phone, and as in the dark."""
    return {"phone": "phone" in request.GET, "dark": "dark" in request.GET}


def _tabs(template: Template, current: str) -> list[dict[str, Any]]:
    present = set(template.versions.values_list("language", flat=True))
    return [
        {"code": code, "name": name, "is_present": code in present, "is_current": code == current}
        for code, name in _LANGUAGES
    ]


def _findings(version: TemplateVersion) -> list[rendering_lint.Finding]:
    return rendering_lint.lint_version(version, charter.current(clock.now()), _known())
