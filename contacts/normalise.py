"""One form for each value that finds or reaches a person. Every door uses these, so one person stays one.

Each function returns the normal form, or None if the value must not be used. None never raises an error
for the sender: the value stays readable in the event's own properties.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from collections.abc import Mapping
from functools import lru_cache

import idna
import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from contacts import phone_plans

LONGEST_ID = 512
_LONGEST_EMAIL, _LONGEST_LOCAL_PART, _MOST_LABELS = 254, 64, 10

#: What broken senders put where nobody is signed in. Matching on one of these would pile thousands of
#: people into one profile.
_BLOCKED = re.compile(
    r"[0-]*|-1|null|\(null\)|undefined|anonymous|none|nil|nan|\[object object\]", re.IGNORECASE | re.ASCII
)
# Stricter than Django's validator: no quotes, comments, IP literals, `%` (a relay's route, or an encoded
# line break), and nothing that plain SMTP cannot carry.
_LOCAL_PART = re.compile(r"[a-z0-9!#$&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)
_PHONE = re.compile(r"\+?[0-9 ()./\u2010-\u2015-]{5,30}", re.ASCII)
_UNREACHABLE = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.UAN,
}


def identifier(value: str | None) -> str | None:
    """A user, anonymous or device id: trimmed, composed Unicode, case kept. None if blocked or too long."""
    if not value:
        return None
    if not (value.isascii() and value.isprintable()):
        value = "".join(sign for sign in unicodedata.normalize("NFC", value) if sign.isprintable())
    value = value.strip()
    return None if len(value) > LONGEST_ID or _BLOCKED.fullmatch(value) else value


def email(value: object) -> str | None:
    """An email address in lower case with an ASCII domain (IDNA 2008)."""
    if not isinstance(value, str) or len(value) > 1000:
        return None
    local, at, domain = value.strip().lower().rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL_PART or not _LOCAL_PART.fullmatch(local):
        return None
    ascii_domain = _domain(domain)
    if ascii_domain is None or len(local) + 1 + len(ascii_domain) > _LONGEST_EMAIL:
        return None
    return f"{local}@{ascii_domain}"


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str | None:
    try:
        text = idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
    labels = text.split(".")
    if not 2 <= len(labels) <= _MOST_LABELS or labels[-1].isdigit():
        return None
    return text if all(_LABEL.fullmatch(label) for label in labels) else None


def phone(value: object, region: str | None = None) -> str | None:
    """A phone number as E.164. ``region`` (two letters) reads numbers written without a country code.

    Letters, numbers that no plan knows, and those that cost the owner or reach nobody are refused.
    """
    if isinstance(value, int):
        value = str(value)
    return _phone(value, region) if isinstance(value, str) and len(value) <= 100 else None


@lru_cache(maxsize=50_000)
def _phone(value: str, region: str | None) -> str | None:
    text = value.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip()
    if not _PHONE.fullmatch(text):
        return None
    if text.startswith("00"):
        text = f"+{text[2:]}"
    if found := phone_plans.ordinary(text, region):
        return found
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in _UNREACHABLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def country(value: object) -> str | None:
    """Two letters of ISO 3166, as far as phone plans know the country."""
    text = value.strip().upper() if isinstance(value, str) and len(value) < 10 else ""
    return text if text in phonenumbers.SUPPORTED_REGIONS else None


def region(traits: Mapping[str, object]) -> str | None:
    """The country that traits declare, directly or in an address."""
    address = traits.get("address")
    found = country(traits.get("country"))
    return found or (country(address.get("country")) if isinstance(address, dict) else None)


def language(value: object) -> str | None:
    """A language tag such as ``fr`` or ``fr-CA``."""
    text = value.strip().replace("_", "-") if isinstance(value, str) else ""
    if not _LANGUAGE.fullmatch(text):
        return None
    first, *rest = text.split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])


def time_zone(value: object) -> str | None:
    """An IANA name, such as Europe/Paris."""
    return value if isinstance(value, str) and value in _zones() else None


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}
