"""A push service on this machine, as Firefox knows one: a WebSocket for the browser, HTTP for senders.

It asks of senders what a real one asks: the VAPID signature of the key that the browser subscribed with, a
TTL, aes128gcm, at most 4096 bytes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric import ec

_LARGEST = 4096


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Subscription:
    channel: str
    key: str
    socket: web.WebSocketResponse


@dataclass
class PushService:
    """``subscriptions`` by the last part of their endpoint; ``acked``: versions that the browser took."""

    port: int = 0
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    acked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def end(self) -> None:
        """Forget every subscription, as when a browser took its permission back."""
        self.subscriptions.clear()

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["push-notification"])
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                answer = self._answer(json.loads(message.data), socket)
                if answer is not None:
                    await socket.send_json(answer)
        return socket

    def _answer(self, told: dict[str, Any], socket: web.WebSocketResponse) -> dict[str, Any] | None:
        kind = told.get("messageType", "")
        if kind == "hello":
            uaid = told.get("uaid") or uuid.uuid4().hex
            return {"messageType": kind, "uaid": uaid, "status": 200, "use_webpush": True, "broadcasts": {}}
        if kind == "register":
            token = uuid.uuid4().hex
            self.subscriptions[token] = Subscription(told["channelID"], told.get("key", ""), socket)
            endpoint = f"http://127.0.0.1:{self.port}/wpush/v2/{token}"
            return {
                "messageType": kind,
                "channelID": told["channelID"],
                "status": 200,
                "pushEndpoint": endpoint,
            }
        if kind == "unregister":
            gone = [token for token, one in self.subscriptions.items() if one.channel == told["channelID"]]
            for token in gone:
                del self.subscriptions[token]
            return {"messageType": kind, "channelID": told["channelID"], "status": 200}
        if kind == "ack":
            self.acked += [one["version"] for one in told["updates"] if one.get("code", 100) == 100]
        return None if kind else {}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        found = self.subscriptions.get(request.match_info["token"])
        status = self._status(request, body, found)
        self.statuses.append(status)
        if found is None or status != 201:
            return web.Response(status=status)
        self.bodies.append(body)
        version = uuid.uuid4().hex
        await found.socket.send_json({
            "messageType": "notification", "channelID": found.channel, "version": version,
            "data": base64.urlsafe_b64encode(body).rstrip(b"=").decode(),
            "headers": {"encoding": "aes128gcm"},
        })  # fmt: skip
        return web.Response(status=201, headers={"Location": f"http://127.0.0.1:{self.port}/m/{version}"})

    def _status(self, request: web.Request, body: bytes, found: Subscription | None) -> int:
        if found is None:
            return 410
        if (
            not request.headers.get("TTL", "").isdigit()
            or request.headers.get("Content-Encoding") != "aes128gcm"
        ):
            return 400
        if len(body) > _LARGEST:
            return 413
        scheme, _space, rest = request.headers.get("Authorization", "").partition(" ")
        parts = dict(one.strip().split("=", 1) for one in rest.split(",") if "=" in one)
        if scheme.lower() != "vapid" or _raw(parts.get("k", "")) != _raw(found.key):
            return 403
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _raw(found.key))
        try:
            jwt.decode(parts["t"], point, ["ES256"], audience=f"http://127.0.0.1:{self.port}")
        except jwt.PyJWTError:
            return 401
        return 201


@contextmanager
def push_service() -> Iterator[PushService]:
    service, ready, stop = PushService(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        app = web.Application()
        app.add_routes([web.post("/wpush/v2/{token}", service.take), web.get("/", service.listen)])
        runner = web.AppRunner(app, shutdown_timeout=0, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        service.port = runner.addresses[0][1]
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()], daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
