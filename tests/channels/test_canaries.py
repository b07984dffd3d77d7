"""Secrets of accounts: nowhere but sealed, whatever is asked of them and whatever the other side repeats."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import serializers
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from channels import accounts, sealing
from channels.addresses import AddressError
from channels.models import ProviderAccount
from channels.providers import PROVIDERS
from channels.providers.base import NotReadyError
from contacts import clock
from tests.contracts.http_peer import http_peer

pytestmark = pytest.mark.django_db
WITH_SECRETS = sorted(
    kind for kind, provider in PROVIDERS.items() if any(setting.secret for setting in provider.settings)
)


def _values(kind: str, url: str) -> tuple[dict[str, str], dict[str, str]]:
    """Settings that lead to the peer, and a canary for each secret."""
    known = {
        "url": url,
        "api_url": url,
        "host": url,
        "service": "postmark",
        "senders": "Shop",
        "topic": "com.x",
    }
    if kind == "smtp":
        known |= {"host": "127.0.0.1", "port": "1", "security": "none", "username": "u"}
    plain = {
        one.name: known.get(one.name, one.default or "x")
        for one in PROVIDERS[kind].settings
        if not one.secret
    }
    plain |= {"timeout": "1", "port": known.get("port", "1")}
    if kind == "anymail":
        plain["options"] = json.dumps({"api_url": url})
    return plain, {one.name: f"canary-{one.name}" for one in PROVIDERS[kind].settings if one.secret}


@pytest.mark.parametrize("kind", WITH_SECRETS)
def test_a_secret_is_nowhere_but_sealed(
    kind: str, admin_client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    said: list[Any] = []
    with http_peer() as peer:
        peer.choose = lambda asked: "echo"
        plain, secrets = _values(kind, peer.url("x"))
        (channel, *_more) = sorted(PROVIDERS[kind].channels)
        account = ProviderAccount.objects.create(
            name=kind, channel=channel, kind=kind, settings=plain, secrets=sealing.seal(secrets)
        )
        test = reverse("admin:channels_provideraccount_test", args=[account.pk])
        change = reverse("admin:channels_provideraccount_change", args=[account.pk])
        said.append(admin_client.post(test, {"check": "1"}, follow=True).content.decode())
        address = {"email": "ann@example.com", "sms": "+33612345678"}.get(channel, "nobody")
        said.append(admin_client.post(test, {"address": address}, follow=True).content.decode())
        try:
            said.append(repr(accounts.send_test(account, address, clock.now())))
        except (NotReadyError, AddressError) as error:
            said.append(repr(error))
    said += [admin_client.get(page).content.decode() for page in (change, test)]
    said.append(serializers.serialize("json", [account, *LogEntry.objects.all()]))
    said.append(caplog.text)
    for text in said:
        assert "canary-" not in text
    assert sealing.unseal(account.secrets) == secrets
