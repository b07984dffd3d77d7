"""Addresses that may be written to, in one normal form. Stricter than the standards on purpose:
what real mailboxes and phones never use, attackers do."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

_LOCAL = re.compile(r"[a-z0-9!#$&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$&'*+/=?^_`{|}~-]+)*", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PHONE = re.compile(r"\+[0-9 ().\-]{6,38}")
_LONGEST_EMAIL = 254
_LONGEST_LOCAL = 64
_MOST_LABELS = 10


class AddressError(ValueError):
    """The address cannot be written to; the message says why."""


def email(text: str) -> str:
    """``text`` as an address for an envelope: ASCII, lower-case domain in punycode. Raises AddressError."""
    address = text.strip(" ")
    local, at, domain = address.rpartition("@")
    if not at or "@" in local:
        raise AddressError("an email address has exactly one @")
    if len(local) > _LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        raise AddressError("the part before @ is not one that mailboxes use")
    result = f"{local}@{_domain(domain)}"
    if len(result) > _LONGEST_EMAIL:
        raise AddressError("the address is too long")
    return result


@lru_cache(maxsize=4_096)
def _domain(written: str) -> str:
    try:
        domain = written.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise AddressError("the domain is not valid") from None
    labels = domain.split(".")
    if not 2 <= len(labels) <= _MOST_LABELS or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise AddressError("the domain is not valid")
    return domain


def phone(text: str) -> str:
    """``text`` (with its country code) as E.164. Raises AddressError, also for premium-rate numbers."""
    if not _PHONE.fullmatch(text.strip(" ")):
        raise AddressError("not a phone number with its country code")
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise AddressError("not a phone number") from None
    if number.extension or not phonenumbers.is_possible_number(number):
        raise AddressError("not a possible phone number")
    if phonenumbers.number_type(number) in (
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.SHARED_COST,
    ):
        raise AddressError("a premium-rate number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
