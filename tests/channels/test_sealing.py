"""What accounts keep to themselves."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from channels import sealing


def test_secrets_stay_readable_while_the_old_key_is_kept(settings: Settings) -> None:
    sealed = sealing.seal({"password": "canary-1"})
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [old]

    assert sealing.unseal(sealed) == {"password": "canary-1"}

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(sealing.SecretsUnreadableError):
        sealing.unseal(sealed)
