"""The providers, one line each. See docs/how-to/providers.md for adding one."""

from __future__ import annotations

from channels.providers.anymail import Anymail
from channels.providers.audience import AudienceCsv, AudienceHttp
from channels.providers.base import Provider
from channels.providers.http_sms import HttpSms
from channels.providers.inapp import InApp
from channels.providers.sandbox import Sandbox
from channels.providers.smtp import Smtp
from channels.providers.webpush import WebPush

PROVIDERS: dict[str, type[Provider]] = {
    provider.kind: provider
    for provider in (
        Smtp,
        Anymail,
        HttpSms,
        WebPush,
        InApp,
        AudienceCsv,
        AudienceHttp,
        Sandbox,
    )
}
