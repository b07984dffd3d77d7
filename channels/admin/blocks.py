"""Content blocks: written, published, and brought to the templates that use them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels import block_updating, blocks
from channels.admin import template_beside
from channels.framing import framed
from channels.models import BlockVersion, ContentBlock, Template, TemplateVersion
from channels.models.provider import Channel
from channels.rendering_liquid import TemplateError
from channels.visual import looks
from contacts import clock


class BlockForm(forms.ModelForm):
    class Meta:
        model = BlockVersion
        fields = ("body",)
        widgets = {
            "body": forms.Textarea(
                attrs={"rows": 14, "class": "is-code", "spellcheck": "false", "wrap": "off"}
            )
        }


@admin.register(ContentBlock)
class ContentBlockAdmin(ModelAdmin):
    list_display = ["title", "languages"]
    search_fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "description"]
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("versions")

    @display(description=_("content block"), header=True, ordering="name")
    def title(self, block: ContentBlock) -> tuple[str, str]:
        return block.name, block.description or block.slug

    @admin.display(description=_("published in"))
    def languages(self, block: ContentBlock) -> str:
        found = {version.language for version in block.versions.all() if version.published_at}
        return ", ".join(sorted(found)) or "–"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What is sent has its words, but drafts that name it could be published no more.
        return bool(super().has_delete_permission(request, obj)) and not (obj and blocks.used_in(obj))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/publish/<int:version_id>/",
                view(self.publish),
                name="channels_contentblock_publish",
            ),
            path("<int:pk>/look/<int:version_id>/", view(self.look), name="channels_contentblock_look"),
            path("<int:pk>/spread/", view(self.spread), name="channels_contentblock_spread"),
            *super().get_urls(),
        ]

    def response_add(self, request: HttpRequest, obj: ContentBlock, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(_address(obj.pk))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        block = self._block(request, object_id)
        language = template_beside.language_of(request)
        version = blocks.editable(block, language)
        may_change = self.has_change_permission(request, block)
        form = BlockForm(request.POST or None, instance=version)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            if form.is_valid() and (answer := self._save(request, form)) is not None:
                return answer
        present = set(block.versions.values_list("language", flat=True))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": block.name,
            "block": block,
            "form": form,
            "version": version,
            "languages": template_beside.tabs(present, language),
            "shown": version if version.pk else block.versions.filter(language=language).first(),
            "uses": blocks.used_in(block),
            "history": block.versions.filter(language=language)[:20],
            "tag": f'{{% block "{block.slug}" %}}',
            "may_change": may_change,
            "may_publish": self._may_publish(request),
        }
        return TemplateResponse(request, "channels/block.html", context)

    def _save(self, request: HttpRequest, form: BlockForm) -> HttpResponseBase | None:
        version = form.save(commit=False)
        try:
            blocks.save(version, request.user)  # type: ignore[arg-type]
        except TemplateError as error:
            form.add_error("body", str(error))
            return None
        if "publish" in request.POST:
            name = "admin:channels_contentblock_publish"
            return HttpResponseRedirect(reverse(name, args=[version.block_id, version.pk]))
        messages.success(request, _("The draft is saved."))
        return HttpResponseRedirect(f"{_address(version.block_id)}?language={version.language}")

    def look(self, request: HttpRequest, pk: int, version_id: int) -> HttpResponseBase:
        """The block by itself, for a frame."""
        version = self._block(request, str(pk)).versions.filter(pk=version_id).first()
        if version is None:
            raise Http404
        mail = TemplateVersion(template=Template(channel=Channel.EMAIL), language=version.language)
        page = looks.page(version.body, mail, clock.now())
        return framed(page or str(_("It cannot be drawn by itself.")), "text/html")

    def publish(self, request: HttpRequest, pk: int, version_id: int) -> HttpResponseBase:
        """Ask, then let templates take these words from now on."""
        block = self._block(request, str(pk))
        version = block.versions.filter(pk=version_id).first()
        if version is None:
            raise Http404
        if not self._may_publish(request):
            raise PermissionDenied
        if request.method == "POST":
            blocks.publish(version, clock.now())
            self.log_change(request, block, f"published version {version.number} ({version.language})")
            messages.success(request, _("Published. Templates take it when they are published next."))
            return HttpResponseRedirect(f"{_address(pk)}?language={version.language}")
        words = _(
            "Templates that are published from now on take these words. What is sent now stays as it is."
        )
        return self._ask(request, block, _("Publish %s?") % version, words, _("Publish"))

    def spread(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Ask, then publish each template that took an older version once more, with the same words."""
        block = self._block(request, str(pk))
        if not self._may_publish(request):
            raise PermissionDenied
        old = [use for use in blocks.used_in(block) if use.is_old]
        if request.method == "POST":
            done, faults = block_updating.bring(old, request.user, clock.now())  # type: ignore[arg-type]
            self.log_change(request, block, f"brought to {len(done)} templates")
            messages.success(request, _("Brought to %d templates.") % len(done))
            for fault in faults:
                messages.error(request, fault)
            return HttpResponseRedirect(_address(pk))
        words = _("These are published once more with the same words and the new block: %s") % ", ".join(
            f"{use.template} ({use.language})" for use in old
        )
        return self._ask(request, block, _("Bring it to %d templates?") % len(old), words, _("Publish them"))

    def _ask(
        self, request: HttpRequest, block: ContentBlock, title: Any, words: Any, button: Any
    ) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "words": words,
            "button": button,
            "back": _address(block.pk),
        }
        return TemplateResponse(request, "channels/ask.html", context)

    def _block(self, request: HttpRequest, object_id: str) -> ContentBlock:
        block = ContentBlock.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        if block is None:
            raise Http404
        if not self.has_view_permission(request, block):
            raise PermissionDenied
        return block

    def _may_publish(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.publish_template"))


def _address(pk: int) -> str:
    return reverse("admin:channels_contentblock_change", args=[pk])
