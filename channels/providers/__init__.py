"""The providers, one line each. See docs/how-to/providers.md for adding one."""

from __future__ import annotations

from channels.providers.anymail import Anymail
from channels.providers.apns import Apns
from channels.providers.audience import AudienceCsv
from channels.providers.audience_remote import AudienceGoogle, AudienceHttp, AudienceMeta
from channels.providers.base import Provider
from channels.providers.call_list import CallList
from channels.providers.fcm import Fcm
from channels.providers.http_sms import HttpSms
from channels.providers.inapp import InApp
from channels.providers.sandbox import Sandbox
from channels.providers.smpp import Smpp
from channels.providers.smtp import Smtp
from channels.providers.twilio import Twilio
from channels.providers.vonage import Vonage
from channels.providers.webhook import Webhook
from channels.providers.webpush import WebPush

PROVIDERS: dict[str, type[Provider]] = {
    provider.kind: provider
    for provider in (
        Smtp,
        Anymail,
        HttpSms,
        Smpp,
        Twilio,
        Vonage,
        WebPush,
        Fcm,
        Apns,
        InApp,
        Webhook,
        AudienceCsv,
        AudienceHttp,
        AudienceMeta,
        AudienceGoogle,
        CallList,
        Sandbox,
    )
}


def carries(kind: str, address: str) -> bool:
    """Whether a provider takes such an address: a browser's push is nothing to an app's service."""
    provider = PROVIDERS.get(kind)
    return provider is None or not provider.addresses or address.startswith(provider.addresses)
