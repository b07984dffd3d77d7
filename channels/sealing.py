"""What an account must keep to itself: encrypted where it lies, never shown again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from channels.models import ProviderAccount


class SecretsUnreadableError(Exception):
    """The secrets were written with a SECRET_KEY that is gone; they must be entered again."""


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


def _box() -> MultiFernet:
    """Seals with today's key, opens with former ones too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"segue.secrets\0" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
