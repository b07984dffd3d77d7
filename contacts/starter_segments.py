"""Segments that most shops want on the first day, and that show how rules are written."""

from __future__ import annotations

from typing import Any, NamedTuple

from contacts.models import Segment


class Starter(NamedTuple):
    slug: str
    name: str
    description: str
    rule: dict[str, Any]


STARTERS: tuple[Starter, ...] = (
    Starter(
        "customers-90-days",
        "Customers of the last 90 days",
        "Bought at least once in the last 90 days.",
        {"event": "Order Completed", "within": "90 days"},
    ),
    Starter(
        "regulars",
        "Regulars",
        "Bought at least three times in the last 60 days.",
        {"event": "Order Completed", "count": {"gte": 3}, "within": "60 days"},
    ),
    Starter(
        "lapsed-customers",
        "Lapsed customers",
        "Bought before, but not in the last 60 days.",
        {
            "all": [
                {"event": "Order Completed", "before": "60 days"},
                {"event": "Order Completed", "count": {"lte": 0}, "within": "60 days"},
            ]
        },
    ),
    Starter(
        "high-value",
        "High value",
        "Spent 500 or more in the last 180 days.",
        {"event": "Order Completed", "within": "180 days", "sum": {"property": "total", "gte": 500}},
    ),
    Starter(
        "cart-abandoners",
        "Cart abandoners",
        "Added to the cart in the last 3 days and have not ordered since the day before that.",
        {
            "all": [
                {"event": "Product Added", "within": "3 days"},
                {"event": "Order Completed", "count": {"lte": 0}, "within": "4 days"},
            ]
        },
    ),
    Starter(
        "newsletter-readers",
        "Newsletter subscribers",
        "Allowed news by email and can be reached there.",
        {
            "all": [
                {"consent": {"channel": "email", "purpose": "news"}, "state": "allowed"},
                {"address": "email", "reachable": True},
            ]
        },
    ),
    Starter(
        "engaged-by-email",
        "Engaged by email",
        "Opened or clicked an email in the last 30 days.",
        {
            "any": [
                {"message": "opened", "channel": "email", "within": "30 days"},
                {"message": "clicked", "channel": "email", "within": "30 days"},
            ]
        },
    ),
    Starter(
        "silent-to-email",
        "Silent to email",
        "Got at least three emails in the last 60 days and opened none.",
        {
            "all": [
                {"message": "sent", "channel": "email", "count": {"gte": 3}, "within": "60 days"},
                {"message": "opened", "channel": "email", "count": {"lte": 0}, "within": "60 days"},
            ]
        },
    ),
    Starter(
        "valuable-and-lapsing",
        "Valuable and lapsing",
        "Of high value, with no order in the last 30 days: worth a call.",
        {
            "all": [
                {"segment": "high-value", "member": True},
                {"event": "Order Completed", "count": {"lte": 0}, "within": "30 days"},
            ]
        },
    ),
    Starter(
        "anonymous-visitors",
        "Anonymous visitors",
        "Seen in the last 30 days, and nobody knows who they are.",
        {
            "all": [
                {"attribute": "known", "op": "is", "value": False},
                {"attribute": "last_seen_at", "op": "within_days", "value": 30},
            ]
        },
    ),
)


def load() -> int:
    """Make those that are not there yet; returns how many. What somebody changed stays as it is."""
    present = set(Segment.objects.values_list("slug", flat=True))
    names = set(Segment.objects.values_list("name", flat=True))
    missing = [each for each in STARTERS if each.slug not in present and each.name not in names]
    Segment.objects.bulk_create(
        Segment(slug=each.slug, name=each.name, description=each.description, rule=each.rule)
        for each in missing
    )
    return len(missing)
