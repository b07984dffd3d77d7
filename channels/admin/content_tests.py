"""Tests of content: who gets which template; started and ended by somebody who may publish."""

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
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from channels import content_tests
from channels.models import ContentTest, Template
from contacts import clock

_ROWS = 4
_STATES = {
    "draft": ("draft", _("Not started")),
    "running": ("on", _("Running")),
    "ended": ("over", _("Ended")),
}
_PROBLEMS = {
    "number": _("A test has two to ten variants, each with a share."),
    "names": _("Each variant has a name of its own, of at most 40 characters."),
    "template": _("Each variant is a published template of the same channel."),
    "running": _("Another test of this template is running."),
}


class TestForm(forms.ModelForm):
    """Name and template, and up to four variants."""

    class Meta:
        model = ContentTest
        fields = ("name", "slug", "template")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = list(self.instance.variants) if self.instance.pk else []
        templates = [("", "–"), *Template.objects.order_by("name").values_list("slug", "name")]
        for number in range(_ROWS):
            told = known[number] if number < len(known) else {}
            default = "ABCD"[number] if number < 2 else ""
            self.fields[f"name_{number}"] = forms.CharField(
                label=_("Short name"), max_length=40, required=False,
                initial=told.get("name", default), widget=UnfoldAdminTextInputWidget(),
            )  # fmt: skip
            self.fields[f"template_{number}"] = forms.ChoiceField(
                label=_("Template"), choices=templates, required=False,
                initial=told.get("template", ""), widget=UnfoldAdminSelectWidget(),
            )  # fmt: skip
            self.fields[f"share_{number}"] = forms.FloatField(
                label=_("Share"), required=False, min_value=0, max_value=1000,
                initial=told.get("share", 50 if number < 2 else None), widget=UnfoldAdminDecimalFieldWidget(),
            )  # fmt: skip

    def variants(self) -> list[dict[str, Any]]:
        """As they are stored; rows without a template are none."""
        rows = [
            {
                "name": str(self.cleaned_data.get(f"name_{number}") or "").strip(),
                "template": self.cleaned_data.get(f"template_{number}") or "",
                "share": self.cleaned_data.get(f"share_{number}") or 0,
            }
            for number in range(_ROWS)
        ]
        return [row for row in rows if row["template"]]


@admin.register(ContentTest)
class ContentTestAdmin(ModelAdmin):
    form = TestForm
    list_display = ["title", "template", "state"]
    search_fields = ["name", "slug"]
    compressed_fields = True
    readonly_fields = ["dealt"]
    change_form_after_template = "channels/content_test.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "slug", "template", "dealt"]})]
        about = _(
            "Whoever would get this template gets one of the variants instead, dealt by chance and by the"
            " shares, and keeps it. The template itself may be one of them."
        )
        rows = [
            (
                _("Variant %d") % (number + 1),
                {"fields": [f"template_{number}", (f"name_{number}", f"share_{number}")]},
            )
            for number in range(_ROWS)
        ]
        return [(None, {"fields": ["name", "slug", "template"], "description": about}), *rows]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # The rows of variants are no columns of the table.
        return super().get_form(request, obj, change, **{**kwargs, "fields": ("name", "slug", "template")})

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ("name",)}

    def has_change_permission(self, request: HttpRequest, obj: ContentTest | None = None) -> bool:
        # Who got what must stay true while it runs, and after.
        allowed = bool(super().has_change_permission(request, obj))
        return allowed and not (obj and obj.started_at)

    def has_delete_permission(self, request: HttpRequest, obj: ContentTest | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and not (obj and obj.started_at)

    @display(description=_("content test"), header=True, ordering="name")
    def title(self, test: ContentTest) -> tuple[str, str]:
        return test.name, ", ".join(one.name for one in content_tests.read(test.variants))

    @admin.display(description=_("variants and shares"))
    def dealt(self, test: ContentTest) -> str:
        return ", ".join(
            f"{one.name}: {one.template} ({one.share:g})" for one in content_tests.read(test.variants)
        )

    @display(description=_("state"), label={"on": "success", "draft": "warning", "over": ""})
    def state(self, test: ContentTest) -> tuple[str, Any]:
        return _STATES[test.state]

    def save_model(self, request: HttpRequest, obj: ContentTest, form: Any, change: bool) -> None:
        obj.variants = form.variants()
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/start/", view(self.start), name="channels_contenttest_start"),
            path("<int:pk>/end/", view(self.end), name="channels_contenttest_end"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        test = ContentTest.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        context = {
            **(extra_context or {}),
            "test": test,
            "figures": content_tests.figures(test) if test and test.started_at else [],
            "may_publish": request.user.has_perm("channels.publish_template"),
        }
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, context)
        return answer

    def start(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        test = self._test(request, pk)
        problems = content_tests.problems(test)
        if request.method == "POST" and not problems:
            problems = content_tests.start(test, clock.now())
            if not problems:
                self.log_change(request, test, "started")
                messages.success(request, _("It runs from now on."))
                return HttpResponseRedirect(_address(pk))
        words = _("Whoever would get “%s” from now on gets one of the variants instead, always the same one.")
        return self._ask(request, test, _("Start %s?") % test, words % test.template, _("Start"), problems)

    def end(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        test = self._test(request, pk)
        if request.method == "POST":
            content_tests.end(test, clock.now())
            self.log_change(request, test, "ended")
            messages.success(request, _("It has ended."))
            return HttpResponseRedirect(_address(pk))
        words = _("Whoever is written to from now on gets “%s” itself.") % test.template
        return self._ask(request, test, _("End %s?") % test, words, _("End"), [])

    def _ask(
        self,
        request: HttpRequest,
        test: ContentTest,
        title: Any,
        words: Any,
        button: Any,
        problems: list[str],
    ) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "words": words,
            "button": button,
            "faults": [_PROBLEMS[code] for code in problems],
            "back": _address(test.pk),
        }
        return TemplateResponse(request, "channels/ask.html", context)

    def _test(self, request: HttpRequest, pk: int) -> ContentTest:
        if not request.user.has_perm("channels.publish_template"):
            raise PermissionDenied
        test = ContentTest.objects.filter(pk=pk).select_related("template").first()
        if test is None:
            raise Http404
        return test


def _address(pk: int) -> str:
    return reverse("admin:channels_contenttest_change", args=[pk])
