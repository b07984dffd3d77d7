"""Provider accounts: what a provider must know, kept secrets that are never shown, a check and a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dns.resolver
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from channels import accounts, addresses, flow_words, mailbox, pausing, sealing, sender_domain
from channels.addresses import AddressError
from channels.admin.flow import FlowPages
from channels.admin.pausing import ChannelPauses
from channels.models import Flow, ProviderAccount
from channels.models.provider import Channel
from channels.providers import PROVIDERS
from channels.providers.base import NotReadyError, Outcome, Setting
from contacts import clock

_PREFIX = "value_"
#: What an email account says about the sender, whichever provider carries it.
_SENDER = (
    Setting("from_email", "From address", "Such as hello@your-domain.example", reads=addresses.email),
    Setting("from_name", "From name"),
    Setting("reply_to", "Reply to", reads=addresses.email),
    Setting(
        "postal_address",
        "Postal address",
        "At the foot of each commercial email; the law asks for it.",
    ),
)


class AccountForm(forms.ModelForm):
    """The account itself; the provider's own fields are added by the page."""

    kind = forms.ChoiceField(label=_("Provider"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = ProviderAccount
        fields = ("name", "channel", "kind", "position", "active", "paused")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = self.fields["kind"]
        if isinstance(kinds, forms.ChoiceField):
            kinds.choices = [(kind, provider.label) for kind, provider in PROVIDERS.items()]
        for setting in settings_of(self.instance):
            field = self.fields.get(_PREFIX + setting.name)
            if field is not None and not setting.secret:
                field.initial = self.instance.settings.get(setting.name, setting.default)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        kind, channel = values.get("kind", ""), values.get("channel", "")
        if kind in PROVIDERS and channel not in PROVIDERS[kind].channels:
            self.add_error("kind", _("This provider does not carry this channel."))
        return values


def settings_of(account: ProviderAccount | None) -> tuple[Setting, ...]:
    """What this account must know; nothing before its provider is chosen."""
    if account is None or account.kind not in PROVIDERS:
        return ()
    own = PROVIDERS[account.kind].settings
    return (*own, *_SENDER, *mailbox.SETTINGS) if account.channel == Channel.EMAIL else own


def _field(setting: Setting, known: set[str], now: str) -> forms.Field:
    """The field of a setting. ``known``: secrets that are kept; ``now``: what a plain one is."""
    if setting.choices:
        choices = list(setting.choices)
        # What was written before there was a list stays what it is until somebody chooses.
        if now and now not in dict(choices):
            choices.append((now, now))
        if not setting.default:
            choices.insert(0, ("", "—"))
        return forms.ChoiceField(
            label=setting.label,
            required=setting.required,
            help_text=setting.help,
            choices=choices,
            widget=UnfoldAdminSelectWidget,
        )
    lines = UnfoldAdminTextareaWidget(attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false"})
    validators = [_validator(setting.reads)] if setting.reads else []
    if setting.secret:
        kept = setting.name in known
        hidden = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        return forms.CharField(
            label=setting.label,
            required=setting.required and not kept,
            help_text=_("Kept, and never shown. Leave empty to keep it.") if kept else setting.help,
            widget=lines if setting.lines else hidden,
            validators=validators,
        )
    return forms.CharField(
        label=setting.label,
        required=setting.required,
        help_text=setting.help,
        widget=lines if setting.lines else UnfoldAdminTextInputWidget(),
        validators=validators,
    )


def _validator(reads: Callable[[str], object]) -> Callable[[str], None]:
    def validate(text: str) -> None:
        try:
            reads(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    return validate


@admin.register(ProviderAccount)
class ProviderAccountAdmin(ChannelPauses, FlowPages):
    form = AccountForm
    list_display = ["title", "channel_shown", "position", "state"]
    list_filter = ["channel", "active", "paused"]
    search_fields = ["name"]
    actions_detail = ["flow_page", "try_out"]
    compressed_fields = True

    @display(description=_("account"), header=True, ordering="name")
    def title(self, account: ProviderAccount) -> tuple[str, str]:
        provider = PROVIDERS.get(account.kind)
        return account.name, provider.label if provider else account.kind

    @display(description=_("channel"), ordering="channel", label=True)
    def channel_shown(self, account: ProviderAccount) -> str:
        return account.get_channel_display()

    @display(
        description=_("state"),
        label={
            "on": "success",
            "paused": "warning",
            "half_open": "warning",
            "off": "danger",
            "shut": "danger",
        },
    )
    def state(self, account: ProviderAccount) -> tuple[str, Any]:
        state = flow_words.state_of(account, next(iter(account.flows.all()), None), clock.now())
        return state, flow_words.label(state)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderAccount]:
        own = Prefetch("flows", Flow.objects.filter(domain=""))
        found: QuerySet[ProviderAccount] = super().get_queryset(request).prefetch_related(own)
        return found

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        known = set(_known_secrets(obj))
        told = obj.settings if obj else {}
        own = {
            _PREFIX + setting.name: _field(setting, known, str(told.get(setting.name) or ""))
            for setting in settings_of(obj)
        }
        kwargs["form"] = type("OwnAccountForm", (AccountForm,), own)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        base = [(None, {"fields": ["name", "channel", "kind", "position", "active", "paused"]})]
        if obj is None or obj.kind not in PROVIDERS:
            return base
        provider = PROVIDERS[obj.kind]
        parts: list[tuple[Any, tuple[Setting, ...]]] = [(provider.label, provider.settings)]
        if obj.channel == Channel.EMAIL:
            parts += [(_("Sender"), _SENDER), (_("Mailbox of bounces and answers"), mailbox.SETTINGS)]
        return base + [
            (title, {"fields": [_PREFIX + setting.name for setting in settings]})
            for title, settings in parts
            if settings
        ]

    def save_model(self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool) -> None:
        given = {
            setting: form.cleaned_data.get(_PREFIX + setting.name, "")
            for setting in settings_of(obj)
            if _PREFIX + setting.name in form.cleaned_data
        }
        plain = {setting.name: value for setting, value in given.items() if not setting.secret}
        obj.settings = {**obj.settings, **plain}
        fresh = {setting.name: value for setting, value in given.items() if setting.secret and value}
        if fresh:
            obj.secrets = sealing.seal({**_known_secrets(obj), **fresh})
        accounts.prepare(obj)
        if "kind" in form.changed_data and "name" not in form.changed_data:
            accounts.rename(obj)
        if not change and accounts.missing(obj):
            # It must not take over the channel before it can carry anything.
            obj.active = False
        elif change and "active" not in form.changed_data and not accounts.missing(obj):
            before = ProviderAccount.objects.get(pk=obj.pk)
            obj.active = obj.active or bool(accounts.missing(before))
        super().save_model(request, obj, form, change)
        if "paused" in form.changed_data and not obj.paused:
            pausing.look_again({obj.channel}, clock.now())

    def response_add(self, request: HttpRequest, obj: ProviderAccount, post_url_continue: Any = None) -> Any:
        if settings_of(obj):
            return self._ask_more(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: ProviderAccount) -> HttpResponse:
        # Another provider was chosen: its fields are there only now.
        if accounts.missing(obj):
            return self._ask_more(request, obj)
        answer: HttpResponse = super().response_change(request, obj)
        return answer

    def _ask_more(self, request: HttpRequest, obj: ProviderAccount) -> HttpResponse:
        missing = ", ".join(accounts.missing(obj))
        words = _("Now say what the provider must know: %s. It carries nothing before.") % missing
        messages.info(request, words if missing else _("Now say what the provider must know."))
        return HttpResponseRedirect(reverse("admin:channels_provideraccount_change", args=[obj.pk]))

    @action(description=_("Check and test…"), url_path="try")
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return HttpResponseRedirect(reverse("admin:channels_provideraccount_test", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.test_view)
        return [path("<int:pk>/test/", view, name="channels_provideraccount_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Connect, or send one short message to an address of one's own."""
        account = ProviderAccount.objects.filter(pk=pk).first()
        if account is None:
            raise Http404
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        looked = request.method == "POST" and "domain" in request.POST
        if request.method == "POST" and not looked:
            self._test(request, account)
            return HttpResponseRedirect(request.path)
        mails = account.channel == Channel.EMAIL
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Try %s") % account,
            "account": account,
            "provider": PROVIDERS[account.kind].label if account.kind in PROVIDERS else account.kind,
            "may_send": account.channel in accounts.TESTABLE,
            "callbacks": accounts.callback_addresses(account),
            "asked": accounts.sender_domain(account) if mails else None,
            "findings": _looked(account) if looked and mails else None,
            "has_mailbox": bool(mails and account.settings.get("mailbox_host")),
        }
        return TemplateResponse(request, "channels/provider_test.html", context)

    def _test(self, request: HttpRequest, account: ProviderAccount) -> None:
        try:
            if "check" in request.POST:
                messages.success(request, accounts.check(account))
                return
            if "mailbox" in request.POST:
                messages.success(request, mailbox.check(account))
                return
            result = accounts.send_test(account, request.POST.get("address", ""), clock.now())
        except (NotReadyError, AddressError) as error:
            messages.error(request, str(error))
            return
        words = f"{result.code} {result.detail}".strip()
        if result.outcome is Outcome.ACCEPTED:
            messages.success(request, _("Accepted: %s") % words)
        else:
            messages.error(request, _("Not accepted (%(outcome)s): %(words)s") % {
                "outcome": result.outcome.value, "words": words})  # fmt: skip


def _looked(account: ProviderAccount) -> list[sender_domain.Finding]:
    return sender_domain.look(accounts.sender_domain(account), dns.resolver.get_default_resolver())


def _known_secrets(account: ProviderAccount | None) -> dict[str, str]:
    if account is None:
        return {}
    try:
        return sealing.unseal(account.secrets)
    except sealing.SecretsUnreadableError:
        return {}
