"""Email over SMTP, by a client that knows at each moment whether the server may have taken the message.

Python's own client raises the same errors before, during and after the transfer. Here the phase is kept:
until the last dot is handed to the network nothing can have been accepted; after it, without an answer,
nobody knows.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from datetime import datetime

from channels.providers.base import (
    Mark,
    NotReadyError,
    Outcome,
    Parcel,
    Provider,
    Result,
    Setting,
    every,
)
from channels.rendering_mail import HeaderError, Mail, build

_ENHANCED = re.compile(r"^\d\.\d{1,3}\.\d{1,3}\b")
#: Refusals of a recipient that say that the mailbox does not exist, as far as codes can.
_NO_MAILBOX = frozenset({550, 551, 553})
#: Of these the second number says that something else than the address is wrong: mailbox full, policy…
_OTHER_REASONS = ("5.2.", "5.3.", "5.4.", "5.5.", "5.6.", "5.7.")


class _LostError(Exception):
    """The connection ended or fell silent. ``sent``: the whole message had been handed over."""

    def __init__(self, sent: bool, words: str) -> None:
        super().__init__(words)
        self.sent = sent


class Smtp(Provider):
    """One kept connection; MAIL, RCPT and DATA go together where the server pipelines."""

    kind = "smtp"
    label = "SMTP server"
    channels = frozenset({"email"})
    settings = (
        Setting("host", "Server", "For example smtp.example.com", required=True),
        Setting("port", "Port", "587 with STARTTLS, 465 with TLS, 25 without", default="587"),
        Setting("security", "Security", "starttls, tls or none", default="starttls"),
        Setting("username", "User name"),
        Setting("password", "Password", secret=True),
        Setting("timeout", "Longest wait for an answer, in seconds", default="30"),
    )

    _smtp: smtplib.SMTP | None = None
    _pipelining = False
    _dirty = False

    def check(self) -> str:
        smtp = self._open()
        words = "TLS" if isinstance(smtp.sock, ssl.SSLSocket) else "without encryption"
        self.close()
        return f"Connected to {self.value('host')}:{self.value('port')} ({words})."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        try:
            self._open()
        except NotReadyError as error:
            return every(
                parcels, Result(Outcome.TRY_LATER, error.code, str(error), retry_after=error.retry_after)
            )
        return self.each(mark(parcels), self._send)

    def close(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.sock.settimeout(2)  # type: ignore[union-attr]
                self._smtp.quit()
            except (OSError, smtplib.SMTPException, AttributeError):
                self._drop()
        self._smtp = None

    def _open(self) -> smtplib.SMTP:
        """Connect, or see that the kept connection still stands. Raises NotReadyError."""
        if self._smtp is not None and self._stands(self._smtp.sock):
            return self._smtp
        self._drop()
        host, port = self.value("host"), int(self.value("port"))
        try:
            smtp = self._connect(host, port)
        except smtplib.SMTPAuthenticationError as error:
            words, code = f"The server refuses the user name and password ({error.smtp_code}).", "auth"
        except smtplib.SMTPResponseException as error:
            words, code = (
                f"The server answered {error.smtp_code} {_words(error.smtp_error)}",
                str(error.smtp_code),
            )
        except ssl.SSLError as error:
            words, code = f"No encrypted connection: {error.reason or error}", "tls"
        except TimeoutError:
            words, code = f"{host}:{port} does not answer.", "timeout"
        except (OSError, smtplib.SMTPException) as error:
            words, code = f"No connection to {host}:{port}: {error}", "connect"
        else:
            self._smtp, self._dirty = smtp, False
            self._pipelining = smtp.has_extn("pipelining")
            return smtp
        raise NotReadyError(words, code)

    def _connect(self, host: str, port: int) -> smtplib.SMTP:
        timeout = float(self.value("timeout"))
        context = ssl.create_default_context()
        if self.value("security") == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=timeout)
        smtp.ehlo_or_helo_if_needed()
        if self.value("security") == "starttls":
            smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
        if self.value("username"):
            smtp.login(self.value("username"), self.value("password"))
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return smtp

    def _stands(self, sock: socket.socket | None) -> bool:
        """Whether an idle connection is still silent: what waits to be read could only be a farewell."""
        if sock is None:
            return False
        sock.setblocking(False)
        try:
            sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            sock.settimeout(float(self.value("timeout")))
            return True
        except OSError:
            return False
        return False

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _send(self, parcel: Parcel) -> Result:
        if self._smtp is None:
            # The connection ended half-way through the chunk. What was not begun was not sent.
            try:
                self._open()
            except NotReadyError as error:
                return Result(Outcome.TRY_LATER, error.code, str(error))
        return self._deliver(parcel)

    def _deliver(self, parcel: Parcel) -> Result:
        if not isinstance(parcel.content, Mail):
            return Result(Outcome.REFUSED, "channel", "only email goes over SMTP")
        try:
            raw = build(parcel.content)
        except HeaderError as error:
            return Result(Outcome.REFUSED, "header", str(error))
        try:
            return self._transfer(parcel.content.sender, parcel.address, raw)
        except _LostError as error:
            self._drop()
            if error.sent:
                return Result(Outcome.UNCERTAIN, "no_answer", str(error))
            return Result(Outcome.TRY_LATER, "lost", str(error))

    def _transfer(self, sender: str, recipient: str, raw: bytes) -> Result:
        if self._dirty:
            self._put(b"RSET\r\n")
            self._reply()
        self._dirty = True
        commands = (f"MAIL FROM:<{sender}>\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n")
        if self._pipelining:
            self._put(b"".join(commands))
            answers = [self._reply(), self._reply(), self._reply()]
        else:
            answers = []
            for command in commands:
                self._put(command)
                answers.append(self._reply())
                if answers[-1][0] // 100 not in (2, 3):
                    break
        refused = next((answer for answer in answers if answer[0] // 100 not in (2, 3)), None)
        if refused is not None:
            if answers[-1][0] == 354:
                # Pipelined: the server wants data although it took no recipient. Nothing goes to nobody.
                self._put(b".\r\n")
                self._reply()
            return self._refusal(*refused, recipient=answers.index(refused) == 1)
        self._put(_stuffed(raw))
        code, words = self._reply(sent=True)
        if code // 100 == 2:
            self._dirty = False
            return Result(Outcome.ACCEPTED, str(code), words)
        return self._refusal(code, words, recipient=False)

    def _refusal(self, code: int, words: str, *, recipient: bool) -> Result:
        if code == 421:
            self._drop()
        if code // 100 == 5:
            ended = recipient and code in _NO_MAILBOX and not words.startswith(_OTHER_REASONS)
            return Result(Outcome.REFUSED, str(code), words, address_ended=ended)
        return Result(Outcome.TRY_LATER, str(code), words)

    def _put(self, data: bytes) -> None:
        try:
            self._smtp.sock.sendall(data)  # type: ignore[union-attr]
        except (OSError, AttributeError) as error:
            # Not everything was handed over, so the last dot was not.
            raise _LostError(False, str(error)) from None

    def _reply(self, *, sent: bool = False) -> tuple[int, str]:
        try:
            code, words = self._smtp.getreply()  # type: ignore[union-attr]
        except (OSError, smtplib.SMTPException, AttributeError) as error:
            raise _LostError(sent, str(error) or type(error).__name__) from None
        if code < 200:
            raise _LostError(sent, "an answer that is not SMTP")
        return code, _words(words)


def _stuffed(raw: bytes) -> bytes:
    body = raw.replace(b"\r\n.", b"\r\n..")
    end = b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"
    return (b"." if body.startswith(b".") else b"") + body + end


def _words(text: bytes | str) -> str:
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return re.sub(r"[\x00-\x1f\x7f]+", " ", decoded)[:500]
