"""The visual editor's page and the library: one draft with the code view, the same checks, clear refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels import blocks, ready_blocks, rendering_lint, starter
from channels.models import BlockVersion, ContentBlock, DataFeed, Template, TemplateVersion
from channels.rendering import Source
from channels.visual import editor, head, pieces
from tests.factories import NOON, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(editor, "is_there", lambda: True)
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "secret"))
    make_provider(
        "email", kind="sandbox", settings={"from_name": "Corner Shop", "postal_address": "1 Street"}
    )
    return client


def _address(template: Template, name: str = "design") -> str:
    return reverse(f"admin:channels_template_{name}", args=[template.pk]) + "?language=en"


def _opened(office: Client, template: Template, **query: str) -> dict[str, Any]:
    answer = office.get(_address(template), query)
    assert answer.status_code == 200
    return dict(answer.context["data"])


def _post(office: Client, template: Template, data: dict[str, Any], **more: str) -> Any:
    document = {name: data[name] for name in ("before", "after", "body")}
    told = {
        "document": json.dumps(document),
        "revision": data["revision"],
        "subject": "Hi",
        "save": "1",
        **more,
    }
    return office.post(_address(template), told)


def _mail(body: str) -> Template:
    template = Template.objects.create(name="News", slug="news", channel="email")
    TemplateVersion.objects.create(template=template, number=1, subject="Hi", body=body)
    return template


MAIL = """<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text>Hi {{ contact.first_name }}</mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""


def test_what_is_designed_is_the_draft_of_the_code_view_and_is_checked_like_it(office: Client) -> None:
    template = _mail(MAIL)
    data = _opened(office, template)
    data["body"]["children"][0]["attributes"]["padding"] = "0"
    answer = _post(office, template, data, preview_text="A & {{ contact.first_name }}").json()
    assert answer["notes"] == [["success", "The draft is saved."]]
    assert "may be missing" in answer["beside"]
    draft = TemplateVersion.objects.get()
    assert draft.body == MAIL.replace("<mj-section>", '<mj-section padding="0">').replace(
        "<mjml>", "<mjml>\n  <mj-head><mj-preview>A &amp; {{ contact.first_name }}</mj-preview></mj-head>"
    )
    code = office.get(reverse("admin:channels_template_change", args=[template.pk]))
    assert code.context["form"].initial["body"] == draft.body
    assert _opened(office, template)["revision"] == answer["revision"]


def test_a_draft_that_somebody_else_changed_is_not_overwritten_unasked(office: Client) -> None:
    template = _mail(MAIL)
    data = _opened(office, template)
    theirs = MAIL.replace("Hi ", "Theirs ")
    TemplateVersion.objects.update(body=theirs)
    refused = _post(office, template, data)
    assert (refused.status_code, refused.json()["conflict"]) == (409, True)
    assert TemplateVersion.objects.get().body == theirs
    assert _post(office, template, data, over="1").status_code == 200
    assert TemplateVersion.objects.get().body == MAIL


@pytest.mark.parametrize(
    "document", ["", "[]", '{"before": 1}', '{"before": "", "after": "", "body": {"tag": "x"}}']
)
def test_a_design_that_is_none_is_refused_in_words(office: Client, document: str) -> None:
    template = _mail(MAIL)
    revision = _opened(office, template)["revision"]
    answer = office.post(_address(template), {"document": document, "revision": revision})
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert TemplateVersion.objects.get().body == MAIL


@pytest.mark.parametrize("body", ["<p>Not MJML</p>", "<mjml><mj-body><mj-section></mjml>"])
def test_what_cannot_be_designed_leads_to_the_code_with_a_word(office: Client, body: str) -> None:
    answer = office.get(_address(_mail(body)), follow=True)
    assert answer.redirect_chain
    assert b"cannot be designed visually" in answer.content


def test_without_the_editors_files_there_is_the_code_and_how_to_get_them(
    office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editor, "is_there", lambda: False)
    answer = office.get(_address(_mail(MAIL)), follow=True)
    assert b"make editor" in answer.content
    assert b"may be missing" in answer.content


