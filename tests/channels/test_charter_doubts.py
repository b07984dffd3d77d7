"""What the linter doubts: rules that can be read and do nothing, or more than was meant."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from channels import charter, charter_rules
from channels.charter_doubts import Known
from channels.models import Template
from contacts.models import Purpose, Segment
from tests.factories import NOON, make_template

KNOWN = Known(
    today=date(2026, 3, 10),
    purposes=frozenset({"offers", "news", "orders"}),
    marketing=frozenset({"offers", "news"}),
    segments=frozenset({"regulars"}),
    tags=frozenset({"sale"}),
)
CAP = {"limit": 1, "rolling": "1 day"}


@pytest.mark.parametrize(
    ("rules", "path", "words"),
    [
        ({"caps": [{**CAP, "purposes": ["offer"]}]}, "caps.0.purposes", "no purpose “offer”"),
        ({"caps": [CAP, {**CAP, "tags": ["sales"]}]}, "caps.1.tags", "no template has the tag “sales”"),
        (
            {"priorities": [{"add": 5, "segments": ["regular"], "purposes": ["news"]}]},
            "priorities.0.segments",
            "no segment “regular”",
        ),
        (
            {"combinations": [{"purposes": ["news"], "with": {"tags": ["x"]}, "apart": "1 day"}]},
            "combinations.0.with.tags",
            "no template has the tag “x”",
        ),
        (
            {"blackouts": [{"from": "2026-03-01", "to": "2026-03-09"}]},
            "blackouts.0.to",
            "these days are over",
        ),
        (
            {"channels": {"order": ["email"], "roles": [{"channel": "email", "purposes": ["news"]}]}},
            "channels.roles",
            "no channel carries “offers”: such messages are never sent",
        ),
        (
            {"channels": {"order": ["email"], "roles": [{"channel": "sms", "purposes": ["news"]}]}},
            "channels.roles.0",
            "does nothing: sms is switched off",
        ),
        (
            {
                "channels": {"order": ["email"]},
                "redundancy": [{"drop": "push", "when": "email", "ahead": "1 day"}],
            },
            "redundancy.0",
            "does nothing: push is switched off",
        ),
        (
            {"redundancy": [
                {"drop": "push", "when": "email", "ahead": "1 day"},
                {"drop": "email", "when": "push", "ahead": "1 day"},
            ]},
            "redundancy.1",
            "email and push leave each other out: their turn decides which one goes",
        ),
        (
            {"laws": [{"pack": "fr"}, {"pack": "fr", "variant": "until 22:00"}]},
            "laws.1",
            "“fr” is chosen twice: both readings hold, the stricter one counts",
        ),
        (
            {"channels": {"order": ["email"]}, "smart": {"channel": "always"}},
            "smart.channel",
            "does nothing: there is one channel",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_does_nothing_is_doubted_by_its_path(
    rules: dict[str, Any], path: str, words: str
) -> None:
    found = charter_rules.lint(rules, KNOWN)
    assert (path, words, True) in [tuple(one) for one in found]


def test_what_does_something_is_not_doubted() -> None:
    rules = {
        "caps": [{**CAP, "purposes": ["news"], "tags": ["sale"]}],
        "blackouts": [{"from": "2025-12-24", "to": "2025-12-26", "every_year": True}],
        "priorities": [{"add": 5, "segments": ["regulars"]}],
        "channels": {"roles": [{"channel": "email", "purposes": ["news", "offers"]}]},
    }
    assert charter_rules.lint(rules, KNOWN) == []
    assert charter_rules.lint(charter_rules.DEFAULT, KNOWN) == []


def test_where_nobody_says_what_names_mean_none_is_doubted() -> None:
    assert charter_rules.lint({"caps": [{**CAP, "purposes": ["whatever"]}]}) == []


@pytest.mark.django_db
def test_names_are_those_of_the_tables() -> None:
    rules = {
        "caps": [{**CAP, "purposes": ["news"], "tags": ["sale"]}],
        "priorities": [{"add": 1, "segments": ["vip"]}],
    }
    assert {one.path for one in charter.lint(rules, NOON)} == {
        "caps.0.purposes", "caps.0.tags", "priorities.0.segments",
    }  # fmt: skip
    Purpose.objects.create(slug="news", name="News")
    Segment.objects.create(slug="vip", name="VIP")
    make_template("spring")
    Template.objects.update(tags="sale,spring")
    assert charter.lint(rules, NOON) == []
