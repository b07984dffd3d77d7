"""What an account must keep to itself: encrypted where it lies, never shown again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from channels.models import ProviderAccount


class SecretsUnreadableError(Exception):
    """The secrets were written with another SECRET_KEY; they must be entered again."""


def seal(values: Mapping[str, str]) -> str:
    return _box().encrypt(json.dumps(dict(values)).encode()).decode("ascii") if values else ""


def unseal(text: str) -> dict[str, str]:
    """The secrets in ``text``. Raises SecretsUnreadableError."""
    if not text:
        return {}
    try:
        values: dict[str, str] = json.loads(_box().decrypt(text.encode()))
    except InvalidToken:
        raise SecretsUnreadableError("The secrets cannot be read with today's SECRET_KEY.") from None
    return values


def values_of(account: ProviderAccount) -> dict[str, Any]:
    """Settings and secrets of an account together, as its provider wants them."""
    return {**account.settings, **unseal(account.secrets)}


def _box() -> Fernet:
    key = hashlib.sha256(b"segue.secrets\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