def test_only_the_editors_page_shows_pictures_of_others_and_no_more(office: Client) -> None:
    template = _mail(MAIL)
    loose = office.get(_address(template))["Content-Security-Policy"].split("; ")
    strict = office.get(_address(template, "change"))["Content-Security-Policy"].split("; ")
    assert [one for one in loose if one.startswith("img-src")] == ["img-src 'self' data: https: http:"]
    assert [one for one in strict if one.startswith("img-src")] == ["img-src 'self' data:"]
    names = [sorted(one.split(" ")[0] for one in each) for each in (loose, strict)]
    assert names[0] == names[1]


def test_whoever_may_only_look_may_not_design(client: Client) -> None:
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_template"]))
    client.force_login(user)
    template = _mail(MAIL)
    assert client.get(_address(template)).status_code == 403
    assert client.post(_address(template, "piece")).status_code == 403
    library = reverse("admin:channels_template_library")
    assert client.get(library).status_code == 200
    assert client.post(library, {"mail": "welcome-email"}).status_code == 403
    assert client.post(library, {"block": "footer"}).status_code == 403


def test_code_within_the_editor_comes_back_as_pieces_with_their_look(office: Client) -> None:
    template = _mail(MAIL)
    data = _opened(office, template)
    document = json.dumps({name: data[name] for name in ("before", "after", "body")})
    code = "<mj-table>{% for one in products %}<tr><td>{{ one.name }}</td></tr>{% endfor %}</mj-table>"
    told = {"document": document, "inside": "mj-column", "code": code}
    (piece,) = office.post(_address(template, "piece"), told).json()["pieces"]
    assert (piece["tag"], piece["label"], piece["source"]) == ("kept", "Table", code)
    assert "Coffee beans" in piece["look"]
    wrong = office.post(_address(template, "piece"), {**told, "code": "</mj-text>"})
    assert "closes what is not open" in wrong.json()["error"]


def test_an_empty_draft_begins_blank_or_with_a_ready_mail_and_nothing_is_saved_by_looking(
    office: Client,
) -> None:
    template = Template.objects.create(name="News", slug="news", channel="email")
    assert _opened(office, template)["body"]["children"] == []
    begun = _opened(office, template, begin="newsletter-email")
    assert begun["begun"]
    assert begun["body"]["children"]
    code = office.get(
        reverse("admin:channels_template_change", args=[template.pk]), {"begin": "welcome-email"}
    )
    assert "Good to have you here" in code.context["form"].initial["body"]
    assert not TemplateVersion.objects.exists()


def test_the_palette_holds_ready_blocks_and_the_content_blocks_of_the_house(office: Client) -> None:
    block = blocks.begin("terms", "Our terms", {"en": "<mj-section></mj-section>"}, None)
    blocks.publish(block.versions.get(), NOON)
    found = {one["slug"]: one for one in _opened(office, _mail(MAIL))["palette"]}
    assert found["content-terms"]["pieces"][0]["source"] == '{% block "terms" %}'
    assert {"header", "footer", "products", "coupon", "survey", "order"} <= set(found)
    assert "Coffee beans" in found["product-list"]["pieces"][0]["look"]


def test_opening_the_editor_costs_no_statement_more_for_more_content_blocks(
    office: Client, django_assert_num_queries: Any
) -> None:
    template = _mail(MAIL)

    def make(slug: str, body: str) -> None:
        block = blocks.begin(slug, slug, {"en": body}, None)
        blocks.publish(block.versions.get(), NOON)

    make("inner", "<mj-section><mj-column><mj-text>Inner</mj-text></mj-column></mj-section>")
    make("outer", '{% block "inner" %}')
    with CaptureQueriesContext(connection) as few:
        found = {one["slug"]: one for one in _opened(office, template)["palette"]}
    assert "Inner" in found["content-outer"]["pieces"][0]["look"]
    for number in range(5):
        make(f"more-{number}", '{% block "outer" %}')
    with django_assert_num_queries(len(few)):
        _opened(office, template)


