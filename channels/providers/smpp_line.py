"""One connection to an SMPP gateway: bound on opening, asked whether it stands, never silent for ever."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress

from channels.providers.base import NotReadyError
from channels.providers.smpp_pdu import Command, MalformedError, Pdu, bind, take

_WORDS = {
    0x05: "it says that this user is bound already, and takes no second connection",
    0x0D: "it refuses the bind",
    0x0E: "it refuses the password",
    0x0F: "it does not know the user name",
}
_RESPONSE = 0x80000000


class LostError(Exception):
    """The connection is gone, or what comes over it is no SMPP."""


class Line:
    """Bound to a gateway. Used by one thread."""

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._sequence = 0
        self._timeout = timeout
        self.spoken = time.monotonic()

    def ask(self, command: Command, body: bytes = b"") -> int:
        """Send a request; its number. Raises LostError."""
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        self.say(Pdu(command, self._sequence, body))
        return self._sequence

    def say(self, pdu: Pdu) -> None:
        """Raises LostError."""
        try:
            self._sock.settimeout(self._timeout)
            self._sock.sendall(pdu.pack())
        except OSError as error:
            raise LostError(str(error) or "timed out") from None

    def hear(self, seconds: float) -> Pdu | None:
        """The next unit, or None when none came in time; whether we stand is answered here.

        Raises LostError.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                pdu = take(self._buffer)
            except MalformedError as error:
                raise LostError(f"no SMPP: {error}") from None
            if pdu is None:
                if not self._read(until - time.monotonic()):
                    return None
            elif pdu.command == Command.ENQUIRE:
                self.say(pdu.answer())
            elif pdu.command == Command.UNBIND:
                self.say(pdu.answer())
                raise LostError("the gateway said good-bye")
            else:
                self.spoken = time.monotonic()
                return pdu

    def answer_to(self, sequence: int, seconds: float) -> Pdu:
        """The response to the request of that number; others are passed over. Raises LostError."""
        until = time.monotonic() + seconds
        while (pdu := self.hear(max(0.0, until - time.monotonic()))) is not None:
            if pdu.sequence == sequence and pdu.command & _RESPONSE:
                return pdu
        raise LostError("timed out")

    def stands(self) -> bool:
        """Whether the other side still answers."""
        try:
            self.answer_to(self.ask(Command.ENQUIRE), self._timeout)
        except LostError:
            return False
        return True

    def drop(self) -> None:
        with suppress(OSError):
            self._sock.close()

    def close(self) -> None:
        """Take leave, without waiting long."""
        with suppress(LostError):
            self.answer_to(self.ask(Command.UNBIND), 2.0)
        self.drop()

    def _read(self, seconds: float) -> bool:
        """Whether more bytes came within ``seconds``; raises LostError where none ever will."""
        if seconds <= 0:
            return False
        try:
            self._sock.settimeout(seconds)
            more = self._sock.recv(65_536)
        except TimeoutError:
            return False
        except OSError as error:
            raise LostError(str(error)) from None
        if not more:
            raise LostError("the gateway closed the connection")
        self._buffer += more
        return True


def opened(
    host: str, port: int, names: tuple[str, str, str], command: Command, *, secure: bool, timeout: float
) -> Line:
    """A line bound by ``command``; ``names`` are user, password and system type. Raises NotReadyError."""
    try:
        body = bind(*names)
        sock = socket.create_connection((host, port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    except MalformedError as error:
        raise NotReadyError(f"{error}.", "settings") from None
    except ssl.SSLError as error:
        raise NotReadyError(f"No encrypted connection: {error.reason or error}", "tls") from None
    except TimeoutError:
        raise NotReadyError(f"{host}:{port} does not answer.", "timeout") from None
    except OSError as error:
        raise NotReadyError(f"No connection to {host}:{port}: {error}") from None
    line = Line(sock, timeout)
    try:
        told = line.answer_to(line.ask(command, body), timeout)
    except LostError as error:
        line.drop()
        raise NotReadyError(f"{host}:{port} is no SMPP gateway, or does not answer: {error}.") from None
    if told.status:
        line.drop()
        words = _WORDS.get(told.status, f"it refuses the bind with status 0x{told.status:08x}")
        raise NotReadyError(f"{host}:{port} answers, but {words}.", "auth")
    return line
