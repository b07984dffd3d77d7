"""The quick judgement of phone numbers never differs from the full parse."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from contacts import phone_plans, places
from tests.examples import examples
from tests.factories import NOON

_REFUSED = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.UAN,
}
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = [
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.UAN,
]


def by_full_parse(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in _REFUSED:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A number of some country as people write it, a few digits changed, and the region it is read in."""
    region = draw(st.sampled_from(REGIONS))
    example = phonenumbers.example_number_for_type(region, draw(st.sampled_from(KINDS)))
    example = example or phonenumbers.example_number(region)
    assert example is not None
    form = draw(
        st.sampled_from([PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164])
    )
    signs = list(phonenumbers.format_number(example, form))
    for place in draw(st.lists(st.integers(0, len(signs) - 1), max_size=4)):
        if signs[place].isdigit():
            signs[place] = draw(st.sampled_from("0123456789"))
    tail = draw(st.sampled_from(["", "", "", "0", "7"]))
    text = draw(st.sampled_from(["", "", "", "0"])) + "".join(signs) + tail
    return text, draw(st.sampled_from([region, region, "FR", "US", "GB", "IT"]))


@examples(400)
@given(written())
def test_an_ordinary_number_is_what_the_full_parse_makes_of_it(case: tuple[str, str]) -> None:
    text, region = case
    found = phone_plans.ordinary(text, region)
    assert found is None or found == by_full_parse(text, region)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("+33 6 12 34 56 78", None, "+33612345678"),
        ("+33 (0)6 12 34 56 78", None, None),
        ("0899 12 34 56", "FR", None),
        ("+44 7400 123456", None, "+447400123456"),
        ("+44 7911 123456", None, None),
        ("+1 202-456-1111", None, "+12024561111"),
        ("02 1234 5678", "IT", None),
        ("", "FR", None),
        ("+", None, None),
    ],
)
def test_what_is_in_doubt_is_left_to_the_full_parse(
    text: str, region: str | None, expected: str | None
) -> None:
    assert phone_plans.ordinary(text, region) == expected


@examples(300)
@given(written())
def test_the_zone_by_prefix_is_the_zone_of_the_number(case: tuple[str, str]) -> None:
    phone = by_full_parse(*case)
    if phone:
        assert places.zone_of_phone(phone, NOON) == places._zone_of_number(phone, NOON.year)
