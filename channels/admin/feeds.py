"""Data feeds: where they are, what they said last, and a way to ask at once."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from channels import feeds, sealing
from channels.models import DataFeed
from contacts import clock

_SHOWN = 4_000


class FeedForm(forms.ModelForm):
    authorization = forms.CharField(
        label=_("Authorization"),
        required=False,
        help_text=_(
            "Sent as that header, such as “Bearer …”. Kept encrypted and never shown; empty: as it is."
        ),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "type": "password"}),
    )

    class Meta:
        model = DataFeed
        fields = ("name", "slug", "url", "minutes", "hours", "seconds", "active")

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"]).replace("-", "_").lower()
        if not slug.isidentifier():
            raise ValidationError(_("A feed is named by letters, digits and underscores."))
        return slug

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            feeds.check_address(url)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return url


@admin.register(DataFeed)
class DataFeedAdmin(ModelAdmin):
    form = FeedForm
    list_display = ["title", "state", "fetched_at", "error"]
    search_fields = ["name", "slug", "url"]
    readonly_fields = ["fetched_at", "error", "said", "written"]
    actions = ["ask"]
    actions_detail = ["ask_this"]
    compressed_fields = True

    def get_fields(self, request: HttpRequest, obj: DataFeed | None = None) -> list[str]:
        found = ["name", "slug", "url", "authorization", "minutes", "hours", "seconds", "active"]
        if not self.has_change_permission(request, obj):
            found.remove("authorization")
        return [*found, "fetched_at", "error", "written", "said"] if obj else found

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {}

    @display(description=_("data feed"), header=True, ordering="name")
    def title(self, feed: DataFeed) -> tuple[str, str]:
        return feed.name, f"feeds.{feed.slug}"

    @display(description=_("state"), label={"good": "success", "off": "", "bad": "danger", "new": "info"})
    def state(self, feed: DataFeed) -> tuple[str, Any]:
        if not feed.active:
            return "off", _("Off")
        if feed.error:
            return "bad", _("Does not answer")
        return ("good", _("Answers")) if feed.fetched_at else ("new", _("Not asked yet"))

    @admin.display(description=_("what it said last"))
    def said(self, feed: DataFeed) -> str:
        text = json.dumps(feed.content, ensure_ascii=False, indent=1) if feed.content is not None else "–"
        return format_html('<pre class="segue-code">{}</pre>', text[:_SHOWN])

    @admin.display(description=_("in a template"))
    def written(self, feed: DataFeed) -> str:
        """How what it says now is written in a template."""
        content = feed.content if isinstance(feed.content, dict) else {}
        names = [name for name, one in content.items() if not isinstance(one, dict | list)]
        shown = [f'{{{{ feeds.{feed.slug}.{name} | default: "" }}}}' for name in (names or ["name"])[:5]]
        return format_html_join("", '<code class="segue-code">{}</code><br>', ((one,) for one in shown))

    def save_model(self, request: HttpRequest, obj: DataFeed, form: Any, change: bool) -> None:
        if secret := form.cleaned_data.get("authorization"):
            obj.secrets = sealing.seal({"authorization": secret})
        if change and "url" in form.changed_data:
            # What another address said is nothing that this one says.
            obj.content, obj.fetched_at, obj.next_at = None, None, None
        super().save_model(request, obj, form, change)

    @action(description=_("Ask at once"), url_path="ask")
    def ask_this(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        self.ask(request, DataFeed.objects.filter(pk=object_id))
        return HttpResponseRedirect(reverse("admin:channels_datafeed_change", args=[object_id]))

    @action(description=_("Ask at once"))
    def ask(self, request: HttpRequest, queryset: QuerySet[DataFeed]) -> None:
        now = clock.now()
        queryset.update(next_at=None)
        feeds.values(set(queryset.values_list("slug", flat=True)), now)
        for feed in queryset.all():
            if feed.error:
                messages.error(request, f"{feed}: {feed.error}")
            else:
                messages.success(request, _("%s answered.") % feed)
