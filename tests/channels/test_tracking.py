"""Tokens of pixels and links."""

from datetime import UTC, datetime

import pytest

from channels.tracking import CLICK, OPEN, Signer, Token

AT = datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_token_says_what_was_signed() -> None:
    assert Signer("secret").read(CLICK, Signer("secret").sign(CLICK, 7, AT, 3)) == Token(7, AT, 3)


def test_a_token_is_good_for_one_use_only() -> None:
    signer = Signer("secret")
    assert signer.read(OPEN, signer.sign(CLICK, 7, AT, 3)) is None


def test_a_foreign_token_says_nothing() -> None:
    assert Signer("secret").read(OPEN, Signer("other").sign(OPEN, 7, AT)) is None


def test_tokens_of_a_former_secret_stay_good() -> None:
    old = Signer("old").sign(CLICK, 7, AT, 3)
    assert Signer("new", ["old"]).read(CLICK, old) == Token(7, AT, 3)
    assert Signer("new", ["old"]).sign(CLICK, 7, AT, 3) == Signer("new").sign(CLICK, 7, AT, 3)


def test_no_altered_sign_is_taken() -> None:
    signer = Signer("secret")
    token = signer.sign(CLICK, 7, AT, 3)
    for place, sign in enumerate(token):
        other = "A" if sign != "A" else "B"
        assert signer.read(CLICK, token[:place] + other + token[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "a", "é" * 48, "=" * 48, "-" * 48, "a" * 47, "a" * 49, "\n" * 48])
def test_nonsense_says_nothing(text: str) -> None:
    assert Signer("secret").read(CLICK, text) is None
