"""Templates: written, checked, previewed as a contact, published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels import charter, drafting, previewing, rendering, rendering_lint
from channels.framing import framed
from channels.models import Template, TemplateVersion
from channels.models.provider import Channel
from channels.rendering_liquid import TemplateError
from channels.rendering_markup import unix_lines
from contacts import clock

_LANGUAGES = [("en", _("English")), ("fr", _("French")), ("de", _("German")), ("es", _("Spanish")),
              ("it", _("Italian")), ("nl", _("Dutch")), ("pt", _("Portuguese"))]  # fmt: skip


#: What only an in-app message has.
_PLACING = ("image", "button", "place", "pages", "importance", "days")


class WordsForm(forms.ModelForm):
    """The words of a draft."""

    class Meta:
        model = TemplateVersion
        fields = (
            "subject", "body", "text", "image", "link", "button", "place", "pages", "importance", "days",
        )  # fmt: skip
        widgets = {
            "subject": forms.TextInput(attrs={"class": "is-code"}),
            "body": forms.Textarea(
                attrs={"rows": 22, "class": "is-code", "spellcheck": "false", "wrap": "off"}
            ),
            "text": forms.Textarea(attrs={"rows": 5, "class": "is-code"}),
            "link": forms.TextInput(attrs={"class": "is-code"}),
            "image": forms.TextInput(attrs={"class": "is-code"}),
            "button": forms.TextInput(attrs={"class": "is-code"}),
            "pages": forms.Textarea(attrs={"rows": 3, "class": "is-code", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unused = {
            Channel.EMAIL: ("link", *_PLACING),
            Channel.SMS: ("subject", "text", "link", *_PLACING),
            Channel.PUSH: ("text", "place", "pages", "importance", "days"),
            Channel.INAPP: ("text",),
        }
        if channel != Channel.EMAIL:
            self.fields["body"].widget.attrs.update(rows=7, wrap="soft")
        if channel == Channel.INAPP:
            self.fields["subject"].label = _("title")
            self.fields["subject"].help_text = _("Shown first and bold; may be empty (Liquid).")
            self.fields["body"].help_text = _("Plain text (Liquid).")
            self.fields["image"].help_text = _("Address of a picture, with https:// (Liquid).")
        for name in unused.get(Channel(channel), ("link", *_PLACING)):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        # As written, so that saving unchanged words changes nothing and a text message is no longer for it.
        return {
            name: unix_lines(value) if isinstance(value, str) else value for name, value in values.items()
        }


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
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": template.name,
            "template": template,
            "form": form,
            "version": version,
            "shown": version if version.pk else drafting.latest(template, language),
            "findings": _findings(version) if version.body else [],
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
        if "test" in request.POST:
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
            letter = previewing.letter(version, contact)
            page = letter.html if request.GET.get("part") == "html" and letter.html else letter.text
            kind = "text/html" if page == letter.html and letter.html else "text/plain"
            if request.GET.get("part") == "subject":
                page, kind = letter.subject, "text/plain"
        except TemplateError as error:
            page, kind = str(error), "text/plain"
        return framed(page, kind)

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


def _draft_source(version: TemplateVersion) -> rendering.Source:
    source = rendering.source_of(version)
    return replace(source, compiled="")


def _tabs(template: Template, current: str) -> list[dict[str, Any]]:
    present = set(template.versions.values_list("language", flat=True))
    return [
        {"code": code, "name": name, "is_present": code in present, "is_current": code == current}
        for code, name in _LANGUAGES
    ]


def _findings(version: TemplateVersion) -> list[rendering_lint.Finding]:
    return rendering_lint.lint(_draft_source(version), charter.current(clock.now()))
