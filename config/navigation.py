"""The sidebar: what a person may see, in five groups.

A list is shown when its model is registered and the person may view it; a page when its address exists and
the person holds one of its permissions. So a room that is not there yet leaves no dead link.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class ListLink:
    """The list of a model, named ``app.Model``."""

    title: Any
    icon: str
    model: str

    def address(self, request: HttpRequest) -> str | None:
        try:
            model = apps.get_model(self.model)
        except LookupError:
            return None
        if not admin.site.is_registered(model):
            return None
        if not admin.site.get_model_admin(model).has_view_permission(request):
            return None
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of our own; ``allowed`` names permissions of which one is enough."""

    title: Any
    icon: str
    name: str
    allowed: tuple[str, ...] = ()

    def address(self, request: HttpRequest) -> str | None:
        if self.allowed and not any(request.user.has_perm(permission) for permission in self.allowed):
            return None
        try:
            return reverse(self.name)
        except NoReverseMatch:
            return None


Group = tuple[Any, tuple[ListLink | PageLink, ...]]

GROUPS: tuple[Group, ...] = (
    (None, (PageLink(_("Home"), "home", "admin:index"),)),
    (
        _("Contacts"),
        (
            ListLink(_("Contacts"), "group", "contacts.Contact"),
            PageLink(_("Visit or call"), "edit_note", "admin:contacts_source_entry", ("contacts.add_event",)),
            ListLink(_("Segments"), "category", "contacts.Segment"),
            ListLink(_("Imports"), "upload_file", "contacts.Import"),
            ListLink(_("Exports"), "download", "contacts.Export"),
            PageLink(
                _("Consents"),
                "verified_user",
                "admin:contacts_consententry_overview",
                ("contacts.view_consententry",),
            ),
            ListLink(_("Suppressions"), "block", "contacts.Suppression"),
            ListLink(_("Privacy desk"), "policy", "contacts.PrivacyRequest"),
            PageLink(_("Register of processing"), "menu_book", "register", ("contacts.view_privacyrequest",)),
            ListLink(_("Merges"), "merge", "contacts.Merge"),
        ),
    ),
    (
        _("Journeys"),
        (
            ListLink(_("Journeys"), "route", "journeys.Journey"),
            ListLink(_("Campaigns"), "campaign", "journeys.Campaign"),
            ListLink(_("Calendar"), "calendar_month", "journeys.Outlook"),
            ListLink(_("Endpoints"), "webhook", "journeys.Endpoint"),
            ListLink(_("Backtests"), "history", "journeys.BacktestRun"),
            ListLink(_("Runs"), "directions_walk", "journeys.Run"),
        ),
    ),
    (
        _("Channels"),
        (
            ListLink(_("Messages"), "send", "channels.Message"),
            ListLink(_("Decisions"), "rule", "channels.Decision"),
            PageLink(
                _("Held and not sent"),
                "pause_circle",
                "admin:channels_decision_reasons",
                ("channels.view_decision",),
            ),
            ListLink(_("Templates"), "draft", "channels.Template"),
            ListLink(_("Content blocks"), "widgets", "channels.ContentBlock"),
            ListLink(_("Data feeds"), "rss_feed", "channels.DataFeed"),
            ListLink(_("Content tests"), "science", "channels.ContentTest"),
            ListLink(_("Surveys"), "quiz", "channels.Survey"),
            ListLink(_("Providers"), "hub", "channels.ProviderAccount"),
            ListLink(_("Charter"), "balance", "channels.CharterVersion"),
            ListLink(_("Audiences"), "ads_click", "channels.Audience"),
            ListLink(_("Calls"), "call", "channels.CallTask"),
            ListLink(_("Sandbox outbox"), "outbox", "channels.SandboxMessage"),
            PageLink(
                _("Text from somebody"),
                "sms",
                "admin:channels_incoming_text",
                ("contacts.add_suppression",),
            ),
        ),
    ),
    (
        _("Insights"),
        (
            PageLink(
                _("Engagement"), "bar_chart", "admin:analytics_engagement", ("analytics.view_dailykpi",)
            ),
            PageLink(
                _("Smart choice"), "alt_route", "admin:analytics_smart_choice", ("analytics.view_dailykpi",)
            ),
        ),
    ),
    (
        _("Settings"),
        (
            PageLink(_("Set-up"), "checklist", "setup", ("channels.change_provideraccount",)),
            ListLink(_("Sources"), "input", "contacts.Source"),
            ListLink(_("API keys"), "key", "contacts.ApiKey"),
            ListLink(_("Tracking plan"), "fact_check", "contacts.PlannedEvent"),
            ListLink(_("Identity rules"), "fingerprint", "contacts.IdentityVersion"),
            ListLink(_("Dead letters"), "mail_off", "contacts.DeadLetter"),
            ListLink(_("Purposes"), "topic", "contacts.Purpose"),
            ListLink(_("Wordings"), "format_quote", "contacts.Wording"),
            ListLink(_("Measuring rules"), "policy", "contacts.TrackingRule"),
            PageLink(
                _("Retention"), "auto_delete", "admin:contacts_retention", ("contacts.view_retentionperiod",)
            ),
            PageLink(_("Promises"), "verified", "promises", ("contacts.view_promisestate",)),
            PageLink(_("Tracking domain"), "link", "tracking_domain", ("channels.view_provideraccount",)),
            ListLink(_("Users"), "person", "auth.User"),
            ListLink(_("Roles"), "badge", "auth.Group"),
            ListLink(_("Pulses"), "timer", "django_celery_beat.PeriodicTask"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups in the form that django-unfold draws; empty ones are left out."""
    drawn: list[dict[str, Any]] = []
    for title, links in GROUPS:
        items = list(_items(links, request))
        if items:
            drawn.append({"title": title, "items": items})
    items = [item for group in drawn for item in group["items"]]
    # A page may lie below another one's address: the longest that fits is where the person is.
    here = max((len(item["link"]) for item in items if _below(request.path, item["link"])), default=0)
    for item in items:
        item["active"] = len(item["link"]) == here and _below(request.path, item["link"])
    return drawn


def _below(path: str, link: str) -> bool:
    return path == link if link == reverse("admin:index") else path.startswith(link)


def _items(links: tuple[ListLink | PageLink, ...], request: HttpRequest) -> Iterator[dict[str, Any]]:
    for link in links:
        address = link.address(request)
        if address is not None:
            yield {"title": link.title, "icon": link.icon, "link": address}


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """Links in the menu under the person's own name."""
    return [
        {"title": _("Change password"), "link": reverse("admin:password_change")},
        {"title": _("Two-step sign-in"), "link": reverse("mfa_index")},
    ]
