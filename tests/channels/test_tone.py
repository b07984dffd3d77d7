"""The charter's tone: what it forbids keeps a template from being published, what a law asks for is told."""

from datetime import timedelta
from typing import Any

import pytest

from channels import charter, charter_rules, drafting, rendering_lint
from channels.models import Template, TemplateVersion
from channels.rendering import Source
from channels.rendering_liquid import TemplateError
from tests.factories import NOON

SMS = Source("sms", "", "Fresh pears today, come by!")


def against(tone: dict[str, Any], source: Source = SMS) -> list[str]:
    found = rendering_lint.tone(source, charter_rules.parse({"tone": tone}))
    assert all(one.is_error for one in found)
    return [one.message for one in found]


def test_tone_forbidden() -> None:
    assert against({"forbidden": ["fresh  PEARS"]}) == ["The charter forbids “fresh  PEARS”."]
    assert against({"forbidden": ["ear", "fresh today"]}) == []


def test_a_forbidden_word_in_code_or_an_address_is_none() -> None:
    mail = Source("email", "Hi", "<p class='free'>{{ contact.free }} https://x.example/free</p>")
    assert against({"forbidden": ["free"]}, mail) == []
    page = Source("email", "Hi", "<p>\n all free</p>")
    (finding,) = rendering_lint.tone(page, charter_rules.parse({"tone": {"forbidden": ["free"]}}))
    assert (finding.part, finding.line) == ("body", 2)


def test_tone_capitals() -> None:
    loud = Source("sms", "", "BUY THIS NOW please, all of it")
    assert against({"capitals": 30}, loud) == ["Too many capital letters for the charter: 43 %."]
    assert against({"capitals": 50}, loud) == []
    assert against({"capitals": 0}, Source("sms", "", "CODE 12")) == []  # too few letters to say anything


def test_tone_exclamations() -> None:
    assert against({"exclamations": 0}) == ["Too many exclamation marks for the charter: 1."]
    assert against({"exclamations": 1}) == []


def test_tone_required() -> None:
    stop = [{"channel": "sms", "part": "STOP"}]
    assert against({"required": stop}) == ["The charter asks for “STOP”, which is missing."]
    assert against({"required": stop}, Source("sms", "", "Pears. Stop: 36000")) == []
    assert against({"required": stop}, Source("email", "Hi", "<p>Pears</p>")) == []
    value = [{"channel": "sms", "part": "organisation.name"}]
    assert against({"required": value}, Source("sms", "", "organisation.name")) != []
    assert against({"required": value}, Source("sms", "", "Pears from {{ organisation.name }}")) == []


def test_what_a_law_asks_for_is_told_and_is_no_obstacle() -> None:
    rules = charter_rules.parse({"laws": [{"pack": "us"}]})
    (finding,) = rendering_lint.tone(Source("email", "Hi", "<p>Pears</p>"), rules)
    assert not finding.is_error
    assert "organisation.address" in finding.message
    named = Source("email", "Hi", "<p>{{ organisation.address }}</p>")
    assert rendering_lint.tone(named, rules) == []


@pytest.mark.django_db
def test_a_template_against_the_tone_is_not_published() -> None:
    rules = charter.draft({"tone": {"forbidden": ["act now"]}})
    charter.publish(rules, NOON - timedelta(days=1))
    template = Template.objects.create(name="Loud", slug="loud", channel="sms")
    version = TemplateVersion.objects.create(template=template, number=1, body="Act now, pears")
    with pytest.raises(TemplateError, match="forbids"):
        drafting.publish(version, NOON)
    version.body = "Pears"
    drafting.publish(version, NOON)
    assert version.published_at == NOON
