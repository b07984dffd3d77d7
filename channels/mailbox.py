"""The mailbox to which bounces and answers come, read over IMAP or POP: each mail becomes a hit, once.

Over IMAP what was read is marked as seen and stays; over POP, which has no marks, it is deleted. Nothing
else may use the mailbox.
"""

from __future__ import annotations

import imaplib
import poplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Protocol

from django.db import transaction

from channels import callbacks_mail, hits, returned_mail, sealing
from channels.alone import alone
from channels.models import ProviderAccount
from channels.models.provider import Channel
from channels.providers import reading
from channels.providers.base import NotReadyError, Setting

_PROTOCOLS = (
    ("imap", "IMAP with TLS"),
    ("pop", "POP with TLS"),
    ("imap-plain", "IMAP without encryption"),
    ("pop-plain", "POP without encryption"),
)
SETTINGS = (
    Setting("mailbox_host", "Mailbox of bounces: server", "Empty: bounces are not read from a mailbox"),
    Setting("mailbox_protocol", "Mailbox: protocol", default="imap", choices=_PROTOCOLS),
    Setting("mailbox_port", "Mailbox: port", "Empty: the usual one", reads=reading.whole(1, 65_535)),
    Setting("mailbox_user", "Mailbox: user name"),
    Setting("mailbox_password", "Mailbox: password", secret=True),
)
_PORTS = {"imap": 993, "imap-plain": 143, "pop": 995, "pop-plain": 110}
_SECONDS = 20.0
_BATCH = 50
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_FAULTS = (OSError, imaplib.IMAP4.error, poplib.error_proto, EOFError)


class _Box(Protocol):
    def read(self, most: int) -> list[tuple[str, bytes]]: ...
    def done(self, name: str) -> None: ...
    def close(self) -> None: ...


def poll(now: datetime) -> int:
    """Read the mailbox of every account that has one; returns how many hits were written."""
    accounts = ProviderAccount.objects.filter(channel=Channel.EMAIL, active=True)
    taken = 0
    for account in accounts:
        if not account.settings.get("mailbox_host"):
            continue
        with alone("channels.mailbox", account.pk) as free, suppress(NotReadyError):
            taken += _drain(account, now) if free else 0
    return taken


def check(account: ProviderAccount) -> str:
    """Sign in and leave; what was found, in plain words. Raises NotReadyError."""
    with _opened(account) as box:
        waiting = len(box.read(1))
    return "The mailbox opens, and holds mail to be read." if waiting else "The mailbox opens, and is empty."


def _drain(account: ProviderAccount, now: datetime) -> int:
    with _opened(account) as box:
        mails = box.read(_BATCH)
        found = []
        for name, raw in mails:
            returned = returned_mail.read(raw)
            hit = returned and callbacks_mail.hit_of(
                returned, account.pk, returned_mail.own_id(raw) or name, now
            )
            if hit:
                found.append(hit)
        # What is written twice, because the connection broke before it was marked, counts once.
        with transaction.atomic():
            hits.write(found)
        for name, _raw in mails:
            box.done(name)
    return len(found)


@contextmanager
def _opened(account: ProviderAccount) -> Iterator[_Box]:
    """The account's mailbox. Raises NotReadyError, whatever goes wrong with it."""
    try:
        values = sealing.values_of(account)
        protocol = str(values.get("mailbox_protocol") or "imap")
        host, port = (
            str(values.get("mailbox_host") or ""),
            int(values.get("mailbox_port") or _PORTS[protocol]),
        )
    except (KeyError, ValueError):
        raise NotReadyError("The mailbox's protocol or port is not one.", "settings") from None
    except sealing.SecretsUnreadableError as error:
        raise NotReadyError(str(error), "settings") from None
    user, password = str(values.get("mailbox_user") or ""), str(values.get("mailbox_password") or "")
    kind = _Imap if protocol.startswith("imap") else _Pop
    try:
        box: _Box = kind(host, port, user, password, secure=not protocol.endswith("-plain"))
        try:
            yield box
        finally:
            with suppress(*_FAULTS):
                box.close()
    except _FAULTS as error:
        # Servers repeat what was said to them, and a password was.
        words = str(error).replace(password, "…") if password else str(error)
        raise NotReadyError(f"The mailbox at {host}:{port} does not open: {words[:200]}", "mailbox") from None


class _Imap:
    def __init__(self, host: str, port: int, user: str, password: str, *, secure: bool) -> None:
        if secure:
            context = ssl.create_default_context()
            self._box: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=_SECONDS)
        else:
            self._box = imaplib.IMAP4(host, port, timeout=_SECONDS)
        self._box.login(user, password)
        self._box.select("INBOX")

    def read(self, most: int) -> list[tuple[str, bytes]]:
        _ok, found = self._box.uid("SEARCH", "UNSEEN")
        names = (found[0] or b"").split()[:most] if found else []
        return [(name.decode("ascii"), self._mail(name.decode("ascii"))) for name in names]

    def _mail(self, name: str) -> bytes:
        _ok, told = self._box.uid("FETCH", name, "(RFC822.SIZE)")
        size = _SIZE.search(next((one for one in told if isinstance(one, bytes)), b""))
        if size is None or int(size[1]) > returned_mail.LARGEST:
            return b""
        _ok, told = self._box.uid("FETCH", name, "(BODY.PEEK[])")
        return next((one[1] for one in told if isinstance(one, tuple)), b"")

    def done(self, name: str) -> None:
        self._box.uid("STORE", name, "+FLAGS", r"(\Seen)")

    def close(self) -> None:
        self._box.logout()


class _Pop:
    def __init__(self, host: str, port: int, user: str, password: str, *, secure: bool) -> None:
        if secure:
            context = ssl.create_default_context()
            self._box: poplib.POP3 = poplib.POP3_SSL(host, port, context=context, timeout=_SECONDS)
        else:
            self._box = poplib.POP3(host, port, timeout=_SECONDS)
        self._box.user(user)
        self._box.pass_(password)

    def read(self, most: int) -> list[tuple[str, bytes]]:
        listed = [one.split() for one in self._box.list()[1][:most]]
        return [(number.decode("ascii"), self._mail(int(number), int(size))) for number, size in listed]

    def _mail(self, number: int, size: int) -> bytes:
        return b"" if size > returned_mail.LARGEST else b"\r\n".join(self._box.retr(number)[1])

    def done(self, name: str) -> None:
        self._box.dele(int(name))

    def close(self) -> None:
        # Deletes what was marked; without it nothing is gone.
        self._box.quit()
