"""Email over SMTP, by a client that knows at each moment whether the server may have taken the message.

Python's own client raises the same errors before, during and after the transfer; here each connection keeps
the phase (see smtp_line). A few kept connections are served in turn, so that one slow answer holds up one.
"""

from __future__ import annotations

import select
import smtplib
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from channels import addresses
from channels.addresses import AddressError
from channels.dkim_signing import BadKeyError, record, sign
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
from channels.providers.smtp_line import Line, LineLostError, Load, plain_words
from channels.rendering_mail import HeaderError, Mail, Wire, build, stuffed

#: A further connection is worth opening for so many mails.
_WORTH = 8


class Smtp(Provider):
    """Kept connections; a mail and the envelope of the next go together where the server pipelines."""

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
        Setting("connections", "Connections kept by each worker thread", default="2"),
        Setting("bounce_address", "Bounces go to", "The envelope's sender; empty: the from address"),
        Setting("dkim_selector", "DKIM selector", "Such as segue1; empty: we do not sign, the server may"),
        Setting("dkim_key", "DKIM key", "RSA in PEM. Empty: made by itself", lines=True, secret=True),
    )
    takes_wire = True
    largest = 64

    def __init__(self, account_id: int, values: Mapping[str, Any]) -> None:
        super().__init__(account_id, values)
        self.lines: list[Line] = []

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
        return _Transfer(self, mark(parcels)).run()

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


class _Transfer:
    """A few mails on their way over the connections of a provider."""

    def __init__(self, provider: Smtp, parcels: Sequence[Parcel]) -> None:
        self.provider = provider
        self.results: dict[int, Result] = {}
        self.again: set[int] = set()
        self.began = time.monotonic()
        self.bounces = provider.bounces
        self.signs = (provider.value("dkim_selector"), provider.value("dkim_key"))
        self.waiting = deque(load for parcel in parcels if (load := self._load(parcel)))

    def run(self) -> dict[int, Result]:
        self._widen()
        while self.waiting or any(not line.idle for line in self.provider.lines):
            self._feed()
            self._listen()
        return self.results

    def _load(self, parcel: Parcel) -> Load | None:
        content = parcel.content
        if not isinstance(content, Mail | Wire):
            self.results[parcel.message_id] = Result(Outcome.REFUSED, "channel", "only email goes over SMTP")
            return None
        try:
            raw = self._raw(content)
        except HeaderError as error:
            self.results[parcel.message_id] = Result(Outcome.REFUSED, "header", str(error))
            return None
        except BadKeyError as error:
            self.results[parcel.message_id] = Result(Outcome.TRY_LATER, "settings", str(error))
            return None
        return Load(parcel, self.bounces or content.sender, parcel.address, raw)

    def _raw(self, content: Mail | Wire) -> bytes:
        """The mail as SMTP carries it, signed where we sign. Raises HeaderError and BadKeyError."""
        selector, key = self.signs
        if not (selector and key):
            return content.raw if isinstance(content, Wire) else stuffed(build(content))
        raw = content.raw.removesuffix(b".\r\n") if isinstance(content, Wire) else build(content)
        return stuffed(sign(raw, content.sender.rpartition("@")[2], selector, key))

    def _widen(self) -> None:
        """Open further connections where there is enough to send."""
        wanted = min(self.provider.most_lines, len(self.waiting) // _WORTH)
        try:
            while len(self.provider.lines) < wanted:
                self.provider.open()
        except NotReadyError:
            return  # those that stand carry it

    def _next(self) -> Load | None:
        if time.monotonic() - self.began > self.provider.patience:
            self._give_up(Result(Outcome.TRY_LATER, "slow", "the provider is slow"))
        return self.waiting.popleft() if self.waiting else None

    def _following(self) -> Load | None:
        """The next one, to go behind another; one that lost its connection to such a neighbour goes alone."""
        alone = self.waiting and self.waiting[0].parcel.message_id in self.again
        return None if alone else self._next()

    def _give_up(self, result: Result) -> None:
        for load in self.waiting:
            self.results[load.parcel.message_id] = result
        self.waiting.clear()

    def _feed(self) -> None:
        """Give every free connection something to do; open one when none is left."""
        if self.waiting and not self.provider.lines:
            try:
                self.provider.open()
            except NotReadyError as error:
                self._give_up(Result(Outcome.TRY_LATER, error.code, str(error)))
        for line in list(self.provider.lines):
            if line.idle and (load := self._next()):
                try:
                    line.begin(load)
                except LineLostError as error:
                    self._lose(line, str(error))

    def _listen(self) -> None:
        """Hear those that have something to say, and lose those that were silent for too long."""
        busy = [line for line in self.provider.lines if not line.idle]
        if not busy:
            return
        now = time.monotonic()
        heard = [line for line in busy if line.pending()]
        if not heard:
            wait = max(0.0, min(line.until for line in busy) - now)
            heard = _readable(busy, wait)
        for line in heard:
            self._hear(line)
        late = time.monotonic()
        for line in busy:
            if line not in heard and line.until <= late:
                self._lose(line, "timed out")

    def _hear(self, line: Line) -> None:
        try:
            for load, result in line.answers():
                self.results[load.parcel.message_id] = result
            if (ready := line.ready) is not None and not line.gone:
                line.hand_over(ready, self._following() if line.pipelining else None)
        except LineLostError as error:
            self._lose(line, str(error))
        else:
            if line.gone:
                self._lose(line, "the server closed the connection")

    def _lose(self, line: Line, words: str) -> None:
        """What was handed over whole is uncertain; what was not can be begun anew, once."""
        self.provider.let_go(line)
        if line.closing is not None:
            self.results[line.closing.parcel.message_id] = Result(Outcome.UNCERTAIN, "no_answer", words)
        load = line.opening
        if load is None:
            return
        if load.parcel.message_id in self.again:
            self.results[load.parcel.message_id] = Result(Outcome.TRY_LATER, "lost", words)
        else:
            self.again.add(load.parcel.message_id)
            self.waiting.appendleft(load)


def _readable(lines: Sequence[Line], wait: float) -> list[Line]:
    """Those of which something can be read, after ``wait`` seconds at most."""
    poll = select.poll()
    found = []
    for line in lines:
        if line.smtp.sock is None:
            found.append(line)  # reading says that it is gone
        else:
            poll.register(line.smtp.sock, select.POLLIN)
    ready = {handle for handle, _event in poll.poll(0 if found else wait * 1000)}
    return found + [line for line in lines if line.smtp.sock is not None and line.smtp.sock.fileno() in ready]
