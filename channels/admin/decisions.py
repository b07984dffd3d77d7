"""The decision ledger in words: what the policy said about each message, and why."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from channels import explaining, replaying
from channels.admin.reasons import ReasonsView
from channels.models import Decision, Message
from channels.reason_words import REASONS
from contacts.models import Contact
from contacts.paging import CappedPaginator

_TONES = {"pass": "is-good", "wait": "is-warn", "refuse": "is-bad", "cancel": "is-bad"}
_LABELS = {"send": "success", "hold": "warning", "drop": "danger", "cancel": "info"}


class ReasonFilter(admin.SimpleListFilter):
    """Offers the reasons that the policy knows: a list of all that occur would read the whole ledger."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(reason, str(words)) for reason, words in {"allowed": _("Allowed"), **REASONS}.items()]

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
    fields = ["sentence", "who", "decided_at", "about", "questions", "ruled_by", "again"]
    readonly_fields = fields

    actions_list = ["all_reasons"]

    class Media:
        css = {"all": ["channels/policy.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(ReasonsView.as_view(model_admin=self))
        again = self.admin_site.admin_view(self.check_again)
        return [
            path("reasons/", view, name="channels_decision_reasons"),
            path("<int:pk>/again/", again, name="channels_decision_check_again"),
            *super().get_urls(),
        ]

    def check_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the decision again and say whether the answer is the same. Changes nothing."""
        decision = self.get_object(request, str(pk))
        if decision is None:
            raise Http404
        if not self.has_view_permission(request, decision):
            raise PermissionDenied
        found = replaying.replay(decision)
        level, words = _AGAIN[found.status]
        notices.add_message(request, level, str(words) % {"differs": ", ".join(found.differs)})
        return HttpResponseRedirect(reverse("admin:channels_decision_change", args=[decision.pk]))

    @action(description=_("Why messages were held or not sent"), url_path="why", icon="rule")
    def all_reasons(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:channels_decision_reasons"))

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

    @admin.display(description=_("is it right?"))
    def again(self, decision: Decision) -> SafeString:
        """A way on every width of screen to take it again."""
        return format_html(
            '<span class="decision-again"><a class="segue-button is-small" href="{}">'
            '<span class="material-symbols-outlined" aria-hidden="true">replay</span>{}</a>'
            '<span class="segue-muted">{}</span></span>',
            reverse("admin:channels_decision_check_again", args=[decision.pk]),
            _("Check again"),
            _("The same facts, the charter of then, the rules of the program as it runs now."),
        )

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
        return explaining.zone_of(decision.contact)
    except Contact.DoesNotExist:
        return None


_AGAIN: dict[str, tuple[int, Any]] = {
    replaying.SAME: (
        notices.SUCCESS,
        _("Taken again just now on the same facts, under the charter of then: the same answer."),
    ),
    replaying.DIFFERENT: (
        notices.WARNING,
        _("Taken again just now on the same facts: the answer is another one (%(differs)s)."),
    ),
    replaying.NOT_ASKED: (
        notices.INFO,
        _("There is nothing to take again: the policy was not asked, or its facts were not kept then."),
    ),
    replaying.UNREADABLE: (
        notices.WARNING,
        _("It cannot be taken again: its facts or its charter cannot be read."),
    ),
}


def _link(name: str, pk: int, text: str) -> SafeString | str:
    try:
        return format_html('<a href="{}">{}</a>', reverse(name, args=[pk]), text)
    except NoReverseMatch:
        return text
