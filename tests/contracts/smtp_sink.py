"""A mail server for tests that misbehaves on request: the recipient's local part chooses how."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Received:
    sender: str
    recipient: str
    data: bytes


@dataclass
class Sink:
    """What the server took, in order. ``ok`` also stands for any local part that is no mode."""

    port: int = 0
    mails: list[Received] = field(default_factory=list)
    banner: bytes = b"220 sink\r\n"
    pipelining: bool = True
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def to(self, recipient: str) -> list[Received]:
        with self.lock:
            return [mail for mail in self.mails if mail.recipient == recipient]


class _Dialogue(socketserver.StreamRequestHandler):
    sink: Sink
    timeout = 10

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        with self.sink.lock:
            self.sink.connections += 1
        self.wfile.write(self.sink.banner)
        if not self.sink.banner.startswith(b"220"):
            return
        self.sender = self.recipient = ""
        try:
            while line := self.rfile.readline():
                if not self.command(line.decode("latin-1").strip()):
                    return
        except (OSError, ValueError):
            return

    def command(self, line: str) -> bool:
        verb = line[:4].upper()
        if verb == "EHLO":
            self.say("250-sink")
            if self.sink.pipelining:
                self.say("250-PIPELINING")
            self.say("250 8BITMIME")
        elif verb == "MAIL":
            self.sender, self.recipient = line[line.index("<") + 1 : line.index(">")], ""
            self.say("250 2.1.0 ok")
        elif verb == "RCPT":
            self.rcpt(line[line.index("<") + 1 : line.index(">")])
        elif verb == "DATA":
            return self.data()
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 ok")
        return True

    def rcpt(self, recipient: str) -> None:
        mode = recipient.partition("@")[0]
        if mode.startswith("perm"):
            self.say("550 5.1.1 no such user")
        elif mode.startswith("policy"):
            self.say("550 5.7.1 not from you")
        elif mode.startswith("temp"):
            self.say("451 4.3.0 later")
        else:
            self.recipient = recipient
            self.say("250 2.1.5 ok")

    def data(self) -> bool:
        if not self.recipient:
            self.say("503 5.5.1 no recipient")
            return True
        self.say("354 go on")
        mode = self.recipient.partition("@")[0]
        if mode.startswith("cutdata"):
            self.rfile.readline()
            return self.cut()
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if not line:
            return False  # who hung up before the end has sent nothing
        if mode.startswith("datatemp"):
            self.say("452 4.3.1 later")
            return True
        if mode.startswith("dataperm"):
            self.say("554 5.6.0 not this")
            return True
        with self.sink.lock:
            self.sink.mails.append(Received(self.sender, self.recipient, b"".join(lines)))
        if mode.startswith("dropack"):
            return self.cut()
        if mode.startswith("slowack"):
            time.sleep(3)
        self.say("250 2.0.0 taken")
        return True

    def cut(self) -> bool:
        # A reset, not a polite end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.connection.close()
        return False


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A dialogue cut short is what tests ask for."""


@contextmanager
def smtp_sink(**values: object) -> Iterator[Sink]:
    sink = Sink(**values)  # type: ignore[arg-type]
    handler = type("Dialogue", (_Dialogue,), {"sink": sink})
    with _Server(("127.0.0.1", 0), handler) as server:
        sink.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()
