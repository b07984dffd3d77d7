"""What the help beside the rule shows: each kind of condition, each operator, rules to start from."""

from __future__ import annotations

import json
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

#: Key, what it asks, and one line of JSON.
KINDS: tuple[tuple[str, Text, str], ...] = (
    ("all", _("every part holds"), '{"all": [{…}, {…}]}'),
    ("any", _("at least one part holds"), '{"any": [{…}, {…}]}'),
    ("not", _("the part does not hold"), '{"not": {…}}'),
    ("attribute", _("who they are"), '{"attribute": "city", "op": "is", "value": "Lyon"}'),
    (
        "event",
        _("what they did: how often (count) or how much (sum), when, and with what properties"),
        '{"event": "Order Completed", "count": {"gte": 2}, "within": "60 days"}',
    ),
    (
        "message",
        _("sent, delivered, opened, clicked, bounced, complained, unsubscribed, dropped, held or failed"),
        '{"message": "opened", "channel": "email", "count": {"lte": 0}}',
    ),
    (
        "consent",
        _("allowed, refused or unknown"),
        '{"consent": {"channel": "sms", "purpose": "offers"}, "state": "allowed"}',
    ),
    ("segment", _("is in another segment"), '{"segment": "regulars", "member": true}'),
    ("prediction", _("what was predicted"), '{"prediction": "churn", "op": "gte", "value": 0.7}'),
    ("address", _("can be reached there"), '{"address": "push", "reachable": true}'),
)

OPERATORS: tuple[tuple[str, Text], ...] = (
    ("is, is_not, in, not_in", _("the same value; in and not_in take a list")),
    (
        "contains, not_contains, starts_with, ends_with",
        _("part of a text, whatever the case; contains also finds an item of a list"),
    ),
    ("has_any, has_all, has_none", _("some items, in a value that is a list")),
    ("gt, gte, lt, lte, between", _("numbers; between takes a list of two numbers or two dates")),
    ("before, after", _("a date, a length such as “30 days” for that long ago, or “in 7 days”")),
    ("within, within_days", _("in the last “30 days”, or in the next, with “in 30 days”")),
    (
        "on, anniversary_on, anniversary_within",
        _("a day, or its return in a later year: “today”, “in 7 days”"),
    ),
    ("exists, missing", _("known or not; no value")),
)

_RULES: tuple[tuple[Text, Text, dict[str, Any]], ...] = (
    (
        _("Going quiet"),
        _("Bought twice in 60 days, not in the last 14"),
        {
            "all": [
                {"event": "Order Completed", "count": {"gte": 2}, "within": "60 days"},
                {"event": "Order Completed", "count": {"lte": 0}, "within": "14 days"},
            ]
        },
    ),
    (
        _("Big baskets"),
        _("An order of 80 or more in the last 30 days, in one of some countries"),
        {
            "all": [
                {
                    "event": "Order Completed",
                    "where": [{"property": "total", "op": "gte", "value": 80}],
                    "within": "30 days",
                },
                {"attribute": "country", "op": "in", "value": ["FR", "BE"]},
            ]
        },
    ),
    (
        _("Win back"),
        _("Not seen for 90 days, and may be written to"),
        {
            "all": [
                {"attribute": "last_seen_at", "op": "before", "value": "90 days"},
                {"consent": {"channel": "email", "purpose": "offers"}, "state": "allowed"},
                {"address": "email", "reachable": True},
            ]
        },
    ),
    (
        _("Left a cart"),
        _("Put something in the cart in the last 3 days and did not order"),
        {
            "all": [
                {"event": "Product Added", "within": "3 days"},
                {"event": "Order Completed", "count": {"lte": 0}, "within": "4 days"},
            ]
        },
    ),
    (
        _("Silent to email, open to SMS"),
        _("Opened no email in 60 days, allows SMS and has a number"),
        {
            "all": [
                {"message": "opened", "channel": "email", "count": {"lte": 0}, "within": "60 days"},
                {"consent": {"channel": "sms", "purpose": "offers"}, "state": "allowed"},
                {"address": "sms", "reachable": True},
            ]
        },
    ),
    (
        _("New and curious"),
        _("First seen in the last 7 days, looked at three products or more, bought nothing"),
        {
            "all": [
                {"attribute": "first_seen_at", "op": "within_days", "value": 7},
                {"event": "Product Viewed", "count": {"gte": 3}, "within": "7 days"},
                {"event": "Order Completed", "count": {"lte": 0}},
            ]
        },
    ),
)

EXAMPLES: tuple[tuple[Text, str], ...] = tuple(
    (title, json.dumps(rule, indent=2, ensure_ascii=False)) for title, _about, rule in _RULES
)


def starting_points() -> list[dict[str, Any]]:
    """Rules to begin with: ``name``, ``about`` and ``rule``."""
    return [{"name": str(name), "about": str(about), "rule": rule} for name, about, rule in _RULES]
