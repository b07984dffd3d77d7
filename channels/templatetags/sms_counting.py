"""``{% sms_count "id_body" %}``: how many segments a text field makes, while one writes in it."""

from __future__ import annotations

import json
from typing import Any

from django import template

from channels import sms_prices
from channels.models import ProviderAccount
from channels.models.provider import Channel

register = template.Library()


@register.inclusion_tag("channels/sms_count.html")
def sms_count(field_id: str) -> dict[str, Any]:
    """A place that sms_count.js fills; prices are those of the account that carries texts."""
    account = (
        ProviderAccount.objects.filter(channel=Channel.SMS, active=True).order_by("position", "name").first()
    )
    prices, currency = sms_prices.known(account.settings if account else {})
    return {"field_id": field_id, "prices": json.dumps(prices), "currency": currency}
