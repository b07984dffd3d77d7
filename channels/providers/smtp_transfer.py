"""A few mails on their way over the kept connections of one mail server, served in turn.

A receiving domain that keeps a connection silent is passed by: the others get a connection more, its own
mails come last, and the provider says which domain it was.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Sequence
from typing import ClassVar, Protocol

from channels import flow_rules
from channels.dkim_signing import BadKeyError, sign
from channels.providers.base import NotReadyError, Outcome, Parcel, Result
from channels.providers.smtp_line import Line, LineLostError, Load
from channels.rendering_mail import HeaderError, Mail, Wire, build, stuffed

#: A further connection is worth opening for so many mails.
WORTH = 8
#: Seconds of silence after which a receiving domain is passed by, and after which that is told.
_PASS, _HUSH = 0.05, 1.0
#: Or so many times what is usual here, or the slowest answer of these mails: a slow server is no reason.
_TIMES, _SLOWEST = 10.0, 4.0
#: Seconds for which it is told to those who sort messages.
_TOLD = 60.0
#: So many connections more are opened beside silent ones.
_MORE = 4


class Kept(Protocol):
    """What a transfer needs of its provider."""

    patience: ClassVar[float]
    lines: list[Line]
    #: Receiving domains that kept a connection silent, and until when (monotonic) they are told.
    silent: dict[str, float]
    #: Seconds that a mail usually takes.
    usual: float

    @property
    def bounces(self) -> str: ...
    @property
    def most_lines(self) -> int: ...
    def value(self, name: str) -> str: ...
    def open(self) -> Line: ...
    def let_go(self, line: Line) -> None: ...


class Transfer:
    """A few mails on their way over the connections of a provider."""

    def __init__(self, provider: Kept, parcels: Sequence[Parcel]) -> None:
        self.provider = provider
        self.results: dict[int, Result] = {}
        self.again: set[int] = set()
        self.began = time.monotonic()
        self.bounces = provider.bounces
        self.signs = (provider.value("dkim_selector"), provider.value("dkim_key"))
        self.waiting = deque(load for parcel in parcels if (load := self._load(parcel)))
        self.hushed: set[str] = set()
        self.slowest = 0.0

    def run(self) -> dict[int, Result]:
        self._widen()
        count = len(self.waiting)
        while self.waiting or any(not line.idle for line in self.provider.lines):
            self._feed()
            self._listen()
        for line in self.provider.lines[self.provider.most_lines :]:
            self.provider.let_go(line)
        if count and not self.hushed:
            took = (time.monotonic() - self.began) * max(1, len(self.provider.lines)) / count
            self.provider.usual += (took - self.provider.usual) / 4
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
        wanted = min(self.provider.most_lines, len(self.waiting) // WORTH)
        try:
            while len(self.provider.lines) < wanted:
                self.provider.open()
        except NotReadyError:
            return  # those that stand carry it

    def _next(self) -> Load | None:
        if time.monotonic() - self.began > self.provider.patience:
            self._give_up(Result(Outcome.TRY_LATER, "slow", begun=False))
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
        least = max(_TIMES * self.provider.usual, _SLOWEST * self.slowest)
        stages = (max(_PASS, least), max(_HUSH, least))
        if not heard:
            until = min([line.next_look(stages) for line in busy])
            heard = _readable(busy, max(0.0, until - now))
        for line in heard:
            self._hear(line)
        late = time.monotonic()
        for line in busy:
            if line in heard:
                continue
            if line.until <= late:
                self._lose(line, "timed out")
            elif line.next_look(stages) <= late:
                self._pass_by(line)

    def _pass_by(self, line: Line) -> None:
        """Let the mails of a silent domain come last, and the others have a connection more; then tell it."""
        line.looks += 1
        load = line.closing or line.opening
        domain = flow_rules.domain_of(load.recipient) if load else ""
        if line.looks > 1:
            # Where nobody else was ever answered, it may be the server.
            if self.results or self.provider.usual:
                self.provider.silent[domain] = time.monotonic() + _TOLD
            return
        if domain not in self.hushed:
            self.hushed.add(domain)
            self.waiting = deque(sorted(self.waiting, key=self._is_hushed))
        lines = self.provider.lines
        if not self.waiting or self._is_hushed(self.waiting[0]) or any(line.idle for line in lines):
            return
        try:
            if len(lines) < self.provider.most_lines + _MORE:
                self.provider.open()
        except NotReadyError:
            return  # those that stand carry it

    def _is_hushed(self, load: Load) -> bool:
        return flow_rules.domain_of(load.recipient) in self.hushed

    def _hear(self, line: Line) -> None:
        self.slowest = max(self.slowest, time.monotonic() - line.since)
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
            if self._is_hushed(load):
                self.waiting.append(load)
            else:
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
