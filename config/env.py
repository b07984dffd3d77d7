"""Typed readers of environment variables. A bad value stops the start and names its variable."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


class BadSetting(ImproperlyConfigured):
    """A variable is set to a value that cannot be used."""

    def __init__(self, variable: str, value: str, wanted: str) -> None:
        super().__init__(f"{variable}={value!r}: {wanted}")


def text(variable: str, default: str = "") -> str:
    return os.environ.get(variable, "").strip() or default


def flag(variable: str, default: bool) -> bool:
    value = text(variable).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(variable, value, "use yes or no")


def number(variable: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
    value = text(variable)
    if not value:
        return default
    try:
        result = int(value)
    except ValueError:
        raise BadSetting(variable, value, "use a whole number") from None
    if not least <= result <= most:
        raise BadSetting(variable, value, f"use a number from {least} to {most}")
    return result


def words(variable: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    value = text(variable)
    return [word.strip() for word in value.split(",") if word.strip()] if value else default


def folder(variable: str, default: Path) -> Path:
    value = text(variable)
    path = Path(value) if value else default
    if path.exists() and not path.is_dir():
        raise BadSetting(variable, str(path), "this is a file, not a folder")
    return path.resolve()


def image(variable: str) -> Path | None:
    """A readable image that browsers show; None where the variable is not set."""
    value = text(variable)
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if path.suffix not in {".svg", ".png", ".webp"} or not path.is_file():
        raise BadSetting(variable, value, "use an existing file that ends in .svg, .png or .webp")
    return path


def url(variable: str, default: str, *, schemes: tuple[str, ...]) -> str:
    value = text(variable, default)
    if urlsplit(value).scheme not in schemes:
        raise BadSetting(variable, hide_password(value), f"use an address that starts with {schemes[0]}://")
    return value


def hide_password(address: str) -> str:
    try:
        password = urlsplit(address).password
    except ValueError:
        return address
    return address.replace(f":{password}@", ":…@") if password else address


def secret(variable: str, keep_in: Path) -> str:
    """The variable, or a key made once and kept in a file that only its owner may read."""
    value = text(variable)
    if value:
        if len(value) < 32:
            raise BadSetting(variable, "…", "use at least 32 characters")
        return value
    if not keep_in.exists():
        keep_in.parent.mkdir(parents=True, exist_ok=True)
        draft = keep_in.with_name(f"{keep_in.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        try:
            # A link fails where the file exists, so of two first starts at once one key wins for both.
            os.link(draft, keep_in)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return keep_in.read_text(encoding="utf-8").strip()


def database(variable: str, address: str, *, pool: int, idle: int) -> dict[str, Any]:
    """Django's settings for a `postgresql://user:password@host:port/name?option=value` address.

    A session that stands still inside a transaction for more than ``idle`` seconds is ended, so that whoever
    froze there holds up nobody; an `options` of the address has the last word.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BadSetting(variable, address, "not a valid address") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadSetting(variable, hide_password(address), "use an address that starts with postgresql://")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise BadSetting(variable, hide_password(address), "the database's name is missing at the end")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    limit = f"-c idle_in_transaction_session_timeout={idle}s"
    options["options"] = f"{limit} {options.get('options', '')}".strip()
    if pool:
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        # A pool keeps its own connections; Django refuses both at once.
        "CONN_MAX_AGE": 0 if pool else 600,
        "CONN_HEALTH_CHECKS": not pool,
        "OPTIONS": options,
    }


def remembered(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key, "")
    return value if isinstance(value, str) else ""
