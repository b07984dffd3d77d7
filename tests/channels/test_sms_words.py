"""Segments of texts, and who writes to whom."""

from __future__ import annotations

import pytest

from channels import sms_segments, sms_senders


@pytest.mark.parametrize(
    ("text", "encoding", "used", "segments"),
    [
        ("", "GSM-7", 0, 0), ("a" * 160, "GSM-7", 160, 1), ("a" * 161, "GSM-7", 161, 2), ("a" * 306,
        "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3), ("€" * 80, "GSM-7", 160, 1), ("a" * 152 + "€" + "a" * 8, "GSM-7",
        162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3), ("é" * 160, "GSM-7", 160, 1), ("ê" * 70, "UCS-2",
        70, 1),
        ("ê" * 71, "UCS-2", 71, 2), ("😀" * 35, "UCS-2", 70, 1), ("😀" * 36, "UCS-2", 72, 2),
        ("x" * 66 + "😀😀😀", "UCS-2", 72, 2),
        ("’", "UCS-2", 1, 1), ("[x]", "GSM-7", 5, 1),
    ],
)  # fmt: skip
def test_a_text_becomes_so_many_segments(text: str, encoding: str, used: int, segments: int) -> None:
    counted = sms_segments.count(text)
    assert (counted.encoding, counted.used, counted.segments) == (encoding, used, segments)


def test_the_signs_that_make_it_dear_are_named() -> None:
    assert sms_segments.count("C’est l’été ê ê").odd == "’ê"


def test_one_person_always_hears_from_the_same_number() -> None:
    senders = sms_senders.pool("+33700000001, +33700000002\n+33700000003")
    people = [f"+336000000{n:02d}" for n in range(100)]
    first = {to: sms_senders.pick(senders, to) for to in people}
    assert set(first.values()) == set(senders)
    again = {to: sms_senders.pick(tuple(reversed(senders)), to) for to in people}
    assert first == again
    fewer = {to: sms_senders.pick(senders[:2], to) for to in people}
    assert all(fewer[to] == first[to] for to in people if first[to] in senders[:2])


def test_names_write_where_they_may_and_numbers_where_they_must() -> None:
    senders = sms_senders.pool("Shop, +15550001111")
    assert sms_senders.pick(senders, "+33612345678") == "Shop"
    assert sms_senders.pick(senders, "+12025550123") == "+15550001111"
    assert sms_senders.pick(("+33700000001", "+447000000001"), "+447700900123") == "+447000000001"
    assert sms_senders.pick((), "+33612345678") == ""


@pytest.mark.parametrize("bad", ["a", "a name that is too long", "né", "+33 7", "12", "+" + "1" * 200])
def test_what_is_no_sender_is_said(bad: str) -> None:
    with pytest.raises(ValueError, match="is no sender"):
        sms_senders.pool(f"Shop, {bad}")
