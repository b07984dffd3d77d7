"""A sender of the Segment contract that calls the intake door directly, and the door it calls."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from contacts.intake import Row
from contacts.intake_door import Door
from contacts.intake_event import IntakeEvent, unpack
from contacts.intake_keys import Sender
from contacts.intake_quota import Quota
from contacts.models import InboxItem

KEY = "wk_the_key_of_source_one"
OTHER_KEY = "wk_the_key_of_source_two"
SERVER_KEY = "sk_the_server_key_of_source_one"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Inbox:
    """Stores rows within the test's own transaction."""

    def store(self, rows: Sequence[Row]) -> None:
        InboxItem.objects.bulk_create(InboxItem(**row._asdict()) for row in rows)

    def events(self) -> list[IntakeEvent]:
        return [unpack(bytes(item.payload)) for item in InboxItem.objects.filter(rejection="").order_by("id")]

    def rejections(self) -> list[str]:
        return list(
            InboxItem.objects.exclude(rejection="").order_by("id").values_list("rejection", flat=True)
        )


def make_door(**changes: Any) -> Door:
    parts: dict[str, Any] = {
        "sender_of": {KEY: Sender(1), OTHER_KEY: Sender(2), SERVER_KEY: Sender(1, server=True)}.get,
        "store": Inbox(),
        "quota": Quota(0),
        "now": lambda: NOW,
    }
    return Door(**{**parts, **changes})


def send(
    path: str,
    body: object,
    *,
    key: str | None = KEY,
    door: Door | None = None,
    method: str = "POST",
    **environ: str,
) -> Answer:
    """One request. `body` goes as it is if bytes, else as JSON; `environ` adds to or replaces WSGI's."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    values: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
        "wsgi.input_terminated": True,
    }
    if key is not None:
        values["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _info: object = None) -> Any:
        started.extend((status, headers))

    content = b"".join((door or make_door())({**values, **environ}, start_response))
    return Answer(int(started[0].split()[0]), dict(started[1]), content)


def track(**changes: Any) -> dict[str, Any]:
    """A whole, good track call for a batch."""
    return {"type": "track", "userId": "ada", "event": "Product Added", "messageId": "m-1", **changes}