@pytest.mark.parametrize("language", ready_blocks.LANGUAGES)
def test_every_ready_block_is_whole_and_nothing_is_to_be_remarked_but_its_pictures(language: str) -> None:
    for block in ready_blocks.in_language(language, language):
        assert "[[" not in block.body, block.slug
        inner = block.body
        if block.inside == "mj-column":
            inner = f"<mj-section><mj-column>{inner}</mj-column></mj-section>"
        body = editor.BLANK.replace("  </mj-body>", f"{inner} {{{{ message.unsubscribe_url }}}}</mj-body>")
        found = rendering_lint.lint(Source("email", "Hello", body))
        assert [one.message for one in found if one.is_error] == [], block.slug
        assert pieces.open_fragment(block.body), block.slug


def test_the_library_draws_every_block_and_mail(office: Client) -> None:
    page = office.get(reverse("admin:channels_template_library"), {"language": "fr"})
    look = reverse("admin:channels_template_library_look")
    for block in page.context["blocks"]:
        shown = office.get(look, {"block": block.slug, "language": "fr"})
        assert len(shown.content) > 1_000, block.slug
        assert "sandbox" in shown["Content-Security-Policy"]
    assert (
        "Ravis de vous accueillir"
        in office.get(look, {"mail": "welcome-email", "language": "fr"}).content.decode()
    )
    assert office.get(look, {"block": "nothing"}).status_code == 404


def test_the_list_of_templates_leads_to_the_library(office: Client) -> None:
    way = reverse("admin:channels_template_ready")
    assert way in office.get(reverse("admin:channels_template_changelist")).content.decode()
    assert b"Ready mails" in office.get(way, follow=True).content


def test_a_ready_mail_becomes_a_template_of_its_own_with_drafts_in_two_languages(office: Client) -> None:
    starter.load(NOON)
    office.post(reverse("admin:channels_template_library"), {"mail": "welcome-email"})
    made = Template.objects.get(slug="welcome-email-2")
    assert made.name == "Welcome (email) 2"
    assert set(made.versions.values_list("language", "published_at")) == {("en", None), ("fr", None)}


def test_a_ready_block_is_kept_once_as_a_content_block(office: Client) -> None:
    library = reverse("admin:channels_template_library")
    for _twice in range(2):
        office.post(library, {"block": "footer"})
    assert ContentBlock.objects.get().slug == "footer"
    assert set(BlockVersion.objects.values_list("language", flat=True)) == {"en", "fr"}
    assert office.post(library, {"block": "nothing"}).status_code == 404


def test_a_content_block_is_shown_as_a_person_gets_it(office: Client) -> None:
    for slug, body in (
        (
            "section",
            "<mj-section><mj-column><mj-text>{{ contact.first_name }}</mj-text></mj-column></mj-section>",
        ),
        ("part", "<mj-text>Hi {{ contact.first_name }}</mj-text>"),
        ("words", "Hi {{ contact.first_name }}"),
    ):
        block = blocks.begin(slug, slug, {"en": body}, None)
        page = office.get(reverse("admin:channels_contentblock_change", args=[block.pk]))
        look = reverse("admin:channels_contentblock_look", args=[block.pk, block.versions.get().pk])
        assert look in page.content.decode()
        shown = office.get(look)
        assert b"Alex" in shown.content
        assert "sandbox" in shown["Content-Security-Policy"]


def test_a_feed_shows_what_it_said_and_how_to_write_it(office: Client) -> None:
    feed = DataFeed.objects.create(
        name="Weather",
        slug="weather",
        url="https://weather.example/",
        content={"today": "<sunny>", "towns": []},
    )
    page = office.get(reverse("admin:channels_datafeed_change", args=[feed.pk])).content.decode()
    assert "{{ feeds.weather.today | default: &quot;&quot; }}" in page
    assert "&lt;sunny&gt;" in page
    assert "feeds.weather.towns" not in page


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        ("<mjml><mj-head><mj-preview>A &amp; b</mj-preview></mj-head>", "A & b", None),
        ("<mjml><mj-head><mj-preview>a</mj-preview></mj-head>", "", "<mjml><mj-head></mj-head>"),
        ("<mjml>", "", None),
    ],
)
def test_the_preview_text_is_changed_and_nothing_else(before: str, text: str, after: str | None) -> None:
    assert head.with_preview_text(before, text) == (before if after is None else after)


def test_the_editors_files_are_looked_for_where_set_up_puts_them() -> None:
    assert editor.is_there() == all(finders.find(name) for name in editor.FILES)
