"""The charter: drafts are edited part by part and published after a question. Published ones stay."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from channels import charter, charter_approving, charter_rules, charter_words
from channels.admin import charter_parts, charter_publishing
from channels.models import CharterVersion
from contacts import clock


class CharterForm(forms.ModelForm):
    """What a version is called, and from when it holds. Its rules have pages of their own."""

    class Meta:
        model = CharterVersion
        fields = ["note", "effective_at"]


@admin.register(CharterVersion)
class CharterVersionAdmin(ModelAdmin):
    form = CharterForm
    list_display = ["version", "stand", "note", "effective_at", "created_by"]
    ordering = ["-number"]
    actions = None
    actions_detail = ["publish", "copy"]
    list_before_template = "channels/charter_now.html"
    readonly_fields = ["says", "doubts"]

    class Media:
        css = {"all": ["channels/policy.css"]}

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "channels_charterversion"
        return [
            path("<int:pk>/publish/", view(self.publish_view), name=f"{name}_publish_ask"),
            path("<int:pk>/part/<slug:part>/", view(self.part_view), name=f"{name}_part"),
            path("<int:pk>/part/<slug:part>/<slug:rule>/", view(self.part_view), name=f"{name}_part_rule"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: CharterVersion | None = None) -> list[Any]:
        about = (_("About this version"), {"fields": ["note", "effective_at"]})
        if obj is None:
            return [about]
        return [(None, {"fields": ["says"] if self._editable(request, obj) else ["says", "doubts"]}), about]

    def _editable(self, request: HttpRequest, version: CharterVersion) -> bool:
        return not version.published_at and bool(self.has_change_permission(request, version))

    @admin.display(description=_("version"), ordering="number")
    def version(self, version: CharterVersion) -> str:
        return f"v{version.number}"

    @display(
        description=_("state"),
        label={
            "rules": "success",
            "draft": "info",
            "later": "warning",
            "past": "default",
            "asked": "warning",
        },
    )
    def stand(self, version: CharterVersion) -> tuple[str, Any]:
        now = clock.now()
        if version.published_at is None:
            asked = charter_approving.pending(version)
            return ("asked", _("waits for approval")) if asked else ("draft", _("draft"))
        if version.effective_at and version.effective_at > now:
            return "later", _("published, not yet in force")
        ruling = charter.in_force(now)
        return ("rules", _("in force")) if ruling and ruling.pk == version.pk else ("past", _("past"))

    @admin.display(description=_("what it says"))
    def says(self, version: CharterVersion) -> SafeString:
        if version.published_at:
            return _sentences(version.rules)
        context = {"sections": charter_parts.sections(version), "version": version}
        return render_to_string("channels/charter_sections.html", context)

    @admin.display(description=_("doubts"))
    def doubts(self, version: CharterVersion) -> str:
        found = [f"{one.path}: {one.message}" for one in charter.lint(version.rules, clock.now())]
        return "; ".join(found) or str(_("none"))

    @action(description=_("Publish…"), permissions=["ask"], url_path="publish-this")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:channels_charterversion_publish_ask", args=[object_id]))

    @action(description=_("Make a draft of it"), permissions=["copy"], url_path="copy")
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self._version(int(object_id))
        draft = charter.draft(source.rules, f"From v{source.number}", _author(request))
        return HttpResponseRedirect(reverse("admin:channels_charterversion_change", args=[draft.pk]))

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would change, then publish, ask for it, or decide about it."""
        may_publish = self.has_publish_permission(request)
        version = self._version(pk)
        if not may_publish and not self.has_change_permission(request, version):
            raise PermissionDenied
        return charter_publishing.confirm(self, request, version, may_publish=may_publish)

    def part_view(self, request: HttpRequest, pk: int, part: str, rule: str = "") -> HttpResponse:
        return charter_parts.edit(self, request, self._version(pk), part, rule)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        now = clock.now()
        ruling = charter.in_force(now)
        context = {"ruling": ruling, "lines": charter_words.explain(charter.current(now))}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def save_model(self, request: HttpRequest, obj: CharterVersion, form: Any, change: bool) -> None:
        if not change:
            made = charter.draft(charter.rules_in_force(clock.now()), obj.note, _author(request))
            made.effective_at = obj.effective_at
            obj.pk, obj.number = made.pk, made.number
            obj = made
        obj.save(update_fields=["note", "effective_at"])

    def response_add(self, request: HttpRequest, obj: CharterVersion, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(reverse("admin:channels_charterversion_change", args=[obj.pk]))

    def has_publish_permission(self, request: HttpRequest, object_id: str | int | None = None) -> bool:
        return bool(request.user.has_perm("channels.publish_charterversion"))

    def has_ask_permission(self, request: HttpRequest, object_id: str | int | None = None) -> bool:
        return self.has_publish_permission(request) or bool(super().has_change_permission(request))

    def has_copy_permission(self, request: HttpRequest, object_id: str | int | None = None) -> bool:
        return bool(self.has_add_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: CharterVersion | None = None) -> bool:
        if obj is not None and obj.published_at:
            return False
        return super().has_change_permission(request, obj)  # type: ignore[no-any-return]

    def has_delete_permission(self, request: HttpRequest, obj: CharterVersion | None = None) -> bool:
        if obj is not None and obj.published_at:
            return False
        return super().has_delete_permission(request, obj)  # type: ignore[no-any-return]

    def _version(self, pk: int) -> CharterVersion:
        version = CharterVersion.objects.filter(pk=pk).first()
        if version is None:
            raise Http404
        return version


def _author(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _sentences(rules: Any) -> SafeString:
    try:
        lines = charter_words.explain(charter_rules.parse(rules))
    except charter_rules.CharterError as error:
        lines = [f"{problem.path}: {problem.message}" for problem in error.problems]
    items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html('<ul class="segue-sentences">{}</ul>', items)
