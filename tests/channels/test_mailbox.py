"""Bounces that arrive in a mailbox, over IMAP and POP, from servers on loopback."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from channels import engagement, mail_ids, mailbox, sealing
from channels.models import Hit, Message, ProviderAccount
from channels.providers.base import NotReadyError
from contacts import clock, consent
from tests.channels.test_returned_mail import NAME, dsn
from tests.factories import make_contact, make_provider, make_queued

pytestmark = pytest.mark.django_db


class Pop(socketserver.StreamRequestHandler):
    mails: list[bytes]

    def handle(self) -> None:
        def say(line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

        gone = set()
        say(b"+OK")
        while line := self.rfile.readline().strip():
            verb, _space, rest = line.partition(b" ")
            if verb == b"PASS" and rest != b"canary-77":
                say(b"-ERR wrong password canary-77")
            elif verb == b"LIST":
                say(b"+OK")
                for number, mail in enumerate(self.mails, 1):
                    say(b"%d %d" % (number, len(mail)))
                say(b".")
            elif verb == b"RETR":
                self.wfile.write(b"+OK\r\n" + self.mails[int(rest) - 1] + b"\r\n.\r\n")
            elif verb == b"DELE":
                gone.add(int(rest) - 1)
                say(b"+OK")
            elif verb == b"QUIT":
                self.mails[:] = [one for at, one in enumerate(self.mails) if at not in gone]
                say(b"+OK")
                return
            else:
                say(b"+OK")


class _Imap(socketserver.StreamRequestHandler):
    mails: list[bytes]
    seen: set[int]

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while line := self.rfile.readline().strip():
            tag, verb, *rest = line.split(b" ", 3)
            self.answer(verb.upper(), rest)
            self.wfile.write(tag + b" OK done\r\n")
            if verb.upper() == b"LOGOUT":
                return

    def answer(self, verb: bytes, rest: list[bytes]) -> None:
        if verb == b"CAPABILITY":
            self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n")
        elif verb == b"SELECT":
            self.wfile.write(b"* %d EXISTS\r\n" % len(self.mails))
        elif verb == b"UID" and rest[0] == b"SEARCH":
            fresh = [b"%d" % at for at in range(1, len(self.mails) + 1) if at not in self.seen]
            self.wfile.write(b"* SEARCH " + b" ".join(fresh) + b"\r\n")
        elif verb == b"UID" and rest[0] == b"FETCH":
            number, what = rest[1].split(b" ", 1)
            mail = self.mails[int(number) - 1]
            if b"SIZE" in what:
                self.wfile.write(b"* %s FETCH (UID %s RFC822.SIZE %d)\r\n" % (number, number, len(mail)))
            else:
                self.wfile.write(b"* %s FETCH (UID %s BODY[] {%d}\r\n" % (number, number, len(mail)))
                self.wfile.write(mail + b")\r\n")
        elif verb == b"UID" and rest[0] == b"STORE":
            self.seen.add(int(rest[1].split(b" ")[0]))


@contextmanager
def serving(kind: type[Any], mails: list[bytes]) -> Iterator[int]:
    handler = type("Handler", (kind,), {"mails": mails, "seen": set()})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _account(protocol: str, port: int, password: str = "canary-77") -> ProviderAccount:
    return make_provider(
        "email", kind="smtp",
        settings={"mailbox_host": "127.0.0.1", "mailbox_port": str(port),
        "mailbox_protocol": f"{protocol}-plain",
                  "mailbox_user": "bounces"},
        secrets=sealing.seal({"mailbox_password": password}),
    )  # fmt: skip


@pytest.mark.parametrize(("protocol", "kind"), [("imap", _Imap), ("pop", Pop)])
def test_a_bounce_in_the_mailbox_ends_the_address(protocol: str, kind: type[Any]) -> None:
    message = make_queued(make_contact(email="ann@example.com"), state=Message.State.UNCERTAIN, due_at=None)
    name = mail_ids.made(message.id, message.created_at, message.key, "hello@shop.example")
    mails = [dsn().replace(NAME.encode(), name.encode()), b"From: x@y.example\r\n\r\nNothing of ours", dsn()]
    with serving(kind, mails) as port:
        account = _account(protocol, port)
        assert "opens" in mailbox.check(account)
        assert mailbox.poll(clock.now()) == 1
        assert mailbox.poll(clock.now()) == 0
    assert (len(mails) == 0) == (protocol == "pop")
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.bounced_at is not None
    assert message.state == Message.State.REJECTED
    assert consent.suppressed({("email", "ann@example.com")})


def test_the_same_bounce_read_twice_counts_once() -> None:
    message = make_queued(make_contact(), state=Message.State.ACCEPTED, due_at=None)
    name = mail_ids.made(message.id, message.created_at, message.key, "hello@shop.example")
    raw = dsn().replace(NAME.encode(), name.encode())
    with serving(Pop, [raw, raw]) as port:
        _account("pop", port)
        mailbox.poll(clock.now())
    assert len(set(Hit.objects.values_list("receipt_key", flat=True))) == 1


def test_a_mailbox_that_does_not_open_says_so_and_keeps_its_password() -> None:
    with serving(Pop, []) as port:
        account = _account("pop", port, "canary-99")
        with pytest.raises(NotReadyError) as caught:
            mailbox.check(account)
    assert "does not open" in str(caught.value)
    assert "canary-99" not in str(caught.value)
    with pytest.raises(NotReadyError, match="does not open"):
        mailbox.check(_account_away())
    assert mailbox.poll(clock.now()) == 0


def _account_away() -> ProviderAccount:
    return make_provider("email", name="away", kind="smtp",
                         settings={"mailbox_host": "127.0.0.1", "mailbox_port": "1"})  # fmt: skip


def test_a_name_that_was_not_signed_by_us_names_nobody() -> None:
    message = make_queued(make_contact(), state=Message.State.ACCEPTED, due_at=None)
    name = mail_ids.made(message.id, message.created_at, message.key, "a@b.example")
    assert mail_ids.found(f"x {name}") is not None
    swapped = name[:-20] + ("A" if name[-20] != "A" else "B") + name[-19:]
    assert mail_ids.found(swapped) is None
