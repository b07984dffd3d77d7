"""Addresses that may be written to, and those that may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.addresses import AddressError, email, phone


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ann@example.com", "ann@example.com"),
        (" Ann.Smith+news@EXAMPLE.com ", "Ann.Smith+news@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_a_mailbox_has_one_form(text: str, normal: str) -> None:
    assert email(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "ann", "@example.com", "ann@", "ann@example", "ann@@example.com", "a@b@example.com",
        "ann@[127.0.0.1]", "ann@127.0.0.1", "ann@example.com.", "ann@.example.com", "ann@exa..mple.com",
        ".ann@example.com", "ann.@example.com", "a..n@example.com", '"ann"@example.com', "ann(a)@example.com",
        "a,b@example.com", "a b@example.com", "ann@exa mple.com", "a%0d%0aRCPT@example.com", "ä@example.com",
        "a" * 65 + "@example.com", "a@" + "b" * 64 + ".com", "a@" + "b." * 130 + "com",
        "a@" + "a." * 20 + "com",
        "ann@example.com\r\nRCPT TO:<bob@example.com>", "ann@example.com\n", "ann\x00@example.com",
        "<ann@example.com>", "ann@example.com>", "ann@-example.com", "ann@example-.com", "ann@exa_mple.com",
    ],
)  # fmt: skip
def test_what_no_mailbox_has_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        email(text)


@given(st.text(max_size=80))
def test_whatever_passes_is_safe_in_a_command(text: str) -> None:
    try:
        address = email(text)
    except AddressError:
        return
    assert address.isascii()
    assert not set(address) & set("\r\n\x00 <>,;\"'()[]") - {"'"}
    assert email(address) == address


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("+33612345678", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("+1 (212) 555-0123", "+12125550123"),
    ],
)
def test_a_phone_number_has_one_form(text: str, normal: str) -> None:
    assert phone(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "0612345678", "call me", "+33abc", "+" + "1" * 200, "+1" + "2" * 20, "+999123456789",
        "+33 899 12 34 56", "+44 909 8790000", "+336123\u202e45678", "+٣٣٦١٢٣٤٥٦٧٨", "+33612345678;ext=5",
        "+3361234567\n8", "tel:+33612345678x",
    ],
)  # fmt: skip
def test_what_is_no_phone_or_costs_extra_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        phone(text)
