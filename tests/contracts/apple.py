"""APNs for tests: HTTP/2 on loopback, checking what Apple checks. A token's first sign chooses the answer."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: First sign of a token -> status and reason. ``d`` ends the connection without an answer.
ANSWERS: dict[str, tuple[int, str]] = {
    "a": (200, ""), "b": (410, "Unregistered"), "c": (503, "ServiceUnavailable"), "e": (400,
    "BadDeviceToken"),
    "f": (429, "TooManyRequests"), "1": (413, "PayloadTooLarge"), "2": (500, "InternalServerError"),
    "3": (403, "ExpiredProviderToken"), "0": (400, "BadDeviceToken"),
}  # fmt: skip


@dataclass
class Pushed:
    token: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Apple:
    """Start it, point a provider at ``url`` with ``key``, look at ``pushed``."""

    pushed: list[Pushed] = field(default_factory=list)
    connections: int = 0
    #: Retry-After of what is refused for now.
    wait: str = ""

    def __post_init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.key = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listening.close()

    def count(self, token: str) -> int:
        return sum(one.token == token for one in self.pushed)

    def _accept(self) -> None:
        while True:
            try:
                sock, _address = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=[sock], daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        talk.initiate_connection()
        asked: dict[int, tuple[dict[str, str], bytearray]] = {}
        # Whoever speaks something else, or leaves in the middle, is what a port on a machine meets.
        with sock, suppress(OSError, h2.exceptions.ProtocolError):
            sock.sendall(talk.data_to_send())
            while raw := sock.recv(65_536):
                for event in talk.receive_data(raw):
                    if isinstance(event, h2.events.RequestReceived):
                        heads = {_text(name): _text(value) for name, value in event.headers}
                        asked[event.stream_id] = (heads, bytearray())
                    elif isinstance(event, h2.events.DataReceived):
                        asked[event.stream_id][1].extend(event.data)
                        talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        heads, body = asked.pop(event.stream_id)
                        if not self._answer(talk, event.stream_id, heads, bytes(body)):
                            return
                sock.sendall(talk.data_to_send())

    def _answer(
        self, talk: h2.connection.H2Connection, stream: int, heads: dict[str, str], body: bytes
    ) -> bool:
        token = heads[":path"].rpartition("/")[2]
        reason = self._complaint(heads, body)
        if reason:
            status = 403 if "Provider" in reason else 400
        elif token[0] == "d":
            return False
        else:
            status, reason = ANSWERS[token[0]]
            self.pushed.append(Pushed(token, heads, json.loads(body)))
        told = json.dumps({"reason": reason}).encode() if reason else b""
        answer = [(":status", str(status)), ("apns-id", heads.get("apns-id", ""))]
        if self.wait and status in (429, 503):
            answer.append(("retry-after", self.wait))
        talk.send_headers(stream, answer, end_stream=not told)
        if told:
            talk.send_data(stream, told, end_stream=True)
        return True

    def _complaint(self, heads: dict[str, str], body: bytes) -> str:
        """What Apple looks at before it looks at the device."""
        scheme, _space, token = heads.get("authorization", "").partition(" ")
        try:
            claims = jwt.decode(
                token, self._private.public_key(), algorithms=["ES256"], options={"verify_iat": False}
            )
            named = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            return "InvalidProviderToken"
        if scheme != "bearer" or not claims.get("iss") or not named or "iat" not in claims:
            return "InvalidProviderToken"
        if not heads.get("apns-topic"):
            return "MissingTopic"
        if heads[":method"] != "POST" or not heads[":path"].startswith("/3/device/"):
            return "BadPath"
        return "PayloadEmpty" if "aps" not in json.loads(body or b"{}") else ""


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
