"""Where one contact can be written to, channel by channel."""

from __future__ import annotations

from contacts.models import ChannelAddress, Contact


def of(contact: Contact) -> dict[str, str]:
    """Channel to address, empty where there is none; of several browsers the latest that subscribed."""
    rows = ChannelAddress.objects.filter(
        slot=contact.slot, contact_id=contact.pk, channel="push", active=True
    ).order_by("-created_at")
    push = rows.values_list("address", flat=True).first()
    return {"email": contact.email, "sms": contact.phone, "push": push or ""}
