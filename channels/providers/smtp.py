"""Email over SMTP, by a client that knows at each moment whether the server may have taken the message.

Python's own client raises the same errors before, during and after the transfer; here each connection keeps
the phase (see smtp_line). A few kept connections are served in turn, so that one slow answer holds up one.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from channels import addresses
from channels.addresses import AddressError
from channels.dkim_signing import BadKeyError, record
from channels.providers import reading
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
from channels.providers.smtp_line import Line, plain_words
from channels.providers.smtp_transfer import Transfer


@cache
def _trust() -> ssl.SSLContext:
    """Whom to believe: read once a process, since reading it takes as long as a hundred mails."""
    return ssl.create_default_context()


_SECURITY = (
    ("starttls", "STARTTLS: encrypted after the greeting"),
    ("tls", "TLS: encrypted from the beginning"),
    ("none", "None: only inside your own network"),
)


class Smtp(Provider):
    """Kept connections; a mail and the envelope of the next go together where the server pipelines."""

    kind = "smtp"
    label = "SMTP server"
    channels = frozenset({"email"})
    settings = (
        Setting("host", "Server", "For example smtp.example.com", required=True),
        Setting(
            "port",
            "Port",
            "587 with STARTTLS, 465 with TLS, 25 without",
            default="587",
            reads=reading.whole(1, 65_535),
        ),
        Setting("security", "Security", default="starttls", choices=_SECURITY),
        Setting("username", "User name"),
        Setting("password", "Password", secret=True),
        Setting(
            "timeout", "Longest wait for an answer, in seconds", default="30", reads=reading.number(1, 120)
        ),
        Setting(
            "connections", "Connections kept by each worker thread", default="2", reads=reading.whole(1, 16)
        ),
        Setting(
            "bounce_address",
            "Bounces go to",
            "The envelope's sender; empty: the from address",
            reads=addresses.email,
        ),
        Setting("dkim_selector", "DKIM selector", "Such as segue1; empty: we do not sign, the server may"),
        Setting("dkim_key", "DKIM key", "RSA in PEM. Empty: made by itself", lines=True, secret=True),
    )
    takes_wire = True
    largest = 64

    def __init__(self, account_id: int, values: Mapping[str, Any]) -> None:
        super().__init__(account_id, values)
        self.lines: list[Line] = []
        self.usual = 0.0

    def check(self) -> str:
        if self.value("dkim_selector") and self.value("dkim_key"):
            try:
                record(self.value("dkim_key"))
            except BadKeyError as error:
                raise NotReadyError(str(error), "settings") from None
        if self.value("bounce_address") and not self.bounces:
            raise NotReadyError("Bounces go to what is no email address.", "settings")
        line = self.open()
        words = "TLS" if isinstance(line.smtp.sock, ssl.SSLSocket) else "without encryption"
        self.close()
        return f"Connected to {self.value('host')}:{self.value('port')} ({words})."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        try:
            self.standing()
        except NotReadyError as error:
            return every(
                parcels, Result(Outcome.TRY_LATER, error.code, str(error), retry_after=error.retry_after)
            )
        return Transfer(self, mark(parcels)).run()

    def close(self) -> None:
        for line in self.lines:
            try:
                line.smtp.sock.settimeout(2)  # type: ignore[union-attr]
                line.smtp.quit()
            except (OSError, smtplib.SMTPException, AttributeError):
                line.drop()
        self.lines.clear()

    def standing(self) -> None:
        """See that the kept connections still stand, and that there is one. Raises NotReadyError."""
        for line in list(self.lines):
            if not self._stands(line.smtp.sock):
                self.let_go(line)
        if not self.lines:
            self.open()

    def let_go(self, line: Line) -> None:
        line.drop()
        if line in self.lines:
            self.lines.remove(line)

    def open(self) -> Line:
        """One more connection. Raises NotReadyError."""
        host, port = self.value("host"), int(self.value("port"))
        try:
            smtp = self._connect(host, port)
        except smtplib.SMTPAuthenticationError as error:
            words, code = f"The server refuses the user name and password ({error.smtp_code}).", "auth"
        except smtplib.SMTPResponseException as error:
            words, code = (
                f"The server answered {error.smtp_code} {plain_words(error.smtp_error)}",
                str(error.smtp_code),
            )
        except ssl.SSLError as error:
            words, code = f"No encrypted connection: {error.reason or error}", "tls"
        except TimeoutError:
            words, code = f"{host}:{port} does not answer.", "timeout"
        except (OSError, smtplib.SMTPException) as error:
            words, code = f"No connection to {host}:{port}: {error}", "connect"
        else:
            line = Line(smtp, smtp.has_extn("pipelining"), float(self.value("timeout")))
            self.lines.append(line)
            return line
        raise NotReadyError(words, code)

    @property
    def bounces(self) -> str:
        """Where bounces go, for the envelope; empty: to the sender."""
        try:
            return addresses.email(self.value("bounce_address")) if self.value("bounce_address") else ""
        except AddressError:
            return ""

    @property
    def most_lines(self) -> int:
        return max(1, min(int(self.value("connections")), 16))

    def _connect(self, host: str, port: int) -> smtplib.SMTP:
        timeout = float(self.value("timeout"))
        if self.value("security") == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=_trust())
        else:
            smtp = smtplib.SMTP(host, port, timeout=timeout)
        smtp.ehlo_or_helo_if_needed()
        if self.value("security") == "starttls":
            smtp.starttls(context=_trust())
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
