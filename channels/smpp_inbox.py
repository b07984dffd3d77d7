"""What SMPP gateways keep for us: receipts, and texts that people wrote. Fetched, kept, then confirmed.

A gateway hands everything out again that was not confirmed, and it is confirmed once it is committed: a death
in between costs a second copy and no message. A receipt's copy counts once by its key, a text's by its words
within a few minutes, since SMPP gives texts no id.
"""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import datetime

from django.db import transaction

from channels import accounts, callbacks_sms, hits, replying
from channels.alone import alone
from channels.hits import NewHit
from channels.models import ProviderAccount
from channels.providers.base import NotReadyError
from channels.providers.smpp import Smpp
from channels.providers.smpp_line import Line, LostError
from channels.providers.smpp_pdu import Command, Delivered, MalformedError, Pdu, delivered

log = logging.getLogger(__name__)

_STATES = {
    "DELIVRD": "delivered", "EXPIRED": "bounced", "UNDELIV": "bounced", "REJECTD": "rejected",
    "DELETED": "rejected",
}  # fmt: skip
#: Seconds of silence after which a gateway has nothing more for us, and seconds that one visit may take.
_SILENCE, _VISIT = 1.0, 15.0
_BATCH = 200
#: Seconds in which the same words from the same number are one text.
_ONE_TEXT = 300


def poll(now: datetime) -> int:
    """Visit the gateway of every active account; how many receipts and texts were taken."""
    taken = 0
    for account in ProviderAccount.objects.filter(kind=Smpp.kind, active=True):
        with alone("channels.smpp", account.pk) as free:
            if free:
                taken += _visit(account, now)
    return taken


def _visit(account: ProviderAccount, now: datetime) -> int:
    try:
        provider = accounts.opened(account)
        if not isinstance(provider, Smpp):
            return 0
        line = provider.open(Command.BIND_RECEIVER)
    except NotReadyError as error:
        log.warning("receipts of %s could not be fetched: %s", account.name, error)
        return 0
    try:
        return _emptied(account, provider, line, now)
    except LostError as error:
        log.warning("the line to %s broke: %s", account.name, error)
        return 0
    finally:
        line.close()


def _emptied(account: ProviderAccount, provider: Smpp, line: Line, now: datetime) -> int:
    """Take what there is, for as long as one visit may last. Raises LostError."""
    taken, ended = 0, time.monotonic() + _VISIT
    while time.monotonic() < ended and (units := _batch(line)):
        _take(account, units, now, latin=provider.latin)
        for unit in units:
            line.say(unit.answer(b"\0"))
        taken += len(units)
    return taken


def _batch(line: Line) -> list[Pdu]:
    """Units that came without a pause between them, a batch at most."""
    found: list[Pdu] = []
    while len(found) < _BATCH:
        # The first is waited for; behind it only what is there already, since gateways wait for our word.
        pdu = line.hear(0.05 if found else _SILENCE)
        if pdu is None:
            break
        if pdu.command == Command.DELIVER:
            found.append(pdu)
    return found


def _take(account: ProviderAccount, units: list[Pdu], now: datetime, *, latin: bool) -> None:
    receipts: list[NewHit] = []
    with transaction.atomic():
        for unit in units:
            try:
                told = delivered(unit.body, latin=latin)
            except MalformedError as error:
                # It would come again for ever: told and passed over.
                log.warning("%s delivered what cannot be read: %s", account.name, error)
                continue
            if told.state:
                kind = _STATES.get(told.state[:7])
                receipts += callbacks_sms.receipt(account, kind, told.name, told.error, now, ended=False)
            else:
                _take_text(account, told, now)
        hits.write(receipts)


def _take_text(account: ProviderAccount, told: Delivered, now: datetime) -> None:
    slice_of_time = int(now.timestamp()) // _ONE_TEXT
    words = f"{told.sender}\0{told.to}\0{told.text}\0{slice_of_time}".encode()
    key = hashlib.blake2b(words, digest_size=16).hexdigest()
    for one in callbacks_sms.text(key, told.sender, told.text):
        replying.take(
            one.sender, one.text, now, key=f"{account.pk}:{one.id}", proof={"account": account.name}
        )
