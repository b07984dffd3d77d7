from datetime import timedelta

import pytest

from channels import charter_rules, charter_words


def test_the_default_charter_in_words() -> None:
    assert charter_words.explain(charter_rules.parse(charter_rules.DEFAULT)) == [
        "Only people who agreed are written to.",
        (
            "Channels: email, push, sms and inapp, tried in the message's own order; "
            "the next one where one cannot be used at all."
        ),
        "No push while an email is scheduled within 1 day.",
        "At most 4 messages in 7 days.",
        "At most 2 sms messages a calendar week on the person's clock.",
        "Never two messages to a person on one day.",
        "At least 12 hours between two messages.",
        "No push and sms from 20:00 to 08:00, on the person's clock.",
        "No sms on Sundays, all day.",
        "Where a person's time zone is unknown, every zone of their country decides.",
        "What was held leaves within 15 minutes of being free, spread out.",
        "Service messages are exempt from all of this, save the suppression list.",
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
