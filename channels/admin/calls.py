"""The call centre's list: whom to call next, and how each call ended."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels import calls
from channels.models import CallTask
from contacts import clock
from contacts.paging import CappedPaginator

_State = CallTask.State


class EndForm(forms.Form):
    """How a call ended."""

    outcome = forms.ChoiceField(label=_("How did it end?"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For your colleagues. It stays with the call and is in no event."),
    )
    # What the agent saw: the same form twice ends one call.
    tries = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, outcomes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["outcome"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(name, name) for name in outcomes]


@admin.register(CallTask)
class CallTaskAdmin(ModelAdmin):
    list_display = ["who", "audience", "due_at", "tries", "outcome", "state_shown"]
    list_filter = ["state", "audience"]
    list_select_related = ["contact", "audience", "agent"]
    ordering = ["state", "due_at", "id"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallTask | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallTask]:
        rows: QuerySet[CallTask] = super().get_queryset(request)
        if request.GET.get("state__exact"):
            return rows
        # Without a filter, what there is to do.
        return rows.filter(calls.free(request.user.pk or 0, clock.now())) if _lists(request) else rows

    @display(description=_("contact"), header=True)
    def who(self, task: CallTask) -> tuple[str, str]:
        return str(task.contact), task.contact.phone or str(_("no number"))

    @display(
        description=_("state"),
        label={"open": "info", "done": "success", "withdrawn": "warning", "hand": "warning"},
    )
    def state_shown(self, task: CallTask) -> tuple[str, Any]:
        if task.state == _State.OPEN and task.agent and task.held_until and task.held_until > clock.now():
            return "hand", _("in hand: %s") % task.agent
        return task.state, task.get_state_display()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        task = self._task(request, object_id)
        rules = calls.rules_of(task)
        may_call = self.has_change_permission(request, task)
        form = EndForm(
            request.POST if "end" in request.POST else None,
            outcomes=[one.name for one in rules.outcomes], initial={"tries": task.tries},
        )  # fmt: skip
        if request.method == "POST":
            if not may_call:
                raise PermissionDenied
            if "take" in request.POST:
                return self._take(request, task)
            if form.is_valid():
                return self._end(request, task, form)
        now = clock.now()
        in_hand = bool(task.agent_id == request.user.pk and task.held_until and task.held_until > now)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Call %s") % task.contact,
            "task": task,
            "form": form,
            "in_hand": in_hand,
            "is_free": CallTask.objects.filter(calls.free(request.user.pk or 0, now), pk=task.pk).exists(),
            "may_call": may_call,
        }
        return TemplateResponse(request, "channels/call_task.html", context)

    def _take(self, request: HttpRequest, task: CallTask) -> HttpResponseBase:
        try:
            calls.take(task.pk, request.user.pk or 0, clock.now())
        except calls.NotOpenError:
            notices.warning(request, _("Somebody else has this call in hand, or it is over."))
        return HttpResponseRedirect(request.path)

    def _end(self, request: HttpRequest, task: CallTask, form: EndForm) -> HttpResponseBase:
        given = form.cleaned_data
        chosen = next(one for one in calls.rules_of(task).outcomes if one.name == given["outcome"])
        task.tries = given["tries"]
        try:
            calls.end(task, chosen, given["note"], request.user.pk or 0, clock.now())
        except calls.NotOpenError:
            notices.warning(request, _("This call was ended in the meantime."))
        else:
            notices.success(request, _("Written down: %s.") % chosen.name)
        return HttpResponseRedirect(reverse("admin:channels_calltask_changelist"))

    def _task(self, request: HttpRequest, object_id: str) -> CallTask:
        rows = CallTask.objects.select_related("contact", "audience", "audience__purpose", "agent")
        task = rows.filter(pk=int(object_id)).first() if object_id.isdigit() else None
        if task is None:
            raise Http404
        if not self.has_view_permission(request, task):
            raise PermissionDenied
        return task


def _lists(request: HttpRequest) -> bool:
    return (
        request.resolver_match is not None
        and request.resolver_match.url_name == "channels_calltask_changelist"
    )
