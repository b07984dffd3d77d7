"""The page of an account's speed and state: limits, warm-up, breakers, and the button that pauses it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action

from channels import flow, flow_rules, flow_words, pausing
from channels.models import ProviderAccount
from contacts import clock, pulse

_MOST_DAYS = 60


class LimitsForm(forms.ModelForm):
    """How fast the account may send."""

    rates = forms.CharField(
        label=_("Most per second and receiving domain"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("A line each, such as “gmail.com 20”. A star stands for every other domain: “* 50”."),
    )

    class Meta:
        model = ProviderAccount
        fields = ("rate_per_second", "warmup_from", "warmup_first", "warmup_growth", "warmup_target")
        widgets = {"warmup_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rates"].initial = flow_rules.written_rates(self.instance.domain_rates or {})

    def clean_rate_per_second(self) -> int | None:
        rate: int | None = self.cleaned_data["rate_per_second"]
        if rate == 0:
            raise forms.ValidationError(_("At least one a second; to stop it, pause the account."))
        return rate

    def clean_rates(self) -> dict[str, float]:
        try:
            return flow_rules.read_rates(self.cleaned_data["rates"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        first, target = values.get("warmup_first"), values.get("warmup_target")
        if first == 0:
            self.add_error("warmup_first", _("At least one message."))
        if first and target and target < first:
            self.add_error("warmup_target", _("It must be more than on the first day."))
        return values

    def save(self, commit: bool = True) -> ProviderAccount:
        self.instance.domain_rates = self.cleaned_data["rates"]
        saved: ProviderAccount = super().save(commit)
        return saved


class FlowPages(ModelAdmin):
    """What the admin of accounts takes from here."""

    @action(description=_("Speed and state…"), url_path="flow-page")
    def flow_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return HttpResponseRedirect(reverse("admin:channels_provideraccount_flow", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.flow_view)
        return [path("<int:pk>/flow/", view, name="channels_provideraccount_flow"), *super().get_urls()]

    def flow_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        account = ProviderAccount.objects.filter(pk=pk).first()
        if account is None:
            raise Http404
        if not self.has_view_permission(request, account):
            raise PermissionDenied
        form = LimitsForm(instance=account)
        if request.method == "POST":
            if not self.has_change_permission(request, account):
                raise PermissionDenied
            if "limits" not in request.POST:
                self._act(request, account)
                return HttpResponseRedirect(request.path)
            form = LimitsForm(request.POST, instance=account)
            if form.is_valid():
                form.save()
                self.log_change(request, account, "Changed its speed")
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(request.path)
        return TemplateResponse(request, "channels/flow.html", self._context(request, account, form))

    def _context(self, request: HttpRequest, account: ProviderAccount, form: LimitsForm) -> dict[str, Any]:
        ramp = flow.warmup(ProviderAccount.objects.get(pk=account.pk))
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Speed and state of %s") % account.name,
            "account": account,
            "health": flow_words.health(account, clock.now()),
            "plan": list(enumerate(ramp.plan()[:_MOST_DAYS], 1)) if ramp else [],
            "form": form,
            "may_change": self.has_change_permission(request, account),
            "uncertain_page": reverse("admin:channels_message_uncertain"),
        }

    def _act(self, request: HttpRequest, account: ProviderAccount) -> None:
        if "open" in request.POST:
            if flow.let_through(account, request.POST["open"] or None):
                self.log_change(request, account, f"Let through again: {request.POST['open'] or 'all'}")
                pulse.wake("deliver")
            messages.success(request, _("Messages go again."))
        elif "pause" in request.POST and request.POST.get("sure"):
            pausing.pause([account])
            self.log_change(request, account, "Paused")
            messages.success(request, _("Paused. Its messages wait."))
        elif "resume" in request.POST:
            pausing.resume([account], clock.now())
            self.log_change(request, account, "Resumed")
            messages.success(request, _("Its messages go again."))
        else:
            messages.error(request, _("Confirm it, please."))
