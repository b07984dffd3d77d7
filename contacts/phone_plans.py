"""Ordinary phone numbers, judged by their plan's own patterns, much quicker than by a full parse. Pure.

Says yes only where the full parse of ``phonenumbers`` would give the same answer, and nothing wherever there
is a doubt: several countries under one code that look alike, prefixes that may or may not belong to the
number, leading zeros that count. Files of a million numbers are nearly all ordinary.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc

_NOT_DIGITS = re.compile(r"[^0-9]+", re.ASCII)
_REFUSED = ("premium_rate", "shared_cost", "pager", "uan", "voicemail")
"Kinds that cost the owner or reach nobody: the full parse refuses them."


class _Plan(NamedTuple):
    general: re.Pattern[str]
    ordinary: re.Pattern[str]
    refused: re.Pattern[str] | None
    #: What may be stripped from the front.
    prefix: re.Pattern[str] | None


def ordinary(text: str, region: str | None) -> str | None:
    """The E.164 form of an ordinary number, written with its country code or as in ``region``; or None."""
    digits = _NOT_DIGITS.sub("", text)
    if text.startswith("+"):
        code = _code_of(digits)
        if code is None:
            return None
        national = digits[len(code) :]
        plan = _plan(code)
    elif region and digits.startswith("0") and digits[1:2] != "0" and (code := _code_at_home(region)):
        plan, national = _plan(code), digits[1:]
        if plan is None or plan.general.fullmatch(digits):
            return None
    else:
        return None
    if plan is None or national.startswith("0") or (plan.prefix and plan.prefix.match(national)):
        return None
    if not plan.general.fullmatch(national) or not plan.ordinary.fullmatch(national):
        return None
    if plan.refused and plan.refused.fullmatch(national):
        return None
    return f"+{code}{national}"


def _code_of(digits: str) -> str | None:
    if digits.startswith("0"):
        return None
    for length in (1, 2, 3):
        if int(digits[:length] or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return digits[:length]
    return None


@lru_cache(maxsize=300)
def _code_at_home(region: str) -> str | None:
    """The code of ``region`` if it is the main one and writes a 0, and nothing else, before each number."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.country_code is None or metadata.national_prefix_transform_rule:
        return None
    main = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[metadata.country_code][0]
    drops_zero = metadata.national_prefix == metadata.national_prefix_for_parsing == "0"
    return str(metadata.country_code) if main == region and drops_zero else None


@lru_cache(maxsize=300)
def _plan(code: str) -> _Plan | None:
    """The plan of the main region of a country code, where it claims its numbers by their patterns."""
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.leading_digits or metadata.national_prefix_transform_rule:
        return None
    general = _pattern(metadata.general_desc)
    kinds = _pattern(metadata.mobile, metadata.fixed_line)
    refused = _pattern(*(getattr(metadata, kind) for kind in _REFUSED))
    if general is None or kinds is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Plan(general, kinds, refused, re.compile(prefix) if prefix else None)


def _pattern(*descs: PhoneNumberDesc | None) -> re.Pattern[str] | None:
    """What any of them matches."""
    found = [desc.national_number_pattern if desc else None for desc in descs]
    patterns = [one for one in found if one and one != "NA"]
    return re.compile("|".join(f"(?:{one})" for one in patterns)) if patterns else None
