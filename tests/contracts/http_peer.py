"""An HTTP server for tests that answers as it was told, by the last part of the path, and remembers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Peer:
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    def url(self, mode: str) -> str:
        return f"http://127.0.0.1:{self.port}/{mode}"


ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "ok": (200, {}, b'{"id": "abc-1", "messages": [{"id": 7}]}'),
    "created": (201, {"Location": "https://push.example/m/1"}, b""),
    "busy": (429, {"Retry-After": "120"}, b"slow down"),
    "busy_date": (429, {"Retry-After": "Tue, 10 Mar 2026 12:05:00 GMT"}, b""),
    "busy_long": (429, {"Retry-After": "315360000"}, b""),
    "busy_negative": (429, {"Retry-After": "-5"}, b""),
    "busy_silent": (429, {}, b""),
    "away": (503, {}, b"maintenance"),
    "broken": (500, {}, b"oops"),
    "bad": (400, {}, b"no such number"),
    "gone": (410, {}, b""),
    "missing": (404, {}, b""),
    "moved": (302, {"Location": "http://169.254.169.254/latest"}, b""),
    "key": (401, {}, b"wrong key"),
}


class _Handler(BaseHTTPRequestHandler):
    peer: Peer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mode = self.path.rsplit("/", 1)[-1]
        self.peer.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
            self.close_connection = True
            return
        if mode == "silent":
            time.sleep(2)
            self.close_connection = True
            return
        status, headers, content = ANSWERS[mode]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Cut connections are what tests ask for."""


@contextmanager
def http_peer() -> Iterator[Peer]:
    peer = Peer()
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"peer": peer})) as server:
        peer.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            server.shutdown()
            thread.join()
