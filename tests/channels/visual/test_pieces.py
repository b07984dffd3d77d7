"""A mail is taken apart and put together: untouched it is as it was, touched it keeps its Liquid."""

from __future__ import annotations

import re
from typing import Any

import pytest

from channels import starter
from channels.rendering_liquid import TemplateError
from channels.rendering_markup import to_html
from channels.visual import pieces, writing
from channels.visual.pieces import Document, Piece

TABLE = "<mj-table><tr>{% for one in products %}<td>{{ one.name }}</td>{% endfor %}</tr></mj-table>"
MAIL = f"""<mjml>
  <mj-head><mj-title>x</mj-title><mj-attributes><mj-all color="#111" /></mj-attributes></mj-head>
  <mj-body width="600px">
    {{% if products.size > 0 and a < b %}}
    <mj-section {{% if x %}}padding="0"{{% endif %}}><mj-column></mj-column></mj-section>
    {{% endif %}}
    {{% block "footer" %}}
    <!-- a note -->
    <mj-section padding='0 12px'>
      <mj-column>
        <mj-text>Hi {{{{ contact.name | default: "you" }}}}{{% if a < b %}}!{{% endif %}}<br />x</mj-text>
        <mj-button href="{{{{ event.url | default: "https://x.example/?a=1&b=2" }}}}">Go</mj-button>
        <mj-spacer height="3px" />
        {TABLE}
        <mj-raw><td>{{{{ raw | default: "<b>" }}}}</td></mj-raw>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""


def _all(piece: Piece) -> list[Piece]:
    return [piece, *(one for child in piece.children for one in _all(child))]


def _find(document: Document, tag: str) -> Piece:
    return next(one for one in _all(document.body) if one.tag == tag)


def _browsed(document: Document) -> Document:
    """As it comes back from a browser that changed nothing."""
    return Document(
        document.before, pieces.from_json(_through(pieces.to_json(document.body))), document.after
    )


def _line_with(text: str, word: str) -> str:
    return next(line.strip() for line in text.splitlines() if word in line)


def _through(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "look": "<p>ignored</p>", "children": [_through(child) for child in data["children"]]}


def test_what_is_unchanged_comes_back_sign_by_sign() -> None:
    assert writing.close_up(_browsed(pieces.open_up(MAIL))) == MAIL


def test_what_no_editor_can_hold_is_kept_whole() -> None:
    kept = [one.source for one in _all(pieces.open_up(MAIL).body) if one.tag == pieces.KEPT]
    assert [one[:12] for one in kept] == [
        *("{% if produc", "<mj-section ", "{% endif %}", '{% block "fo', "<!-- a note "),
        *("<mj-table><t", "<mj-raw><td>"),
    ]
    assert TABLE in kept


def test_words_that_a_browser_wrote_keep_their_liquid_and_close_what_stands_open() -> None:
    document = pieces.open_up(MAIL)
    text = _find(document, "mj-text")
    text.content = 'Dear&nbsp;{{&nbsp;contact.name | default: "you" }}{% if a &lt; b %}!{% endif %}<br>y<hr>'
    back = writing.close_up(_browsed(document))
    wanted = 'Dear&nbsp;{{ contact.name | default: "you" }}{% if a < b %}!{% endif %}<br />y<hr />'
    assert f"<mj-text>{wanted}</mj-text>" in back
    assert "<hr />" in to_html("<mjml><mj-body>" + _line_with(back, "Dear") + "</mj-body></mjml>")


def test_an_attribute_is_changed_and_liquid_in_its_neighbours_is_left_alone() -> None:
    document = pieces.open_up(MAIL)
    button = _find(document, "mj-button")
    assert button.attributes["href"] == "{{ event.url | default: &quot;https://x.example/?a=1&b=2&quot; }}"
    button.attributes["color"] = 'red" onclick="x'
    back = writing.close_up(_browsed(document))
    assert 'href="{{ event.url | default: "https://x.example/?a=1&b=2" }}" color="red&quot; onclick=' in back
    again = pieces.open_up(back)
    assert _find(again, "mj-button").attributes["href"] == button.attributes["href"]
    assert writing.close_up(again) == back


def test_what_was_moved_deleted_and_added_is_written_so() -> None:
    document = pieces.open_up(MAIL)
    del document.body.children[:3]
    document.body.children.reverse()
    document.body.children += pieces.open_fragment(
        '{% for x in y %}<mj-section><mj-column><mj-text color="red">new</mj-text></mj-column></mj-section>'
        "{% endfor %}"
    )
    lines = [line.strip() for line in writing.close_up(document).splitlines()]
    assert (
        lines.index("<!-- a note -->") < lines.index('{% block "footer" %}') < lines.index("{% for x in y %}")
    )
    assert '<mj-text color="red">new</mj-text>' in lines


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "each", [one for one in starter.ready() if one["channel"] == "email"], ids=lambda one: one["slug"]
)
def test_every_ready_email_looks_the_same_after_the_editor(each: dict[str, Any], language: str) -> None:
    source = each[language]["body"]
    back = writing.close_up(_browsed(pieces.open_up(source)))
    assert writing.close_up(pieces.open_up(back)) == back
    assert re.sub(r"\s+", "", to_html(back)) == re.sub(r"\s+", "", to_html(source))


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("<p>Hello</p>", "only MJML"),
        ("<mjml><mj-head></mj-head></mjml>", "no mj-body"),
        ("<mjml><mj-body><mj-section></mj-body></mjml>", "closes what is not open"),
        ("<mjml><mj-body><mj-section>", "not closed"),
        ("<mjml><mj-body><mj-text>x</mj-body></mjml>", "not closed"),
        ("<mjml><mj-body>" + "<mj-wrapper>" * 20 + "</mj-body></mjml>", "too deep"),
    ],
)
def test_what_cannot_be_taken_apart_says_why(source: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        pieces.open_up(source)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"tag": "script"},
        {"tag": "mj-text", "children": [{"tag": "mj-text"}]},
        {"tag": "mj-text", "attributes": {"ON CLICK": "x"}},
        {"tag": "mj-text", "attributes": {"color": 3}},
        {"tag": "mj-text", "content": 3},
        {"tag": "kept", "source": None},
    ],
)
def test_what_is_no_tree_of_blocks_is_refused(data: object) -> None:
    with pytest.raises(TemplateError):
        pieces.from_json(data)
