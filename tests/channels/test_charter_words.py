from datetime import timedelta

import pytest

from channels import charter_rules, charter_words


def test_the_default_charter_in_words() -> None:
    assert charter_words.explain(charter_rules.parse(charter_rules.DEFAULT)) == [
        "Only people who agreed are written to.",
        (
            "Channels: email, push, SMS and in-app, tried in the message's own order; "
            "the next one where one cannot be used at all."
        ),
        "Where a message asks for it, the channel that the person answers on is tried first.",
        "Where a message asks for it, it waits for the person's best hour.",
        (
            "Of such messages 5 % are left to chance, to go on learning; 10 % of people are left as they are,"
            " to compare."
        ),
        "No push while an email is scheduled within 1 day.",
        "At most 4 messages in 7 days.",
        "At most 2 SMS messages a calendar week on the person's clock.",
        "Never two messages to a person on one day.",
        "At least 12 hours between two messages.",
        "No push and SMS from 20:00 to 08:00, on the person's clock.",
        "No SMS on Sundays, all day.",
        charter_words.law("ca"),
        charter_words.law("fr", "until 20:00"),
        charter_words.law("us"),
        "Where a person's time zone is unknown, every zone of their country decides.",
        "What was held leaves within 15 minutes of being free, spread out.",
        "What was held for 7 days goes before better messages.",
        "Service messages are exempt from all of this, save the suppression list.",
    ]


def test_every_kind_of_rule_has_a_sentence() -> None:
    rules = {
        "caps": [{"limit": 1, "calendar": "day", "zone": "UTC", "tags": ["promo"], "bands": ["low"]}],
        "combinations": [
            {"channels": ["sms"], "purposes": ["news"]},
            {"purposes": ["survey"], "with": {"purposes": ["offers"]}, "apart": "3 days"},
        ],
        "priorities": [{"add": -5, "purposes": ["news"], "segments": ["regulars"]}],
        "blackouts": [
            {"name": "Christmas", "from": "2026-12-24", "to": "2026-12-26", "every_year": True},
            {"from": "2026-11-13", "to": "2026-11-13", "countries": ["FR"], "channels": ["push"]},
        ],
        "holidays": [{"channels": ["sms"]}],
        "channels": {"roles": [{"channel": "sms", "purposes": ["offers"]}]},
        "tone": {
            "forbidden": ["act now"],
            "capitals": 30,
            "exclamations": 1,
            "required": [{"channel": "sms", "part": "STOP"}],
        },
    }
    found = charter_words.by_part(charter_rules.parse(rules))
    assert found["caps"] == [
        "At most 1 message tagged promo to people of low engagement a calendar day on UTC."
    ]
    for wait, words in (("2 days", " within 2 days"), ("0 minutes", "")):
        rules = {"caps": [{"limit": 1, "rolling": "1 day", "wait": wait}]}
        (said,) = charter_words.by_part(charter_rules.parse(rules))["caps"]
        assert said == f"At most 1 message in 1 day; what finds no place{words} is not sent."
    assert found["engagement"] == [
        "People are low, medium and high by “engagement_band”; medium where nothing is known of them."
    ]
    assert found["combinations"] == [
        "Never SMS message about news.",
        "Never any message about survey within 3 days of any message about offers.",
    ]
    assert found["priorities"] == [
        "Messages about news to people in regulars give way: -5 to their priority."
    ]
    assert found["blackouts"] == [
        "Nothing from 24 December to 26 December, every year (Christmas).",
        "No push in FR on 13 November 2026.",
    ]
    assert found["holidays"] == ["No SMS on public holidays of the person's country."]
    assert found["channels"][1:] == ["SMS carries offers and nothing else."]
    assert found["tone"] == [
        "Templates never say act now.",
        "At most 30 % of a template's letters are capitals.",
        "At most 1 exclamation mark in a template.",
        "Every SMS template has “STOP” in it.",
    ]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(days=14), "2 weeks"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(), "0 minutes"),
    ],
)
def test_lengths_are_said_as_people_say_them(span: timedelta, words: str) -> None:
    assert charter_words.length(span) == words
