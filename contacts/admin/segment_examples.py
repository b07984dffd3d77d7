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

_RULES: tuple[tuple[Text, dict[str, Any]], ...] = (
    (
        _("Bought twice in 60 days, not in the last 14"),
        {
            "all": [
                {"event": "Order Completed", "count": {"gte": 2}, "within": "60 days"},
                {"event": "Order Completed", "count": {"lte": 0}, "within": "14 days"},
            ]
        },
    ),
    (
        _("A big basket in Lyon or Nice"),
        {
            "all": [
                {"attribute": "city", "op": "in", "value": ["Lyon", "Nice"]},
                {
                    "event": "Order Completed",
                    "where": [{"property": "total", "op": "gte", "value": 80}],
                },
            ]
        },
    ),
    (
        _("Not seen for 90 days, may be written to"),
        {
            "all": [
                {"attribute": "last_seen_at", "op": "before", "value": "90 days"},
                {"consent": {"channel": "email", "purpose": "offers"}, "state": "allowed"},
                {"address": "email", "reachable": True},
            ]
        },
    ),
)

EXAMPLES: tuple[tuple[Text, str], ...] = tuple(
    (title, json.dumps(rule, indent=2, ensure_ascii=False)) for title, rule in _RULES
)
