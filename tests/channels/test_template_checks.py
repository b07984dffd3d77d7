"""What is said of a template before anybody gets it: its words, its links, its looks."""

from __future__ import annotations

import pytest

from channels import link_checking, rendering_lint
from channels.framing import darkened
from channels.link_checking import Checked
from channels.rendering import Letter, Source
from channels.rendering_lint import Known
from channels.rendering_lint_mail import suspicious


@pytest.mark.parametrize(
    ("subject", "body", "code"),
    [
        ("BUY NOW FOR ALL", "<p>x</p>", "shouting"),
        ("Hurry!!", "<p>x</p>", "marks"),
        ("Hello", "<p>Act now, no risk</p>", "phrase"),
        ("Hello", "<p>lorem ipsum TODO</p>", "placeholder"),
        ("Hello", '<img src="https://x.example/1.png">', "alt"),
        ("Hello", '<a href="https://bit.ly/1">More</a>', "shortener"),
        ("Hello", '<a href="http://shop.example/">More</a>', "insecure"),
        ("Hello", '<a href="https://evil.example/">https://shop.example</a>', "other_host"),
    ],
)
def test_what_filters_distrust_is_found(subject: str, body: str, code: str) -> None:
    assert code in {found for _part, found, _what in suspicious(subject, body)}


def test_a_plain_mail_is_not_suspected() -> None:
    body = '<p>Hello {{ contact.first_name }}, it is on its way. <a href="{{ event.url }}">Follow it</a></p>'
    assert suspicious("Your order", body) == []


def test_attributes_that_nobody_has_and_feeds_that_do_not_exist_are_named_with_their_line() -> None:
    source = Source("sms", "", "Hi\n{{ contact.citty | default: 'x' }} {{ feeds.wether.now | default: '' }}")
    found = rendering_lint.lint(source, None, Known(frozenset({"city"}), frozenset({"weather"})))
    assert {(one.line, one.is_error) for one in found} == {(2, False)}
    assert {"citty", "wether"} <= {word.strip("“”.") for one in found for word in one.message.split()}
    assert rendering_lint.lint(source) == []


def test_links_of_a_letter_are_checked_once_each_and_our_own_pages_not() -> None:
    letter = Letter(
        "",
        "See https://shop.example/a",
        '<a href="https://shop.example/a">A</a><a href="https://us.example/u/1">x</a>',
    )
    asked = link_checking.addresses(letter, "https://us.example")
    assert asked == ["https://shop.example/a"]
    assert link_checking.check(asked, lambda one: Checked(one, "good", "200"))[0].verdict == "good"


def test_a_link_into_our_network_is_refused_unasked() -> None:
    (found,) = link_checking.check(["http://127.0.0.1:1/x"])
    assert found.verdict == "refused"


def test_dark_is_the_mails_own_or_turned_over() -> None:
    own = "<style>@media (prefers-color-scheme: dark) {p{color:#fff}}</style>"
    assert "@media all" in darkened(own)
    assert "invert(1)" in darkened("<html><head></head></html>")
