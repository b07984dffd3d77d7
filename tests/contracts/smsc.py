"""A text gateway for tests that speaks SMPP 3.4, with a reading of the specification of its own."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

RECEIVER, TRANSMITTER, SUBMIT, DELIVER, UNBIND, ENQUIRE = 1, 2, 4, 5, 6, 0x15
_PASSWORD = b"canary77"


@dataclass
class Sent:
    sender: str
    to: str
    coding: int
    raw: bytes
    receipt: int


@dataclass
class Gateway:
    """``answers``: status by number, or "silent" and "close". ``kept`` goes to whoever binds as receiver."""

    port: int = 0
    answers: dict[str, int | str] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    confirmed: list[bytes] = field(default_factory=list)
    binds: list[int] = field(default_factory=list)
    enquiries: int = 0
    asks: bool = False
    "It asks whether we stand before it hands anything over."
    lock: threading.Lock = field(default_factory=threading.Lock)


def receipt(name: str, state: str, error: str = "000", *, extras: bytes = b"") -> bytes:
    """The body of a delivery receipt, in the form of the specification's appendix B."""
    text = (
        f"id:{name} sub:001 dlvrd:001 submit date:2611301200 done date:2611301201 stat:{state} err:{error} "
        "text:Hello"
    )
    return incoming(text.encode("ascii"), kind=0x04) + extras


def incoming(raw: bytes, *, kind: int = 0, coding: int = 0, sender: str = "33612345678") -> bytes:
    """The body of a delivery to the number 36180."""
    return (
        b"\0\x01\x01" + sender.encode() + b"\0\x03\x00" + b"36180\0"
        + bytes([kind, 0, 0, 0, 0, 0, 0, coding, 0, len(raw)]) + raw
    )  # fmt: skip


class _Dialogue(socketserver.BaseRequestHandler):
    gateway: Gateway

    def handle(self) -> None:
        try:
            while (unit := self._unit()) is not None and self._answer(*unit):
                continue
        except OSError:
            return

    def _exactly(self, size: int) -> bytes | None:
        raw = b""
        while len(raw) < size:
            more = self.request.recv(size - len(raw))
            if not more:
                return None
            raw += more
        return raw

    def _unit(self) -> tuple[int, int, bytes] | None:
        head = self._exactly(16)
        if head is None:
            return None
        length, command, _status, sequence = struct.unpack(">4L", head)
        body = self._exactly(length - 16) if length > 16 else b""
        return None if body is None else (command, sequence, body)

    def _say(self, command: int, sequence: int, body: bytes = b"", status: int = 0) -> None:
        self.request.sendall(struct.pack(">4L", 16 + len(body), command, status, sequence) + body)

    def _answer(self, command: int, sequence: int, body: bytes) -> bool:
        gateway = self.gateway
        if command in (RECEIVER, TRANSMITTER):
            return self._bound(command, sequence, body)
        if command == SUBMIT:
            return self._submit(sequence, body)
        if command == ENQUIRE:
            gateway.enquiries += 1
            self._say(0x80000015, sequence)
        elif command == DELIVER | 0x80000000:
            with gateway.lock:
                gateway.confirmed.append(gateway.kept[sequence - 1000])
        elif command == UNBIND:
            self._say(0x80000006, sequence)
            return False
        return True

    def _bound(self, command: int, sequence: int, body: bytes) -> bool:
        _user, password = body.split(b"\0")[:2]
        self.gateway.binds.append(command)
        if password != _PASSWORD:
            self._say(command | 0x80000000, sequence, status=0x0E)
            return False
        self._say(command | 0x80000000, sequence, b"fake\0")
        if command == RECEIVER:
            if self.gateway.asks:
                self._say(ENQUIRE, 1)
            for number, one in enumerate(self.gateway.kept):
                self._say(DELIVER, 1000 + number, one)
        return True

    def _submit(self, sequence: int, body: bytes) -> bool:
        rest = body[1:]
        sender, rest = rest[2:].split(b"\0", 1)
        to, rest = rest[2:].split(b"\0", 1)
        coding, length = rest[7], rest[9]
        raw = rest[10 : 10 + length]
        if not raw and rest[10:12] == b"\x04\x24":
            raw = rest[14 : 14 + struct.unpack(">H", rest[12:14])[0]]
        answer = self.gateway.answers.get(to.decode(), 0)
        if answer == "close":
            return False
        if answer == "silent":
            return True
        if answer == 0:
            with self.gateway.lock:
                self.gateway.sent.append(Sent(sender.decode(), to.decode(), coding, raw, rest[5]))
        name = f"{len(self.gateway.sent):08X}"
        self._say(SUBMIT | 0x80000000, sequence, name.encode() + b"\0" if answer == 0 else b"", int(answer))
        return True


@contextmanager
def smsc() -> Iterator[Gateway]:
    gateway = Gateway()
    handler = type("Dialogue", (_Dialogue,), {"gateway": gateway})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        gateway.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield gateway
        server.shutdown()
        thread.join()
