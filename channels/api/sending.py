"""Provider accounts and uncertain messages, for programs that watch over sending."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import dns.resolver
from rest_framework import serializers

from channels import accounts, flow_words, pausing, resolving, sealing, sender_domain
from channels.models import Message, ProviderAccount
from channels.models.provider import Channel
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from contacts.api.fields import Fields


class DomainShape(Fields):
    domain = serializers.CharField()
    state = serializers.CharField(help_text="on, shut or half_open.")
    failures = serializers.IntegerField(help_text="In a row.")
    until = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()


class AccountShape(Fields):
    id = serializers.IntegerField()
    name = serializers.CharField()
    channel = serializers.CharField()
    state = serializers.CharField(help_text="on, paused, shut, half_open or off.")
    until = serializers.DateTimeField(allow_null=True, help_text="Nothing is handed over before.")
    rate_per_second = serializers.IntegerField(allow_null=True)
    waiting = serializers.IntegerField()
    sent_today = serializers.IntegerField(help_text="Counted while it is warmed up.")
    allowed_today = serializers.IntegerField(allow_null=True, help_text="Null: no warm-up holds it back.")
    uncertain = serializers.IntegerField()
    last_error = serializers.CharField()
    domains = DomainShape(many=True)


class DnsRecordShape(Fields):
    name = serializers.CharField()
    type = serializers.CharField()
    text = serializers.CharField()


class DomainFindingShape(Fields):
    check = serializers.CharField(help_text="Such as SPF, DKIM, DMARC, MX, PTR.")
    state = serializers.ChoiceField(choices=[one.value for one in sender_domain.State])
    message = serializers.CharField()
    record = DnsRecordShape(allow_null=True, help_text="What to add to the DNS.")


class SenderDomainShape(Fields):
    domain = serializers.CharField()
    state = serializers.ChoiceField(
        choices=[one.value for one in sender_domain.State], help_text="Of the worst finding."
    )
    findings = DomainFindingShape(many=True)


class PauseBody(Fields):
    paused = serializers.BooleanField()


class UncertainShape(Fields):
    key = serializers.UUIDField()
    contact = serializers.UUIDField()
    channel = serializers.CharField()
    account = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    wanted_at = serializers.DateTimeField()


class SettleBody(Fields):
    verdict = serializers.ChoiceField(choices=[one.value for one in resolving.Verdict])


class SettledShape(Fields):
    settled = serializers.BooleanField(help_text="False: it was settled meanwhile.")


class Accounts(Endpoint):
    scopes = {"GET": "providers:read"}

    @operation("list_provider_accounts", "How provider accounts are doing", answer=AccountShape, many=True)
    def get(self, call: Call) -> Any:
        """State, speed, warm-up, and the receiving domains that failed lately."""
        return [_account(one, call) for one in ProviderAccount.objects.all()]


class Account(Endpoint):
    scopes = {"POST": "providers:write"}

    @operation("pause_provider_account", "Pause or resume an account", body=PauseBody, answer=AccountShape)
    def post(self, call: Call, account_id: int) -> Any:
        """Messages of a paused account wait."""
        account = ProviderAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise not_found("account")
        _pause([account], call)
        return _account(account, call)


class ChannelPause(Endpoint):
    scopes = {"POST": "providers:write"}

    @operation("pause_channel", "Pause or resume a channel", body=PauseBody, answer=AccountShape, many=True)
    def post(self, call: Call, channel: str) -> Any:
        """Every active account that carries it. What waits for a paused channel leaves when it is resumed."""
        accounts = list(ProviderAccount.objects.filter(channel=channel, active=True))
        if not accounts:
            raise not_found("channel that an account carries")
        _pause(accounts, call)
        return [_account(one, call) for one in accounts]


class SenderDomain(Endpoint):
    scopes = {"GET": "providers:read"}

    @operation("check_sender_domain", "What the DNS says of its sender's domain", answer=SenderDomainShape)
    def get(self, call: Call, account_id: int) -> Any:
        """Of an email account. The DNS is asked now, which takes up to some seconds."""
        account = ProviderAccount.objects.filter(pk=account_id, channel=Channel.EMAIL).first()
        if account is None:
            raise not_found("email account")
        try:
            asked = accounts.sender_domain(account)
        except sealing.SecretsUnreadableError as error:
            raise Refused(409, "unreadable", str(error)) from None
        found = sender_domain.look(asked, dns.resolver.get_default_resolver())
        states = [one.state for one in found]
        order = (sender_domain.State.BAD, sender_domain.State.WARN)
        return {
            "domain": asked.domain,
            "state": next((one for one in order if one in states), sender_domain.State.GOOD).value,
            "findings": [_finding(one) for one in found],
        }


class Uncertain(Endpoint):
    scopes = {"GET": "messages:read"}

    @operation(
        "list_uncertain_messages",
        "Messages that may or may not have arrived",
        answer=UncertainShape,
        paged=True,
    )
    def get(self, call: Call) -> Any:
        """The oldest first."""
        (after,) = call.after or (0,)
        rows = resolving.uncertain(call.query["limit"] + 1, after)
        return call.paged_rows(rows, lambda shown: list(map(_uncertain, shown)), lambda row: [row.id])


class Settled(Endpoint):
    scopes = {"POST": "messages:settle"}

    @operation(
        "settle_message", "Say what became of an uncertain message", body=SettleBody, answer=SettledShape
    )
    def post(self, call: Call, key: UUID) -> Any:
        """Of an uncertain one; any other is not found. Sent again, it may arrive twice."""
        message = Message.objects.filter(key=key, state=Message.State.UNCERTAIN).first()
        if message is None:
            raise not_found("message")
        done = resolving.resolve(message, resolving.Verdict(call.body["verdict"]), call.now)
        if done:
            call.audit(message, f"Settled by hand: {call.body['verdict']}")
        return {"settled": done}


def _pause(accounts: list[ProviderAccount], call: Call) -> None:
    paused = call.body["paused"]
    moved = pausing.pause(accounts) if paused else pausing.resume(accounts, call.now)
    for account in moved:
        call.audit(account, "Paused" if paused else "Resumed")


def _account(account: ProviderAccount, call: Call) -> dict[str, Any]:
    health = flow_words.health(account, call.now)
    return {
        "id": account.pk,
        "name": account.name,
        "channel": account.channel,
        "state": health.state,
        "until": health.until,
        "rate_per_second": account.rate_per_second,
        "waiting": health.waiting,
        "sent_today": health.sent_today,
        "allowed_today": health.allowed_today,
        "uncertain": health.uncertain,
        "last_error": health.error,
        "domains": [
            {"domain": one.domain, "state": one.state, "failures": one.failures, "until": one.until,
             "last_error": one.error}
            for one in health.domains
        ],
    }  # fmt: skip


def _finding(one: sender_domain.Finding) -> dict[str, Any]:
    record = dict(zip(("name", "type", "text"), one.record, strict=True)) if one.record else None
    return {"check": one.title, "state": one.state.value, "message": str(one.words), "record": record}


def _uncertain(message: Message) -> dict[str, Any]:
    return {
        "key": message.key,
        "contact": message.contact.public_id,
        "channel": message.channel,
        "account": message.provider_id,
        "reason": message.reason,
        "wanted_at": message.created_at,
    }
