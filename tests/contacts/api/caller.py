"""A program that uses the API in tests: its key, and what it asks."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from contacts import api_keys
from tests.factories import NOON


def make_key(*scopes: str, **values: Any) -> str:
    """The text of a key with these scopes, made by somebody."""
    maker, _new = User.objects.get_or_create(username="maker")
    _key, text = api_keys.issue("a program", scopes, maker.pk, NOON, **values)
    return text


class Caller:
    """Asks with JSON, as a program with a key. Without scopes named: with all of them."""

    def __init__(self, *scopes: str, key: str | None = None) -> None:
        self.key = key or make_key(*(scopes or settings.SEGUE_API_SCOPES))
        self._client = Client(headers={"Authorization": f"Bearer {self.key}"}, raise_request_exception=False)

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("DELETE", path, body, **headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """``body`` as JSON, or as it is if it is bytes; ``headers`` with _ for -."""
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        return self._client.generic(
            method,
            f"/api/v1/{path}",
            data,
            "application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
