"""One SMTP connection that knows, for the mail on it, whether the server may have taken it.

Until the last dot is handed to the network nothing can have been accepted; after it, without an answer,
nobody knows. Nothing here waits: a line is told when there is something to read.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from channels.providers.base import Outcome, Parcel, Result

#: Refusals of a recipient that say that the mailbox does not exist, as far as codes can.
_NO_MAILBOX = frozenset({550, 551, 553})
#: Of these the second number says that something else than the address is wrong: mailbox full, policy…
_OTHER_REASONS = ("5.2.", "5.3.", "5.4.", "5.5.", "5.6.", "5.7.")
_MOST_ANSWER = 64_000
#: What was asked when an answer came, in words.
_PHASES = {"MAIL": "at MAIL", "RCPT": "at RCPT", "DATA": "at DATA", "END": "after the mail"}


class LineLostError(Exception):
    """The connection ended, fell silent or speaks something else."""


@dataclass(frozen=True, slots=True)
class Load:
    """One mail to transfer. ``raw`` ends with the lone dot."""

    parcel: Parcel
    sender: str
    recipient: str
    raw: bytes


@dataclass(slots=True, eq=False)
class Line:
    """A kept connection with at most one mail whose envelope is out, and at most one being answered for."""

    smtp: smtplib.SMTP
    pipelining: bool
    timeout: float
    #: The mail whose envelope the server is asked about.
    opening: Load | None = None
    #: The mail of which every byte has been handed over.
    closing: Load | None = None
    dirty: bool = False
    until: float = 0.0
    #: When it was last heard, or something was asked.
    since: float = 0.0
    #: How often it was looked at since then, because it was silent.
    looks: int = 0
    _asked: deque[str] = field(default_factory=deque)
    _unsent: deque[tuple[str, bytes]] = field(default_factory=deque)
    _received: bytes = b""
    _refusal: Result | None = None

    @property
    def idle(self) -> bool:
        return self.opening is None and self.closing is None

    def next_look(self, stages: Sequence[float]) -> float:
        """When it is to be looked at next if it stays silent: so long after ``since``, then at its end."""
        return min(self.until, self.since + stages[self.looks]) if self.looks < len(stages) else self.until

    @property
    def gone(self) -> bool:
        return self.smtp.sock is None

    def begin(self, load: Load) -> None:
        """Ask the server about the envelope of ``load``. Raises LineLostError."""
        self.opening, self._refusal = load, None
        self._unsent.extend(self._envelope(load))
        self._ask()

    def answers(self) -> list[tuple[Load, Result]]:
        """Read what has come; the mails that are decided by it. Raises LineLostError."""
        decided: list[tuple[Load, Result]] = []
        self._received += self._read()
        while (answer := self._next()) is not None:
            if not self._asked:
                raise LineLostError("the server said goodbye")
            verdict = self._heard(self._asked.popleft(), *answer)
            if verdict is not None:
                decided.append(verdict)
            if self.gone:
                break
        self._wait()
        return decided

    def hand_over(self, load: Load, following: Load | None) -> None:
        """Send the ``opening`` mail, with the envelope of the ``following`` one behind it.

        Raises LineLostError; the mail is ``closing`` by then only if the whole of it was handed over.
        """
        behind = b""
        if following is not None and self.pipelining:
            behind = b"".join(command for _word, command in self._envelope(following, clean=True))
        self._put(load.raw + behind, of=len(load.raw))
        self.opening, self.closing = None, load
        self._asked.append("END")
        if behind and following is not None:
            self.opening, self._refusal = following, None
            self._asked.extend(("MAIL", "RCPT", "DATA"))

    @property
    def ready(self) -> Load | None:
        """The mail whose envelope the server took and which it waits for."""
        return None if self._asked or self._unsent else self.opening

    def pending(self) -> bool:
        """Whether something was read from the network that a select cannot see."""
        sock = self.smtp.sock
        return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0

    def drop(self) -> None:
        self.smtp.close()

    def _envelope(self, load: Load, *, clean: bool = False) -> list[tuple[str, bytes]]:
        commands = [("RSET", b"RSET\r\n")] if self.dirty and not clean else []
        return [
            *commands,
            ("MAIL", f"MAIL FROM:<{load.sender}>\r\n".encode()),
            ("RCPT", f"RCPT TO:<{load.recipient}>\r\n".encode()),
            ("DATA", b"DATA\r\n"),
        ]

    def _ask(self) -> None:
        """Send the commands that may go now: all of them where the server pipelines, else the next one."""
        going = list(self._unsent) if self.pipelining else [self._unsent[0]]
        for _command in going:
            self._unsent.popleft()
        self._asked.extend(word for word, _command in going)
        self.dirty = True
        self._put(b"".join(command for _word, command in going))

    def _heard(self, word: str, code: int, words: bytes) -> tuple[Load, Result] | None:
        if word == "END":
            return self._ended(code, plain_words(words))
        good = code // 100 in (2, 3)
        if not good and word != "RSET" and self._refusal is None:
            self._refusal = refusal(word, code, plain_words(words))
        if code == 421:
            return self._sent_away()
        if self._refusal is not None and self._unsent:
            self._unsent.clear()
        elif self._unsent:
            self._ask()
            return None
        if self._asked or self._refusal is None or self.opening is None:
            return None
        if word == "DATA" and code == 354:
            # Pipelined: the server wants data although it took no recipient. Nothing goes to nobody.
            self._asked.append("NOBODY")
            self._put(b".\r\n")
            return None
        decided, self.opening = (self.opening, self._refusal), None
        return decided

    def _ended(self, code: int, words: str) -> tuple[Load, Result] | None:
        load, self.closing = self.closing, None
        if load is None:
            raise LineLostError("an answer to nothing")
        self.dirty = code // 100 != 2 or self.opening is not None
        if code // 100 == 2:
            return load, Result(Outcome.ACCEPTED, str(code), words)
        if code == 421:
            self.drop()
        return load, refusal("END", code, words)

    def _sent_away(self) -> tuple[Load, Result] | None:
        """421: the server closes the connection; a mail of which it has everything stays open."""
        self.drop()
        if self.opening is None:
            return None
        decided, self.opening = (self.opening, self._refusal or refusal("MAIL", 421, "")), None
        return decided

    def _next(self) -> tuple[int, bytes] | None:
        """The next whole answer of what was received."""
        at, words = 0, []
        while True:
            end = self._received.find(b"\n", at)
            if end < 0:
                if len(self._received) > _MOST_ANSWER:
                    raise LineLostError("an answer that does not end")
                return None
            line = self._received[at:end].rstrip(b"\r")
            if not line[:3].isdigit() or line[3:4] not in (b"", b" ", b"-") or line[0] < 50:
                raise LineLostError("an answer that is not SMTP")
            words.append(line[4:])
            at = end + 1
            if line[3:4] != b"-":
                self._received = self._received[at:]
                return int(line[:3]), b" ".join(words)

    def _read(self) -> bytes:
        try:
            data = self.smtp.sock.recv(65_536)  # type: ignore[union-attr]
        except (OSError, AttributeError) as error:
            raise LineLostError(str(error) or type(error).__name__) from None
        if not data:
            raise LineLostError("Connection unexpectedly closed")
        return bytes(data)

    def _wait(self) -> None:
        self.since, self.looks = time.monotonic(), 0
        self.until = self.since + self.timeout

    def _put(self, data: bytes, *, of: int = 0) -> None:
        """Hand ``data`` to the network; what happens after its first ``of`` bytes is found when reading."""
        self._wait()
        view, sent = memoryview(data), 0
        try:
            while sent < len(data):
                sent += self.smtp.sock.send(view[sent:])  # type: ignore[union-attr]
        except (OSError, AttributeError) as error:
            # Until everything was handed over, the last dot was not.
            if not of or sent < of:
                raise LineLostError(str(error)) from None


def refusal(word: str, code: int, words: str) -> Result:
    """What a refusal says, by what it answers: for good (5xx) or for now, and whether the mailbox is gone."""
    said = f"{_PHASES.get(word, word)}: {words}".strip()
    if code // 100 == 5:
        ended = word == "RCPT" and code in _NO_MAILBOX and not words.startswith(_OTHER_REASONS)
        return Result(Outcome.REFUSED, str(code), said, address_ended=ended)
    return Result(Outcome.TRY_LATER, str(code), said)


def plain_words(text: bytes | str) -> str:
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return re.sub(r"[\x00-\x1f\x7f]+", " ", decoded)[:500]
