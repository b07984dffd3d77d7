"""The signature of a notification of Amazon's: by a certificate that Amazon itself hands out.

Anymail leaves it unasked and believes a password. We ask both: the password names our topic, the signature
tells that nobody in between changed a word.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from channels.providers.outgoing import NoAnswerError, NotAllowedError, NotSentError, Outgoing

_CERTIFICATE = re.compile(r"https://sns\.[a-z0-9-]{4,30}\.amazonaws\.com(\.cn)?/[\w.-]{1,120}\.pem", re.ASCII)
_SECONDS = 5.0
#: What is signed of each kind, in this order; a part that is missing is left out.
_PARTS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_PARTS["UnsubscribeConfirmation"] = _PARTS["SubscriptionConfirmation"]
_HASHES: Mapping[str, type[hashes.SHA1 | hashes.SHA256]] = {"1": hashes.SHA1, "2": hashes.SHA256}


class CertificateAwayError(Exception):
    """Amazon does not hand out the certificate now; what was posted may be good."""


def complaint(told: Any) -> str:
    """Why a notification is not believed; empty where its signature is good. Raises CertificateAwayError."""
    if not isinstance(told, dict):
        return "not what Amazon posts"
    parts, made = _PARTS.get(str(told.get("Type"))), _HASHES.get(str(told.get("SignatureVersion")))
    place = str(told.get("SigningCertURL") or "")
    if parts is None or made is None or not _CERTIFICATE.fullmatch(place):
        return "no signature of Amazon's"
    try:
        key = x509.load_pem_x509_certificate(fetch(place)).public_key()
        signature = base64.b64decode(str(told.get("Signature")), validate=True)
        if not isinstance(key, rsa.RSAPublicKey):
            return "no key of Amazon's kind"
        key.verify(signature, signed(told, parts), padding.PKCS1v15(), made())
    except (ValueError, binascii.Error, InvalidSignature):
        return "a wrong signature"
    return ""


def signed(told: Mapping[str, Any], parts: tuple[str, ...]) -> bytes:
    """The text that Amazon signs: names and values, a line each."""
    return "".join(f"{name}\n{told[name]}\n" for name in parts if told.get(name) is not None).encode()


@lru_cache(maxsize=16)
def fetch(place: str) -> bytes:
    """The certificate at an address of Amazon's, asked for once a process. Raises CertificateAwayError."""
    outgoing = Outgoing(read_seconds=_SECONDS)
    try:
        answer = outgoing.call("GET", place)
    except (NotAllowedError, NotSentError, NoAnswerError) as error:
        raise CertificateAwayError(str(error)) from None
    finally:
        outgoing.close()
    if answer.status != 200:
        raise CertificateAwayError(f"Amazon answers {answer.status}")
    return answer.body
