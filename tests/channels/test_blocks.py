"""Content blocks: taken in when a template is published, kept as they were, brought up to date on demand."""

from __future__ import annotations

import pytest

from channels import block_updating, blocks, drafting, rendering, rendering_lint
from channels.models import BlockVersion, ContentBlock, Template, TemplateVersion
from channels.rendering_liquid import TemplateError
from tests.factories import NOON

pytestmark = pytest.mark.django_db

MAIL = '<mjml><mj-body>{% block "foot" %}</mj-body></mjml>'
FOOT = "<mj-section><mj-column><mj-text>{{ organisation.name }} {words}</mj-text></mj-column></mj-section>"


def block(slug: str, body: str, language: str = "en") -> ContentBlock:
    made, _new = ContentBlock.objects.get_or_create(slug=slug, defaults={"name": slug})
    version = blocks.editable(made, language)
    version.body = body
    blocks.save(version, None)
    blocks.publish(version, NOON)
    return made


def template(body: str, channel: str = "email", language: str = "en") -> TemplateVersion:
    made, _new = Template.objects.get_or_create(slug="mail", defaults={"name": "mail", "channel": channel})
    version = drafting.editable(made, language)
    version.subject, version.body = "Hello", body
    drafting.save(version, None)
    drafting.publish(version, NOON)
    return version


def test_a_published_template_keeps_the_words_that_it_took() -> None:
    foot = block("foot", FOOT.replace("{words}", "one"))
    version = template(MAIL)
    block("foot", FOOT.replace("{words}", "two"))
    version.refresh_from_db()
    assert "one" in version.compiled
    assert version.blocks == {"foot": 1}
    assert [(use.number, use.is_old) for use in blocks.used_in(foot)] == [(1, True)]


def test_the_new_words_are_brought_to_the_templates_that_use_it_and_a_draft_is_left_alone() -> None:
    foot = block("foot", FOOT.replace("{words}", "one"))
    template(MAIL)
    french = template(MAIL, language="fr")
    draft = drafting.editable(french.template, "fr")
    drafting.save(draft, None)
    block("foot", FOOT.replace("{words}", "two"))
    done, faults = block_updating.bring(blocks.used_in(foot), None, NOON)
    assert [use.language for use in done] == ["en"]
    assert len(faults) == 1
    newest = rendering.current({"mail"})[("mail", "en")]
    assert (newest.number, "two" in newest.compiled) == (2, True)


def test_blocks_stand_in_text_messages_in_their_language_and_in_each_other() -> None:
    block("stop", "STOP to end")
    block("stop", "STOP pour arrêter", "fr")
    block("end", '- {% block "stop" %}')
    version = template('Hi {% block "end" %}', "sms", "fr")
    assert version.compiled == "Hi - STOP pour arrêter"
    assert version.blocks == {"end": 1, "stop": 1}
    words = rendering.wording(rendering.source_of(version))
    assert rendering.write(words, {}).text == "Hi - STOP pour arrêter"


def test_a_block_that_is_missing_or_holds_itself_is_an_error_with_its_line() -> None:
    block("self", '{% block "self" %}')
    with pytest.raises(TemplateError, match="not in themselves"):
        blocks.take_in('{% block "self" %}', "en")
    made = Template.objects.create(slug="mail", name="mail", channel="email")
    version = TemplateVersion(template=made, number=1, subject="x", body='<p>\n{% block "none" %}</p>')
    (finding,) = rendering_lint.lint_version(version)
    assert (finding.is_error, finding.line) == (True, 2)


def test_a_block_may_hold_no_script_and_a_published_one_never_changes() -> None:
    made = ContentBlock.objects.create(slug="bad", name="bad")
    with pytest.raises(TemplateError):
        blocks.save(BlockVersion(block=made, number=1, body="<script>x</script>"), None)
    version = BlockVersion(block=made, number=1, body="fine")
    blocks.save(version, None)
    blocks.publish(version, NOON)
    with pytest.raises(ValueError, match="does not change"):
        blocks.save(version, None)
