"""Who writes: said once, on the set-up page, and true for every channel and public page.

It is kept with the account that carries emails. An account with a name of its own (another brand) keeps it.
``SEGUE_ORGANISATION`` is the name until somebody has said one.
"""

from __future__ import annotations

from django.conf import settings

from channels.models import ProviderAccount
from channels.models.provider import Channel

#: The address that the starter data writes from: nobody's own.
EXAMPLE_SENDER = "hello@shop.example"
_NOBODY = "Segue"


def email_account() -> ProviderAccount | None:
    """The account that carries emails: what it says of the sender is what the organisation is called."""
    active = ProviderAccount.objects.filter(channel=Channel.EMAIL, active=True)
    return active.order_by("position", "name").first()


def of(account: ProviderAccount | None) -> dict[str, str]:
    """Name and postal address, as every commercial message must say; one statement where it has none."""
    own = account.settings if account else {}
    house = {} if own.get("from_name") and own.get("postal_address") else _house()
    return {
        "name": str(own.get("from_name") or house.get("from_name") or settings.SEGUE_ORGANISATION or _NOBODY),
        "address": str(own.get("postal_address") or house.get("postal_address") or ""),
    }


def name() -> str:
    """What stands above public pages; empty while nobody has said it."""
    return str(_house().get("from_name") or settings.SEGUE_ORGANISATION)


def _house() -> dict[str, object]:
    account = email_account()
    # Starter data says a name, which is nobody's.
    if account is None or account.settings.get("from_email") == EXAMPLE_SENDER:
        return {}
    return dict(account.settings)
