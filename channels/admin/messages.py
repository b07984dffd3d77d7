"""Messages: where each one is, why, and what came back. The uncertain ones can be settled here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from channels import explaining, receipt_words, resolving
from channels.admin.uncertain import UncertainPage
from channels.models import Attempt, Decision, Message, ProviderAccount, Receipt, TrackedLink
from channels.models.provider import Channel
from contacts import clock
from contacts.models import Contact
from contacts.paging import CappedPaginator

State = Message.State
TONES = {
    State.ACCEPTED: "success",
    State.UNCERTAIN: "warning",
    State.REJECTED: "danger",
    State.DROPPED: "danger",
    State.EXPIRED: "danger",
}
_PILLS = {"success": "is-good", "warning": "is-warn", "danger": "is-bad", "info": "is-info"}
#: Reasons in words; others are a provider's code and shown as they are.
REASONS = {
    "template": _("The template cannot be written for this contact"),
    "address": _("The address is not one that can be written to"),
    "attempts_used": _("Tried as often as allowed"),
    "deadline": _("Too late"),
    "no_answer": _("Handed over, but no answer came back"),
    "worker_lost": _("The worker was lost while handing it over"),
    "rescued": _("Taken up again after a worker was lost"),
    "resent": _("Being sent again after no answer came"),
    "receipt": _("Settled by a receipt"),
    "by_hand": _("Settled by hand"),
}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(state.value), state.label.capitalize()) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        value = self.value() or ""
        return queryset.filter(state=int(value)) if value.isdigit() else queryset


class ChannelFilter(admin.SimpleListFilter):
    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Channel.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


@admin.register(Message)
class MessageAdmin(UncertainPage):
    list_display = ["who", "channel_shown", "content_shown", "state_shown", "reason_shown", "created_at"]
    list_filter = [StateFilter, ChannelFilter]
    search_fields = ["address"]
    search_help_text = _("Email or phone of the contact, exactly")
    ordering = ["-created_at", "-id"]
    list_select_related = ["contact"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None
    actions_list = ["uncertain_page"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        term = search_term.strip().lower()
        if not term:
            return queryset, False
        # By contact: the big table has no index on addresses.
        found = Contact.objects.filter(email=term).values_list("pk", flat=True)[:200]
        called = Contact.objects.filter(phone=term).values_list("pk", flat=True)[:200]
        return queryset.filter(contact_id__in={*found, *called}), False

    @display(description=_("contact"), header=True)
    def who(self, message: Message) -> tuple[str, str]:
        return str(message.contact), Truncator(message.address).chars(48)

    @display(description=_("channel"), label=True)
    def channel_shown(self, message: Message) -> str:
        return explaining.channel_name(message.channel or next(iter(message.wanted), ""))

    @display(description=_("journey and template"), header=True)
    def content_shown(self, message: Message) -> tuple[str, str]:
        return message.origin_slug or message.origin_kind, _template(message)

    @display(description=_("state"), label={tone: tone for tone in (*TONES.values(), "info")})
    def state_shown(self, message: Message) -> tuple[str, Any]:
        state = State(message.state)
        return TONES.get(state, "info"), state.label.capitalize()

    @admin.display(description=_("why"))
    def reason_shown(self, message: Message) -> str:
        return str(REASONS.get(message.reason) or message.reason.replace("_", " ").capitalize() or "–")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        message = self._message(request, object_id)
        may_settle = message.state == State.UNCERTAIN and self.has_change_permission(request, message)
        if request.method == "POST":
            if not may_settle:
                raise PermissionDenied
            return self._settle(request, message)
        state = State(message.state)
        receipts = list(
            Receipt.objects.filter(message_id=message.id, message_created_at=message.created_at)
            .order_by("received_at", "id")[:200]
        )  # fmt: skip
        links = TrackedLink.objects.in_bulk({one.link_id for one in receipts if one.link_id})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Message to %s") % message.contact,
            "message": message,
            "template": _template(message),
            "state": state.label.capitalize(),
            "tone": _PILLS[TONES.get(state, "info")],
            # The policy's reasons are told below, in whole sentences.
            "reason": REASONS.get(message.reason, ""),
            "provider": ProviderAccount.objects.filter(pk=message.provider_id or 0).first(),
            "decisions": [
                {"at": one.decided_at, "words": explaining.explain(one), "steps": explaining.steps(one)}
                for one in Decision.objects.filter(message_id=message.id).order_by("decided_at", "id")
            ],
            "attempts": Attempt.objects.filter(message_id=message.id).order_by("started_at", "id"),
            "receipts": [
                {
                    "at": one.received_at,
                    "what": receipt_words.kind(one.kind),
                    "who": receipt_words.actor(one.actor),
                    "why": receipt_words.why(one.detail),
                    "link": links.get(one.link_id or 0),
                }
                for one in receipts
            ],
            "may_settle": may_settle,
            "contact_page": _contact_page(message),
        }
        return TemplateResponse(request, "channels/message.html", context)

    def _settle(self, request: HttpRequest, message: Message) -> HttpResponseBase:
        chosen = request.POST.get("verdict", "")
        if chosen in set(resolving.Verdict) and request.POST.get("sure"):
            with transaction.atomic():
                done = resolving.resolve(message, resolving.Verdict(chosen), clock.now())
            if done:
                self.log_change(request, message, f"Settled by hand: {chosen}")
                notices.success(request, _("Settled."))
            else:
                notices.warning(request, _("It was settled in the meantime."))
        else:
            notices.error(request, _("Choose what happened and confirm it."))
        return HttpResponseRedirect(request.path)

    def _message(self, request: HttpRequest, object_id: str) -> Message:
        message = Message.objects.filter(id=int(object_id)).first() if object_id.isdigit() else None
        if message is None:
            raise Http404
        if not self.has_view_permission(request, message):
            raise PermissionDenied
        return message


def _template(message: Message) -> str:
    if message.channel:
        return str(message.content.get(message.channel, ""))
    return ", ".join(map(str, message.content.values()))


def _contact_page(message: Message) -> str:
    return reverse("admin:contacts_contact_change", args=[message.contact_id])
