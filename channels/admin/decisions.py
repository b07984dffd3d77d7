"""The decision ledger in words: what the policy said about each message, and why."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels import explaining
from channels.models import Decision, Message
from contacts.models import Contact
from contacts.paging import CappedPaginator

_TONES = {"pass": "is-good", "wait": "is-warn", "refuse": "is-bad", "cancel": "is-bad"}
_LABELS = {"send": "success", "hold": "warning", "drop": "danger", "cancel": "info"}
_REASONS = (
    "allowed", "cap", "spacing", "quiet_hours", "redundant", "not_asked", "no_consent", "suppressed",
    "no_address", "no_provider", "paused", "conditions", "deadline", "goal", "exit",
)  # fmt: skip


class ReasonFilter(admin.SimpleListFilter):
    """Offers the reasons that the policy knows: a list of all that occur would read the whole ledger."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(reason, reason.replace("_", " ").capitalize()) for reason in _REASONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


class ChannelFilter(admin.SimpleListFilter):
    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(name, explaining.channel_name(name)) for name in ("email", "sms", "push")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


@admin.register(Decision)
class DecisionAdmin(ModelAdmin):
    list_display = ["decided_at", "who", "verdict", "words", "channel"]
    list_filter = ["outcome", ReasonFilter, ChannelFilter]
    search_fields = ["contact__email"]  # switches the search field on; see get_search_results
    search_help_text = _("Email or phone of the contact, or a message's number")
    ordering = ["-id"]
    list_per_page = 50
    list_display_links = ["decided_at", "words"]
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None
    fields = ["sentence", "who", "decided_at", "about", "questions", "ruled_by"]
    readonly_fields = fields

    class Media:
        css = {"all": ["channels/policy.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        # Not joined: what was decided about a contact that is gone stays in the ledger.
        found: QuerySet[Decision] = super().get_queryset(request).prefetch_related("contact")
        return found

    @admin.display(description=_("contact"))
    def who(self, decision: Decision) -> SafeString | str:
        try:
            return _link("admin:contacts_contact_change", decision.contact_id, str(decision.contact))
        except Contact.DoesNotExist:
            return str(_("gone"))

    @display(description=_("decision"), label=_LABELS)
    def verdict(self, decision: Decision) -> tuple[str, str]:
        outcome = Decision.Outcome(decision.outcome)
        return outcome.name.lower(), str(explaining.outcome_word(decision))

    @admin.display(description=_("why"))
    def words(self, decision: Decision) -> str:
        return explaining.why(decision, _zone(decision))

    @admin.display(description=_("decision"))
    def sentence(self, decision: Decision) -> str:
        return explaining.explain(decision, _zone(decision))

    @admin.display(description=_("message"))
    def about(self, decision: Decision) -> SafeString | str:
        message = Message.objects.filter(
            pk=decision.message_id, created_at=decision.message_created_at
        ).first()
        if message is None:
            return f"#{decision.message_id}"
        words = f"#{message.pk} {message.origin_slug} {message.origin_step} ({message.get_state_display()})"
        return _link("admin:channels_message_change", message.pk, " ".join(words.split()))

    @admin.display(description=_("what was asked, in order"))
    def questions(self, decision: Decision) -> SafeString:
        rows = format_html_join(
            "",
            '<tr><th scope="row">{}</th><td><span class="segue-pill {}">{}</span></td><td>{}</td></tr>',
            (
                (
                    step.rule,
                    _TONES.get(step.verdict, ""),
                    step.answer,
                    step.words,
                )
                for step in explaining.steps(decision)
            ),
        )
        return format_html('<div class="segue-scroll"><table class="segue-table">{}</table></div>', rows)

    @admin.display(description=_("charter"))
    def ruled_by(self, decision: Decision) -> str:
        if decision.charter_number is None:
            return str(_("the default rules"))
        return f"v{decision.charter_number}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Decision], search_term: str
    ) -> tuple[QuerySet[Decision], bool]:
        term = search_term.strip().lower()
        if not term:
            return queryset, False
        if term.lstrip("#").isdigit():
            return queryset.filter(message_id=int(term.lstrip("#"))), False
        found = Contact.objects.filter(email__startswith=term).values_list("pk", flat=True)[:200]
        called = Contact.objects.filter(phone=term).values_list("pk", flat=True)[:200]
        return queryset.filter(contact_id__in={*found, *called}), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Decision | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Decision | None = None) -> bool:
        return False


def _zone(decision: Decision) -> tzinfo | None:
    """The person's own clock, where it is known."""
    try:
        return ZoneInfo(decision.contact.timezone) if decision.contact.timezone else None
    except (Contact.DoesNotExist, ZoneInfoNotFoundError, ValueError):
        return None


def _link(name: str, pk: int, text: str) -> SafeString | str:
    try:
        return format_html('<a href="{}">{}</a>', reverse(name, args=[pk]), text)
    except NoReverseMatch:
        return text
