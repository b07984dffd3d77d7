"""Templates to messages: markup, links, plain text, publishing, linting."""

from typing import Any

import pytest

from channels import rendering, rendering_lint, rendering_liquid, rendering_markup
from channels.models import TemplateVersion
from channels.rendering import Source
from channels.rendering_liquid import TemplateError
from tests.factories import NOON, make_template

MJML = """<mjml><mj-body>
{% if contact.vip %}<mj-section><mj-column><mj-text>Only for you</mj-text></mj-column></mj-section>{% endif %}
<mj-section><mj-column>
<mj-text>Hello {{ contact.first_name | default: "you" }}, <a href="https://shop.example/a?x=1&amp;y=2">look</a></mj-text>
{% for one in products %}<mj-button href="{{ one.url }}">{{ one.name }}</mj-button>{% endfor %}
</mj-column></mj-section></mj-body></mjml>"""


def _letter(body: str, *, text: str = "", **context: Any) -> rendering.Letter:
    words = rendering.wording(Source("email", "Subject", body, text))
    letter = rendering.write(words, {"contact": {}, "products": [], **context})
    return rendering.finish(letter, lambda address: f"https://t.example/{len(address)}", "[pixel]")


def test_mjml_with_conditions_and_loops_becomes_html() -> None:
    products = [{"name": "Pears & more", "url": "https://shop.example/1"}]
    letter = _letter(MJML, contact={"vip": True, "first_name": "Zoé"}, products=products)
    assert "Only for you" in letter.html
    assert "Hello Zoé" in letter.html
    assert "Pears &amp; more" in letter.html
    assert "fonts.googleapis" not in letter.html
    assert "xliq" not in letter.html + letter.text
    assert "Only for you" not in _letter(MJML).html


def test_the_plain_text_is_made_from_the_html() -> None:
    letter = _letter(MJML, contact={"first_name": "Zoé & co"})
    assert "Hello Zoé & co, look (https://t.example/" in letter.text
    assert "<" not in letter.text


def test_every_link_is_tracked_and_the_pixel_stands_at_the_end() -> None:
    letter = _letter(MJML, products=[{"name": "a", "url": "https://shop.example/1"}])
    assert letter.html.count("https://t.example/") == 2
    assert "shop.example" not in letter.html
    assert letter.html.index("[pixel]") < letter.html.index("</body>")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
        "//evil.example",
        "\\\\evil.example", "vbscript:x", "file:///etc/passwd", "", "https://a\\@evil.example", "/relative",
        "https://shop.example@evil.example/", "https://a:b@evil.example",
        "https://evil.example/" + "a" * 10_000,
        "https://x.example/\n", "ftp://x.example", '" onclick="alert(1)', "'><script>alert(1)</script>",
    ],
)  # fmt: skip
def test_an_address_from_data_that_may_not_be_used_leads_nowhere(address: str) -> None:
    html = _letter('<body><a href="{{ u }}">a</a><img src="{{ u }}"></body>', u=address).html
    assert 'href="#"' in html or 'href="https://t.example/' in html
    for sign in ("javascript", "vbscript", "data:", "onclick", "<script", "evil.example", "file:"):
        assert sign not in html.lower()


@pytest.mark.parametrize(
    "body",
    [
        "<script>x</script>", "<SCRIPT src=x>", "<p onclick=x>", "<img src=x onerror='x'>", "<iframe src=x>",
        "<object>", "<embed>", "<base href='https://x'>", "<meta http-equiv=refresh content='0'>",
        "<a href='javascript:x'>", "<a href=javascript:x>", '<a href="&#106;avascript:x">', "<a href='//x'>",
        "<mjml><mj-body><mj-nope/></mj-body></mjml>",
        "<mjml><mj-body><mj-include path='/etc/passwd'/></mj-body></mjml>",
        "<mjml><mj-body><mj-section></mj-body></mjml>", "<mjml>", "{% if %}", "{{ 'a' | nosuch }}",
        "{% include 'a' %}",
    ],
)  # fmt: skip
def test_what_no_mail_may_hold_cannot_be_published(body: str) -> None:
    with pytest.raises(TemplateError):
        rendering.wording(Source("email", "s", body))
    assert any(finding.is_error for finding in rendering_lint.lint(Source("email", "s", body)))


def test_data_cannot_make_marks_of_its_own() -> None:
    evil = f"{rendering_markup.START}p{rendering_markup.END}"
    from_data = rendering.write(
        rendering.wording(Source("sms", "", "{{ x }}")), {"x": rendering_liquid.plain(evil)}
    )
    assert from_data.text == "p"


def test_a_subject_stays_on_one_line() -> None:
    words = rendering.wording(Source("email", "a {{ x }}", "<p>b</p>"))
    assert rendering.write(words, {"x": "b\r\nBcc: c\u2028d\x00e"}).subject == "a b Bcc: c d e"


def test_warnings_name_what_may_be_missing() -> None:
    source = Source("email", "Hi {{ contact.first_name }}", "<p>{{ cart.total }}</p>")
    messages = [finding.message for finding in rendering_lint.lint(source)]
    assert any("contact.first_name" in message for message in messages)
    assert any("cart" in message for message in messages)
    assert any("unsubscribe" in message for message in messages)
    clean = '{{ contact.first_name | default: "x" }} {{ message.unsubscribe_url }}'
    assert rendering_lint.lint(Source("email", "Hi", f"<p>{clean}</p>")) == []


@pytest.mark.django_db
def test_publishing_twice_changes_nothing_and_a_bad_draft_stays_one() -> None:
    version = make_template("hello")
    published = version.published_at
    rendering.publish(version, NOON.replace(year=2027))
    assert version.published_at == published
    bad = TemplateVersion(template=version.template, number=2, subject="s", body="<script>")
    with pytest.raises(TemplateError):
        rendering.publish(bad, NOON)
    assert bad.published_at is None
    assert TemplateVersion.objects.count() == 1
