"""Provider accounts: checked and tried out before anybody depends on them."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from channels import addresses, sealing
from channels.models import ProviderAccount
from channels.models.provider import Channel
from channels.providers import PROVIDERS, webpush
from channels.providers.base import NotReadyError, Parcel, Provider, Result, Words
from channels.rendering_mail import Mail


def opened(account: ProviderAccount) -> Provider:
    """The account's provider. Raises NotReadyError when its settings cannot be used."""
    try:
        return PROVIDERS[account.kind](account.id or 0, sealing.values_of(account))
    except KeyError:
        raise NotReadyError(_("There is no provider of this kind."), "settings") from None
    except (sealing.SecretsUnreadableError, ValueError) as error:
        raise NotReadyError(str(error), "settings") from None


def prepare(account: ProviderAccount) -> None:
    """Make what an account needs and nobody should have to make by hand: the keys of web push."""
    if account.kind == webpush.WebPush.kind:
        secrets = sealing.unseal(account.secrets)
        if not secrets.get("private_key"):
            account.secrets = sealing.seal({**secrets, "private_key": webpush.new_private_key()})


def push_key() -> str | None:
    """The public key with which browsers subscribe; None when no account carries pushes."""
    account = (
        ProviderAccount.objects.filter(kind=webpush.WebPush.kind, active=True).order_by("position").first()
    )
    if account is None:
        return None
    return webpush.public_key(str(sealing.values_of(account)["private_key"]))


def check(account: ProviderAccount) -> str:
    """What was found when connecting, in plain words. Raises NotReadyError."""
    provider = opened(account)
    try:
        return provider.check()
    except ValueError as error:
        raise NotReadyError(str(error), "settings") from None
    finally:
        provider.close()


def send_test(account: ProviderAccount, address: str, now: datetime) -> Result:
    """Send a short message to ``address``. Raises NotReadyError and AddressError."""
    provider = opened(account)
    parcel = _test_parcel(account, address, now)
    try:
        return provider.send([parcel], lambda parcels: parcels, now)[parcel.message_id]
    finally:
        provider.close()


def _test_parcel(account: ProviderAccount, address: str, now: datetime) -> Parcel:
    key = uuid.uuid4()
    text = _("This is a test from Segue. If you can read it, the account works.")
    if account.channel == Channel.EMAIL:
        checked = addresses.email(address)
        sender = str(account.settings.get("from_email") or settings.DEFAULT_FROM_EMAIL)
        content: Mail | Words = Mail(
            checked, sender, str(account.settings.get("from_name") or ""), _("A test from Segue"), text,
            "", f"<{key.hex}@{sender.rpartition('@')[2]}>", now,
        )  # fmt: skip
    else:
        checked = addresses.phone(address) if account.channel == Channel.SMS else address.strip()
        content = Words(text, _("A test from Segue"), settings.SEGUE_BASE_URL)
    # Not a message of anybody: a sandbox keeps it without one.
    return Parcel(-(key.int >> 65), now, key, account.channel, checked, content)
