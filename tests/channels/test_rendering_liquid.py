"""Liquid within bounds: what templates may do, and what the worst of them cost."""

import time
import tracemalloc
from typing import Any

import pytest

from channels.rendering_liquid import TemplateError, parse, plain, render


def _render(source: str, *, html: bool = True, **context: Any) -> str:
    return render(parse(source, html=html), context)


def test_a_missing_name_fails_where_it_would_be_printed() -> None:
    with pytest.raises(TemplateError, match=r"line 2: contact\.city is undefined"):
        _render("\n{{ contact.city }}", contact={})


def test_a_missing_name_takes_its_default() -> None:
    assert _render("{{ contact.city | default: 'there' }}", contact={}) == "there"


def test_a_missing_name_is_false_in_a_condition() -> None:
    assert _render("{% if contact.vip %}a{% else %}b{% endif %}", contact={}) == "b"
    assert _render("{% if contact.city == 'Oslo' %}a{% endif %}", contact={}) == ""


def test_values_are_escaped_in_html_and_not_in_text() -> None:
    assert _render("{{ x }}", x="<b>&") == "&lt;b&gt;&amp;"
    assert _render("{{ x }}", html=False, x="<b>&") == "<b>&"


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(TemplateError) as caught:
        parse("a\nb\n{{ x | nosuch }}", html=True)
    assert caught.value.line == 3


ATTACKS = {
    "environment": "{{ env }}{{ settings.SECRET_KEY }}{{ request }}",
    "attributes": "{{ x.__class__.__mro__ }}",
    "methods": "{{ x.upper }}{{ x.format }}",
    "include": "{% include '/etc/passwd' %}",
    "render": "{% render '/etc/passwd' %}",
    "endless range": "{% for i in (1..1000000000) %}a{% endfor %}",
    "joined range": "{{ (1..100000000) | join: 'aaaa' }}",
    "nested loops": "{% for a in (1..1000) %}{% for b in (1..1000) %}{% for c in (1..1000) %}x"
    "{% endfor %}{% endfor %}{% endfor %}",
    "replace bomb": "{% assign a='"
    + "a" * 1000
    + "' %}{% assign b = a | replace: 'a', a | replace: 'a', a %}{{ b }}",
    "number bomb": "{% assign a = 10 %}{% for i in (1..1000) %}"
    "{% assign a = a | times: a %}{% endfor %}{{ a }}",
    "append bomb": "{% assign a = 'a' %}{% for i in (1..1000) %}"
    "{% assign a = a | append: a %}{% endfor %}{{ a }}",
    "capture bomb": "{% assign a = 'a' %}{% for i in (1..1000) %}"
    "{% capture a %}{{ a }}{{ a }}{% endcapture %}"
    "{% endfor %}{{ a }}",
    "output bomb": "{% for i in (1..1999) %}" + "x" * 2000 + "{% endfor %}",
    "filter storm": "{% assign a = '" + "a," * 2000 + "' | split: ',' %}{% for i in (1..1999) %}"
    "{{ a | sort | join: ',' | size }}{% endfor %}",
    "deep nesting": "{% if true %}" * 200 + "{% endif %}" * 200,
    "long number": "{{ '" + "1" * 100_000 + "' | plus: 1 }}",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_the_worst_templates_end_soon_and_stay_small(name: str) -> None:
    started = time.perf_counter()
    with pytest.raises(TemplateError):
        _render(ATTACKS[name], x="text")
    seconds = time.perf_counter() - started
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError):
            _render(ATTACKS[name], x="text")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds < 0.5
    assert peak < 64 * 2**20


def test_a_date_cannot_be_padded_without_end() -> None:
    assert len(_render("{{ 'now' | date: '%0500000000d' }}")) < 1000


def test_templates_get_plain_values_only() -> None:
    class Model:
        secret = "s"

        def __str__(self) -> str:
            return "a model"

    nested: dict[str, Any] = {}
    for _ in range(50):
        nested = {"in": nested}
    result = plain({"a": [1, 2.5, None, True], "m": Model(), "c": "a\x00b\ue000\ud800c", "n": nested})
    assert result["a"] == [1, 2.5, None, True]
    assert result["m"] == "a model"
    assert result["c"] == "abc"
