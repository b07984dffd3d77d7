"""A mail that was cut says what the renderer says, to the last byte, for any template and any contact."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import (
    rendering,
    rendering_cut,
    rendering_flat,
    rendering_liquid,
    rendering_mail,
    rendering_wire,
)
from channels.rendering import Source
from channels.rendering_liquid import TemplateError, plain
from channels.rendering_mail import BOUNDARY, Mail
from channels.rendering_wire import Target, encoded

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
_NAMES = st.sampled_from(
    ["contact.first_name", "contact.city", "event.price", "event.items", "missing.name", "item.name", "item"]
)
_FILTERS = st.sampled_from(
    ["", " | upcase", " | default: 'you'", " | money: 'EUR'", " | append: '=.'", " | join: ', '", " | size"]
)
_FIXED = st.text("ab .=<>&é€\n\t{", max_size=90).map(lambda text: text.replace("{", ""))
_OUTPUT = st.builds(lambda name, step: "{{ " + name + step + " }}", _NAMES, _FILTERS)
_LINKS = st.sampled_from(
    [
        '<a href="https://shop.example/a?b=c&d=e">x</a>', '<a href="{{ contact.url }}">x</a>',
        '<a href="https://shop.example/{{ contact.city }}/{{ event.price }}">x</a>',
        '<a href="{% if contact.city %}https://a.example{% else %}https://b.example{% endif %}">x</a>',
        '<img src="https://cdn.example/{{ contact.city }}.png">', '<a href="javascript:alert(1)">x</a>',
        '<a href="mailto:{{ contact.email }}">m</a>', "https://plain.example/in-text", "</body>",
        '<a href="https://shop.example/' + "long/" * 30 + '">x</a>',
    ]
)  # fmt: skip


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, max_size=4).map("".join)
    return st.one_of(
        several.map(lambda body: "{% if contact.city %}" + body + "{% else %}." + body + "{% endif %}"),
        several.map(lambda body: "{% unless event.price > 3 %}" + body + "{% endunless %}"),
        several.map(lambda body: "{% for item in event.items limit: 3 %}" + body + "{% endfor %}"),
        several.map(lambda body: "{%- for item in event.items -%}" + body + "{%- break -%}{% endfor %}"),
        several.map(lambda body: "{% capture kept %}" + body + "{% endcapture %}{{ kept }}{{ kept | size }}"),
        several.map(lambda body: "{% assign item = contact %}" + body),
        several.map(lambda body: "{% case contact.city %}{% when 'Oslo' %}" + body + "{% endcase %}"),
        several.map(
            lambda body: '<a href="https://x.example/?q=' + "{{ contact.city }}" + '">' + body + "</a>"
        ),
    )


_TEMPLATES = st.lists(
    st.recursive(st.one_of(_FIXED, _OUTPUT, _LINKS), _wrapped, max_leaves=12), max_size=6
).map("".join)
_TEXT = st.text(max_size=120) | st.text("a.= é\n<&\"'", max_size=120)
_VALUES: st.SearchStrategy[Any] = st.one_of(_TEXT, st.integers(), st.floats(), st.booleans(), st.none())
_CONTEXTS = st.fixed_dictionaries(
    {
        "contact": st.dictionaries(st.sampled_from(["first_name", "city", "url", "email", "size"]), _VALUES),
        "event": st.fixed_dictionaries(
            {
                "price": _VALUES,
                "items": st.lists(_VALUES | st.dictionaries(st.just("name"), _VALUES), max_size=5),
            }
        ),
        "message": st.just({"id": 1}),
        "organisation": st.just({"name": "Corner Shop", "address": ""}),
    }
).map(plain)


def _track(address: str) -> str:
    return f"https://own.example/t/c/{len(address):048d}" if "shop" in address else address


_OWN = "https://own.example/u/abc"


def _link(target: Target) -> bytes:
    return rendering_wire.shown(target.kind, _track(target.address))


def _mail(subject: str, text: str, page: str) -> Mail:
    return Mail(
        "ann@example.com", "shop@example.org", "Shop é", subject, text, page, "<1@example.org>", NOW,
        unsubscribe_url=_OWN, headers={"Feedback-ID": "a:b:c:segue"},
    )  # fmt: skip


def _read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


_PIXEL = '<img src="https://own.example/t/o/x.gif" width="1" height="1" alt="" style="display:block">'


def _compare(source: Source, values: dict[str, Any]) -> bool:
    """Whether the cut wrote it; when it did, it must be what the renderer wrote."""
    try:
        cut = rendering_cut.of(source)
        words = rendering.wording(source)
    except TemplateError:
        return False
    drafted = cut.write(values) if cut is not None else None
    if drafted is None:
        return False
    letter = rendering.write(words, values)
    assert drafted.addresses == rendering.addresses(letter)
    whole = rendering.finish(letter, _track, _PIXEL)
    expected = rendering_mail.build(_mail(whole.subject, whole.text, whole.html))
    body = rendering_wire.body(drafted.text, drafted.html, _link, lambda: encoded(_PIXEL), BOUNDARY)
    frame = rendering_mail.frame(_mail("", "", ""))
    raw = rendering_mail.framed(frame, "ann@example.com", drafted.subject, "<1@example.org>", _OWN, body)
    assert raw.endswith(b"\r\n.\r\n")
    lines = raw[:-3].split(b"\r\n")
    assert not any(line.startswith(b".") for line in lines)
    assert max(map(len, lines[lines.index(b"") :])) <= 76
    given, wanted = _read(raw[:-3]), _read(expected)
    assert [(k, v) for k, v in given.items() if k != "Content-Type"] == [
        (k, v) for k, v in wanted.items() if k != "Content-Type"
    ]
    for ours, theirs in zip(given.iter_parts(), wanted.iter_parts(), strict=True):
        assert ours.get_content_type() == theirs.get_content_type()
        # Line ends at the very end belong to the boundary.
        assert _content(ours) == _content(theirs)
    return True


def _content(part: Any) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.removesuffix(b"\r\n").removesuffix(b"\r\n")


@settings(max_examples=150, deadline=None)
@given(_TEMPLATES, _TEMPLATES, _CONTEXTS)
def test_a_cut_mail_is_the_rendered_mail(subject: str, page: str, values: dict[str, Any]) -> None:
    _compare(Source("email", subject[:60].replace("\n", " "), page), values)


@pytest.mark.parametrize("name", ["Ann", "=.é", ".", "", " a ", "a\nb", "x" * 200, "…\u2028"])
def test_ordinary_mails_are_cut(name: str) -> None:
    page = (
        '<p>.Hello {{ contact.first_name }}</p>\n.{{ contact.first_name }}<a href="https://shop.example">x</a>'
        "{% for one in event.items %}<b>{{ one.name }}</b>{% endfor %}</body>"
    )
    values = {"contact": {"first_name": name}, "event": {"items": [{"name": name}, {"name": 2}]}}
    assert _compare(Source("email", "Hi {{ contact.first_name }}", page), values)


@pytest.mark.parametrize(
    "page",
    [
        "{% if contact.city == 'Oslo' and event.price > 3 %}a{% elsif contact.none %}b{% else %}c{% endif %}",
        "{% unless contact.city contains 'x' or event.items.size == 0 %}{{ contact.city }}{% endunless %}",
        "{% for one in event.items limit: 2 offset: 1 %}{{ one.name | upcase }}{% else %}-{% endfor %}",
        "{% for one in event.items reversed %}{% for a in event.items %}{{ a }}.{% endfor %}{% endfor %}",
        "{% assign first = event.items[0] %}{{ first.name }}{% comment %}.{% endcomment %}{{ event.on }}",
        "{% if contact.city %} \n {% endif %}{{ event.price | money: 'EUR' }}{{ contact.none | default: 2 }}",
        "{{ event.price | append: '.' }}{{ '2026-03-01' | date: '%Y' }}{{ contact.city | append: 'x' }}",
    ],
)
def test_what_most_people_write_needs_no_interpreter(page: str) -> None:
    """And gives the same: the second time too, when parts of it are remembered."""
    for html in (True, False):
        ink = rendering_flat.PAGE if html else rendering_flat.TEXT
        assert rendering_flat.program(rendering_liquid.parse(page, html=html), ink) is not None
    for price in (3, 3.0, 4, True):
        items = [{"name": "<A>"}, {"name": price}, {"name": None}]
        values = {"contact": {"city": "Oslo"}, "event": {"price": price, "items": items, "on": price}}
        assert _compare(Source("email", "Hi", page), values)


def test_loops_without_end_and_other_tags_are_left_to_the_interpreter() -> None:
    many = "{% for one in event.items %}{% for two in event.items %}.{% endfor %}{% endfor %}"
    cut = rendering_cut.of(Source("email", "Hi", many))
    assert cut is not None
    assert cut.write({"event": {"items": [{}] * 44}}) is not None
    assert cut.write({"event": {"items": [{}] * 45}}) is None
    counted = rendering_liquid.parse("{% for one in event.items %}{{ forloop.index }}{% endfor %}", html=True)
    assert rendering_flat.program(counted, rendering_flat.PAGE) is None


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://a.example/{% if contact.city %}x">y</a>{% else %}z">y</a>{% endif %}',
        "<p>\r\n{{ contact.city }}</p>",
    ],
)
def test_what_cannot_be_cut_is_left_to_the_renderer(page: str) -> None:
    assert rendering_cut.of(Source("email", "Hi", page, compiled=page)) is None


def test_a_value_with_a_carriage_return_is_written_the_long_way() -> None:
    cut = rendering_cut.of(Source("email", "Hi", "<p>{{ contact.city }}</p>"))
    assert cut is not None
    assert cut.write({"contact": {"city": "a\rb"}}) is None
    assert cut.write({"contact": {}}) is None
