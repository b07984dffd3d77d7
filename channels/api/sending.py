"""Provider accounts and uncertain messages, for programs that watch over sending."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import dns.resolver
from rest_framework import serializers

from channels import accounts, flow_words, pausing, resolving, sealing, sender_domain
from channels.addresses import AddressError
from channels.models import Message, ProviderAccount
from channels.models.provider import Channel
from channels.providers.base import NotReadyError, Outcome
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
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


class CheckedShape(Fields):
    works = serializers.BooleanField()
    code = serializers.CharField(help_text="Such as settings, connect, auth; empty where it works.")
    message = serializers.CharField(help_text="What was found, in plain words.")


class TestBody(Fields):
    address = serializers.CharField(
        max_length=320, help_text="Email address, phone number, or for a push the contact's email or user id."
    )


class TestedShape(Fields):
    outcome = serializers.ChoiceField(choices=[one.value for one in Outcome])
    code = serializers.CharField()
    message = serializers.CharField(help_text="The provider's words.")


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
        account = _one(account_id)
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


class AccountCheck(Endpoint):
    scopes = {"POST": "providers:write"}
    # The provider is waited for, which no transaction may do.
    commits_itself = True

    @operation("check_provider_account", "Whether its settings work", answer=CheckedShape)
    def post(self, call: Call, account_id: int) -> Any:
        """Connects, and sends nothing. Takes up to half a minute."""
        account = _one(account_id)
        try:
            return {"works": True, "code": "", "message": accounts.check(account)}
        except NotReadyError as error:
            return {"works": False, "code": error.code, "message": str(error)}


class AccountTest(Endpoint):
    scopes = {"POST": "providers:write"}
    commits_itself = True

    @operation("test_provider_account", "Send a short test", body=TestBody, answer=TestedShape)
    def post(self, call: Call, account_id: int) -> Any:
        """Of the channels email, SMS and push; outside of all rules and counts."""
        account = _one(account_id)
        if account.channel not in accounts.TESTABLE:
            raise Refused(409, "no_test", "Accounts of this channel send no test.")
        try:
            result = accounts.send_test(account, call.body["address"], call.now)
        except AddressError as error:
            raise bad_request("invalid", str(error), "address") from None
        except NotReadyError as error:
            raise Refused(409, "not_ready", str(error)) from None
        call.audit(account, f"sent a test: {result.outcome.value}")
        return {"outcome": result.outcome.value, "code": result.code, "message": result.detail}


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


def _one(account_id: int) -> ProviderAccount:
    found = ProviderAccount.objects.filter(pk=account_id).first()
    if found is None:
        raise not_found("account")
    return found


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
