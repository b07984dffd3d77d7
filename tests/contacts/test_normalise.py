"""One form for each value that finds or reaches a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts import normalise


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (" Ada@Example.ORG\n", "ada@example.org"),
        ("u@bücher.example", "u@xn--bcher-kva.example"),
        ("u@BÜCHER.example", "u@xn--bcher-kva.example"),
        ("u@xn--bcher-kva.example", "u@xn--bcher-kva.example"),
        ("first.last+tag@example.org", "first.last+tag@example.org"),
    ],
)
def test_an_email_has_one_form(given: str, expected: str) -> None:
    assert normalise.email(given) == expected


@pytest.mark.parametrize(
    "bad",
    [
        *("", "ada", "ada@", "@example.org", "a@@example.org", "a@b@example.org", "a,b@example.org"),
        *(
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@localhost",
            "a@example.org.",
            "a@.example.org",
            "a@ex_ample.org",
        ),
        *("a%0d%0aRCPT@example.org", "a\r\nbcc:x@example.org", "a\0@example.org", '"a b"@example.org'),
        *("a(note)@example.org", ".a@example.org", "a.@example.org", "a..b@example.org", "ä@example.org"),
        *(
            f"{'a' * 65}@example.org",
            f"a@{'a.' * 120}org",
            f"a@{'a' * 64}.org",
            f"{'a' * 64}@{'b' * 63}." * 3,
        ),
        *("a@-example.org", "a@xn--a.org", "x" * 10_000, 7, None, ["a@example.org"], {"a": 1}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_deliverable_email_is_none(bad: object) -> None:
    assert normalise.email(bad) is None


@pytest.mark.parametrize(
    ("given", "region", "expected"),
    [
        ("+33 6 12 34 56 78", None, "+33612345678"),
        ("0033612345678", None, "+33612345678"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("+1 (202) 555-0123", None, "+12025550123"),
        ("\u200f+33612345678", None, "+33612345678"),
        ("＋３３６１２３４５６７８", None, "+33612345678"),
    ],
)
def test_a_phone_number_is_e164(given: str, region: str | None, expected: str) -> None:
    assert normalise.phone(given, region) == expected


@pytest.mark.parametrize(
    "bad",
    [
        *("", "0612345678", "+1-800-FLOWERS", "1" * 200, "+1 900 555 1234", "+33 8 99 12 34 56", "call me"),
        *("+33612345678;ext=1", "+999123456789", True, 1.5, None, ["+33612345678"], {}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_reachable_number_is_none(bad: object) -> None:
    assert normalise.phone(bad) is None


@given(st.text())
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    for form in (normalise.identifier, normalise.email, normalise.phone, normalise.language):
        once = form(text)
        assert once is None or form(once) == once


@given(st.from_regex(r"[A-Za-z0-9.+-]{1,70}@[A-Za-zäöß0-9.-]{1,40}", fullmatch=True))
def test_an_accepted_email_is_plain_and_bounded(text: str) -> None:
    email = normalise.email(text)
    assert email is None or (email.isascii() and len(email) <= 254 and email == email.lower())


@pytest.mark.parametrize(
    ("given", "expected"), [("fr_FR", "fr-FR"), ("EN", "en"), ("zh-hant-tw", "zh-Hant-TW"), ("x" * 99, None)]
)
def test_a_language_is_a_tag(given: str, expected: str | None) -> None:
    assert normalise.language(given) == expected
