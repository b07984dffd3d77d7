"""The KPI catalogue: each figure is a declaration; the rollup fills it from the event log."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure a day, channel and journey.

    ``event`` is the log event that counts. ``once`` counts only the first of its kind for a message,
    ``credited`` only those that a message of the same journey came before (its channel gets the credit).
    ``amount`` names the property that is summed.
    """

    key: str
    name: Promise
    event: str
    description: Promise
    once: bool = False
    credited: bool = False
    amount: str = ""


CATALOGUE = (
    Kpi("sent", _("Sent"), "Message Sent", _("Messages that a provider accepted.")),
    Kpi("delivered", _("Delivered"), "Message Delivered", _("Messages whose provider confirmed delivery.")),
    Kpi("opened", _("Opened"), "Message Opened", _("Messages opened by a person, counted once."), once=True),
    Kpi(
        "clicked",
        _("Clicked"),
        "Message Clicked",
        _("Messages clicked by a person, counted once."),
        once=True,
    ),
    Kpi(
        "converted",
        _("Conversions"),
        "Journey Converted",
        _("Journey goals reached within five days of a message of that journey, and their value."),
        credited=True,
        amount="value",
    ),
    Kpi(
        "goals",
        _("Goals reached"),
        "Journey Converted",
        _("All journey goals reached, with or without a message before."),
        amount="value",
    ),
    Kpi("unsubscribed", _("Unsubscribed"), "Message Unsubscribed", _("Withdrawals by a link in a message.")),
    Kpi("bounced", _("Bounced"), "Message Bounced", _("Messages that came back.")),
    Kpi("complained", _("Complaints"), "Message Complained", _("Messages marked as spam.")),
    Kpi("held", _("Held"), "Message Held", _("Times the policy made a message wait.")),
    Kpi("dropped", _("Not sent"), "Message Dropped", _("Messages that the policy dropped.")),
    Kpi("failed", _("Failed"), "Message Failed", _("Messages that no provider took.")),
    Kpi("entered", _("Entered"), "Journey Entered", _("Contacts who began a journey.")),
    Kpi(
        "orders", _("Orders"), "Order Completed", _("All orders, with or without a message."), amount="total"
    ),
    Kpi("new_contacts", _("New contacts"), "Contact Created", _("Contacts seen for the first time.")),
)

BY_KEY = {kpi.key: kpi for kpi in CATALOGUE}
BY_EVENT: dict[str, list[Kpi]] = {}
for _kpi in CATALOGUE:
    BY_EVENT.setdefault(_kpi.event, []).append(_kpi)
