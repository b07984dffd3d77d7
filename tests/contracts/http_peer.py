"""An HTTP server for tests that answers as it was told, by the last part of the path, and remembers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes
    mode: str = ""
    method: str = "POST"


@dataclass
class Peer:
    """``choose`` names the answer to a request; without it the last part of its path does."""

    port: int = 0
    choose: Callable[[Asked], str] | None = None
    asked: list[Asked] = field(default_factory=list)

    def url(self, mode: str) -> str:
        return f"http://127.0.0.1:{self.port}/{mode}"


ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "ok": (200, {}, b'{"id": "abc-1", "messages": [{"id": 7}]}'),
    "twilio": (201, {}, b'{"sid": "SM0123", "status": "queued"}'),
    "twilio_bad": (400, {}, b'{"code": 21211, "message": "not a valid phone number"}'),
    "twilio_stopped": (400, {}, b'{"code": 21610, "message": "unsubscribed recipient"}'),
    "twilio_full": (400, {}, b'{"code": 21611, "message": "queue is full"}'),
    "twilio_known": (200, {}, b'{"status": "active", "friendly_name": "Shop"}'),
    "vonage": (202, {}, b'{"message_uuid": "aaaa-1"}'),
    "vonage_bad": (422, {}, b'{"title": "Invalid params", "detail": "The to is invalid"}'),
    "fcm": (200, {}, b'{"name": "projects/shop-1/messages/1"}'),
    "fcm_gone": (
        404,
        {},
        b'{"error": {"code": 404, "status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}}',
    ),
    "postmark": (
        200,
        {},
        b'{"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": "taken@example.com"}',
    ),
    "postmark_bad": (422, {}, b'{"ErrorCode": 300, "Message": "Invalid To address"}'),
    "postmark_batch": (
        200,
        {},
        (
            b'[{"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1"},'
            b' {"ErrorCode": 406, "Message": "inactive"}]'
        ),
    ),
    "key_empty": (422, {}, b'{"ErrorCode": 300, "message": "No recipients"}'),
    "key_wrong": (401, {}, b'{"message": "Bad or missing token s3cret"}'),
    "key_named": (500, {}, b'{"status": "error", "name": "Invalid_Key", "message": "Invalid API key"}'),
    "key_unnamed": (500, {}, b'{"status": "error", "name": "ValidationError", "message": "Say a message"}'),
    "key_in_200": (200, {}, b'{"status": "error", "data": {"code": "InvalidServerAPIKey"}}'),
    "key_lost": (404, {}, b'{"message": "Domain not found: shop.example"}'),
    "key_trouble": (502, {}, b"bad gateway"),
    "resend_batch": (200, {}, b'{"data": [{"id": "re-1"}, {"id": "re-2"}]}'),
    "ses": (200, {"Content-Type": "application/json"}, b'{"MessageId": "ses-1"}'),
    "ses_rejected": (400, {"x-amzn-ErrorType": "MessageRejected"}, b'{"message": "no"}'),
    "ses_paused": (400, {"x-amzn-ErrorType": "SendingPausedException"}, b'{"message": "paused"}'),
    "ses_busy": (
        429,
        {"x-amzn-ErrorType": "TooManyRequestsException", "Retry-After": "120"},
        b'{"message": "rate"}',
    ),
    "ses_key": (403, {"x-amzn-ErrorType": "InvalidClientTokenId"}, b'{"message": "who"}'),
    "token": (200, {}, b'{"access_token": "g00gle", "expires_in": 3600}'),
    "meta_bad": (400, {}, b'{"error": {"code": 190, "message": "the token has ended"}}'),
    "meta_busy": (400, {}, b'{"error": {"code": 80003, "message": "too many calls"}}'),
    "created": (201, {"Location": "https://push.example/m/1"}, b""),
    "busy": (429, {"Retry-After": "120"}, b"slow down"),
    "busy_soon": (429, {"Retry-After": "3"}, b"slow down"),
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
        headers = {k.lower(): v for k, v in self.headers.items()}
        asked = Asked(self.path, headers, body, self.path.rsplit("/", 1)[-1], self.command)
        if self.peer.choose is not None:
            asked.mode = self.peer.choose(asked)
        mode = asked.mode
        self.peer.asked.append(asked)
        if mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
            self.close_connection = True
            return
        if mode == "silent":
            time.sleep(2)
            self.close_connection = True
            return
        if mode == "echo":
            # Some services repeat a key that they do not know.
            self._answer(401, {}, repr([*self.headers.items(), body]).encode())
            return
        self._answer(*ANSWERS[mode])

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_DELETE = do_POST  # noqa: N815

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
