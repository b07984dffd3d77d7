"""Provider accounts: checked and tried out before anybody depends on them."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from channels import addresses, dkim_signing, previewing, sealing, standard_webhooks, subscribing
from channels import sender_domain as sender_domain_check
from channels.addresses import AddressError
from channels.models import ProviderAccount
from channels.models.provider import Channel
from channels.providers import PROVIDERS, carries, webpush
from channels.providers.base import NotReadyError, Parcel, Provider, Result, Words
from channels.providers.outgoing import NoAnswerError, NotAllowedError, NotSentError, Outgoing
from channels.providers.sandbox import Sandbox
from channels.providers.smtp import Smtp
from channels.providers.webhook import Webhook
from channels.rendering_mail import Mail
from contacts.models import ChannelAddress

log = logging.getLogger(__name__)

_AMAZON = re.compile(
    r"https://sns\.[a-z0-9-]{4,30}\.amazonaws\.com(\.cn)?/\?Action=ConfirmSubscription&\S{1,1500}"
)
#: What services want in SPF, where they want anything.
_INCLUDES = {
    "amazon_ses": "amazonses.com", "brevo": "spf.brevo.com", "mailersend": "_spf.mailersend.net",
    "mailgun": "mailgun.org", "mailjet": "spf.mailjet.com", "mandrill": "spf.mandrillapp.com",
    "postmark": "spf.mtasv.net", "sendgrid": "sendgrid.net", "sparkpost": "sparkpostmail.com",
}  # fmt: skip


#: Channels whose accounts send a test to an address of one's own.
TESTABLE = frozenset({Channel.EMAIL, Channel.SMS, Channel.PUSH})


def opened(account: ProviderAccount) -> Provider:
    """The account's provider. Raises NotReadyError when its settings cannot be used."""
    try:
        return PROVIDERS[account.kind](account.id or 0, sealing.values_of(account))
    except KeyError:
        raise NotReadyError(_("There is no provider of this kind."), "settings") from None
    except (sealing.SecretsUnreadableError, ValueError) as error:
        raise NotReadyError(str(error), "settings") from None


def prepare(account: ProviderAccount) -> None:
    """Make what an account needs and nobody should have to make by hand: keys of web push and of DKIM."""
    if account.kind == webpush.WebPush.kind:
        _make(account, "private_key", webpush.new_private_key)
    if account.kind == Webhook.kind:
        _make(account, "secret", standard_webhooks.new_secret)
    if account.kind == Smtp.kind and account.settings.get("dkim_selector"):
        _make(account, "dkim_key", dkim_signing.new_key)


def missing(account: ProviderAccount) -> list[str]:
    """What the account's provider must know and was not told, as its form calls it."""
    if account.kind not in PROVIDERS:
        return []
    required = [one for one in PROVIDERS[account.kind].settings if one.required]
    try:
        values = sealing.values_of(account) if required else {}
    except sealing.SecretsUnreadableError:
        values = account.settings
    return [one.label for one in required if not values.get(one.name)]


def rename(account: ProviderAccount) -> None:
    """Let an account that was a sandbox not be called one any more."""
    if account.kind == Sandbox.kind or not account.name.endswith(" sandbox"):
        return
    name = f"{account.name.removesuffix(' sandbox')}: {PROVIDERS[account.kind].label}"[:120]
    if not ProviderAccount.objects.filter(name=name).exclude(pk=account.pk).exists():
        account.name = name


def _make(account: ProviderAccount, name: str, new: Callable[[], str]) -> None:
    secrets = sealing.unseal(account.secrets)
    if not secrets.get(name):
        account.secrets = sealing.seal({**secrets, name: new()})


def confirm_topic(address: str) -> None:
    """Confirm a subscription of Amazon's notifications, at Amazon and nowhere else."""
    if not _AMAZON.fullmatch(address):
        return
    outgoing = Outgoing()
    try:
        outgoing.call("GET", address)
    except (NotAllowedError, NotSentError, NoAnswerError) as error:
        log.warning("a topic could not be confirmed: %s", error)
    finally:
        outgoing.close()


def sender_domain(account: ProviderAccount) -> sender_domain_check.Asked:
    """What there is to ask the DNS about an email account."""
    values = sealing.values_of(account)
    sender = str(values.get("from_email") or settings.DEFAULT_FROM_EMAIL)
    domain = sender.rpartition("@")[2].lower()
    keys = [(one.strip(), "") for one in str(values.get("dkim_selectors") or "").split(",") if one.strip()]
    if values.get("dkim_selector") and values.get("dkim_key"):
        with suppress(dkim_signing.BadKeyError):
            keys.append((str(values["dkim_selector"]), dkim_signing.record(str(values["dkim_key"]))))
    own_server = account.kind == Smtp.kind
    return sender_domain_check.Asked(
        domain,
        str(values.get("host") or "") if own_server else "",
        _INCLUDES.get(str(values.get("service") or ""), ""),
        tuple(keys),
        urlsplit(settings.SEGUE_BASE_URL).hostname or "",
    )


def callback_addresses(account: ProviderAccount) -> list[tuple[str, str]]:
    """What to tell the provider: where its reports go, and where what people write back goes."""
    if account.kind not in PROVIDERS:
        return []
    return [
        (str(_(words)), f"{settings.SEGUE_BASE_URL}{path.replace('<id>', str(account.pk))}")
        for words, path in PROVIDERS[account.kind].callbacks
    ]


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
    except NotReadyError as error:
        raise NotReadyError(provider.hushed(str(error)), error.code, error.retry_after) from None
    except ValueError as error:
        raise NotReadyError(provider.hushed(str(error)), "settings") from None
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


def _push(account: ProviderAccount, who: str, text: str, key: uuid.UUID, now: datetime) -> Parcel:
    """A push to the newest device of a contact, by email, user id or number. Raises AddressError."""
    contact = previewing.find(who) or subscribing.find(who.strip(), "")
    if contact is None:
        raise AddressError(_("There is no contact with this email address or user id."))
    rows = ChannelAddress.objects.filter(
        contact=contact, slot=contact.slot, channel=Channel.PUSH, active=True
    )
    taken = [one for one in rows.order_by("-created_at")[:20] if carries(account.kind, one.address)]
    if not taken:
        raise AddressError(_("This contact has no browser or app to which this account can push."))
    words = Words(text, _("A test from Segue"), settings.SEGUE_BASE_URL)
    return Parcel(-(key.int >> 65), now, key, Channel.PUSH, taken[0].address, words, taken[0].data)


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
    elif account.channel == Channel.PUSH:
        return _push(account, address, text, key, now)
    else:
        checked = addresses.phone(address) if account.channel == Channel.SMS else address.strip()
        content = Words(text, _("A test from Segue"), settings.SEGUE_BASE_URL)
    # Not a message of anybody: a sandbox keeps it without one.
    return Parcel(-(key.int >> 65), now, key, account.channel, checked, content)
