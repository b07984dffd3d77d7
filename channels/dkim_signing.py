"""DKIM (RFC 6376): a mail signed with our own key, relaxed on both sides. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

#: What is signed. Those that are missing are signed as missing, so that none can be added.
_SIGNED = (
    "from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type",
    "list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
)  # fmt: skip
_SPACES = re.compile(rb"[ \t]+")
_BITS = 2048


class BadKeyError(ValueError):
    """The key is not an RSA key in PEM."""


def sign(raw: bytes, domain: str, selector: str, key: str) -> bytes:
    """``raw`` (CRLF line ends) with a DKIM-Signature before it. Raises BadKeyError."""
    head, _blank, body = raw.partition(b"\r\n\r\n")
    fields = _fields(head)
    named = [name for name in _SIGNED if name in fields]
    body_hash = base64.b64encode(hashlib.sha256(_body(body)).digest()).decode()
    unsigned = (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector};\r\n"
        f" h={':'.join(_listed(named))};\r\n bh={body_hash};\r\n b="
    )
    # Each name once more, so that nobody can add a second one.
    signed = b"".join(fields[name] + b"\r\n" for name in named)
    name, _colon, value = unsigned.encode().partition(b":")
    signed += _relaxed(name, value)
    signature = _key(key).sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return unsigned.encode() + _folded(base64.b64encode(signature)) + b"\r\n" + raw


def new_key() -> str:
    """A private key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def record(key: str) -> str:
    """The text of the DNS record that makes the key known. Raises BadKeyError."""
    raw = _key(key).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    return f"v=DKIM1; k=rsa; p={base64.b64encode(raw).decode()}"


@lru_cache(maxsize=16)
def _key(text: str) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKeyError("The DKIM key is not a private key in PEM.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadKeyError("The DKIM key is not an RSA key.")
    return key


def _listed(named: list[str]) -> list[str]:
    return [*named, *(name for name in _SIGNED if name not in named), *named]


def _fields(head: bytes) -> dict[str, bytes]:
    """The headers in relaxed form, by name; of several the last, as a verifier reads from the bottom."""
    found = {}
    for field in re.split(rb"\r\n(?![ \t])", head):
        name, _colon, value = field.partition(b":")
        found[name.strip().lower().decode("ascii", "replace")] = _relaxed(name, value)
    return found


def _relaxed(name: bytes, value: bytes) -> bytes:
    return name.strip().lower() + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip()


def _body(body: bytes) -> bytes:
    text = _SPACES.sub(b" ", body).replace(b" \r\n", b"\r\n").removesuffix(b" ").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _folded(text: bytes) -> bytes:
    return b"\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72))
