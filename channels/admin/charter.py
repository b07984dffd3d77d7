"""The charter: drafts are edited, shown in words, and published after a question. Published ones stay."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from channels import charter, charter_rules, charter_words
from channels.models import CharterVersion
from contacts import clock

_PARTS = tuple(charter.DEFAULT)


class _Readable(json.JSONEncoder):
    """JSON over several lines, as people read it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "indent": 2, "ensure_ascii": False})


def _part(label: Any, words: Any, rows: int = 6) -> forms.JSONField:
    area = UnfoldAdminTextareaWidget(attrs={"rows": rows, "spellcheck": "false"})
    return forms.JSONField(label=label, help_text=words, required=False, widget=area, encoder=_Readable)


class CharterForm(forms.ModelForm):
    """One field for each part of the rules, so that a mistake is shown where it was made."""

    caps = _part(
        _("Caps"),
        _("A list. Each: limit, rolling “7 days” or calendar day, week, month; zone, channels, purposes."),
        14,
    )
    spacing = _part(_("Spacing"), _("one_a_day true or false, apart such as “12 hours”."))
    quiet_hours = _part(
        _("Quiet hours"), _("A list. Each: channels, from, to, days (when only on some)."), 14
    )
    redundancy = _part(_("Redundancy"), _("A list. Each: drop push, when email, ahead “24 hours”, behind."))
    channels = _part(_("Channels"), _("order; order_by message or charter; fallback refused or held."), 10)
    consent = _part(_("Consent"), _("unasked: refuse or allow."))
    time = _part(_("Time"), _("unknown_zone every or default, default_zone, jitter."))

    class Meta:
        model = CharterVersion
        fields = ["note", "effective_at"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = bool(self.instance.pk)
        rules = self.instance.rules if known else charter.rules_in_force(clock.now())
        for name in _PARTS:
            self.initial.setdefault(name, rules.get(name, type(charter.DEFAULT[name])()))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        rules = {name: values[name] for name in _PARTS if values.get(name) not in (None, [], {})}
        if not self.errors:
            for problem in charter_rules.lint(rules):
                part = problem.path.partition(".")[0]
                if not problem.warning:
                    self.add_error(part if part in _PARTS else None, f"{problem.path}: {problem.message}")
        self.instance.rules = rules
        return values


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
        view = self.admin_site.admin_view(self.publish_view)
        return [
            path("<int:pk>/publish/", view, name="channels_charterversion_publish_ask"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: CharterVersion | None = None) -> list[Any]:
        written = (_("Rules"), {"fields": list(_PARTS)})
        said = (None, {"fields": ["says", "doubts"] if obj else []})
        about = (_("About this version"), {"fields": ["note", "effective_at"]})
        if obj and (obj.published_at or not self.has_change_permission(request, obj)):
            return [said, about]
        return [said, written, about] if obj else [written, about]

    @admin.display(description=_("version"), ordering="number")
    def version(self, version: CharterVersion) -> str:
        return f"v{version.number}"

    @display(
        description=_("state"),
        label={"rules": "success", "draft": "info", "later": "warning", "past": "default"},
    )
    def stand(self, version: CharterVersion) -> tuple[str, Any]:
        now = clock.now()
        if version.published_at is None:
            return "draft", _("draft")
        if version.effective_at and version.effective_at > now:
            return "later", _("published, not yet in force")
        ruling = charter.in_force(now)
        return ("rules", _("in force")) if ruling and ruling.pk == version.pk else ("past", _("past"))

    @admin.display(description=_("what it says"))
    def says(self, version: CharterVersion) -> SafeString:
        return _sentences(version.rules)

    @admin.display(description=_("doubts"))
    def doubts(self, version: CharterVersion) -> str:
        found = [f"{one.path}: {one.message}" for one in charter_rules.lint(version.rules)]
        return "; ".join(found) or str(_("none"))

    @action(description=_("Publish"), permissions=["publish"], url_path="publish-this")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:channels_charterversion_publish_ask", args=[object_id]))

    @action(description=_("Make a draft of it"), permissions=["copy"], url_path="copy")
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self._version(int(object_id))
        draft = charter.draft(source.rules, f"From v{source.number}", _author(request))
        return HttpResponseRedirect(reverse("admin:channels_charterversion_change", args=[draft.pk]))

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, showing what would rule; then publish."""
        version = self._version(pk)
        if not self.has_publish_permission(request):
            raise PermissionDenied
        back = reverse("admin:channels_charterversion_change", args=[pk])
        if version.published_at:
            messages.info(request, _("This version is published already."))
            return HttpResponseRedirect(back)
        if request.method == "POST":
            charter.publish(version, clock.now())
            messages.success(request, _("Charter v%s is published.") % version.number)
            return HttpResponseRedirect(reverse("admin:channels_charterversion_changelist"))
        now = clock.now()
        old = charter_words.explain(charter.current(now))
        new = charter_words.explain(charter_rules.parse(version.rules))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Publish charter v%s") % version.number,
            "version": version,
            "back": back,
            "gone": [line for line in old if line not in new],
            "added": [line for line in new if line not in old],
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "channels/charter_publish.html", context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        now = clock.now()
        ruling = charter.in_force(now)
        context = {"ruling": ruling, "lines": charter_words.explain(charter.current(now))}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def save_model(self, request: HttpRequest, obj: CharterVersion, form: Any, change: bool) -> None:
        if not change:
            made = charter.draft(obj.rules, obj.note, _author(request))
            made.effective_at = obj.effective_at
            obj.pk, obj.number = made.pk, made.number
            obj = made
        obj.save()

    def has_publish_permission(self, request: HttpRequest, object_id: str | int | None = None) -> bool:
        return bool(request.user.has_perm("channels.publish_charterversion"))

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
