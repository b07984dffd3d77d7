"""Ten questions of rising difficulty: as a rule, and as somebody who knows the tables would write them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Question(NamedTuple):
    title: str
    rule: dict[str, Any]
    #: Gives the ids of contacts; ``%(now)s`` is the instant, ``%(d30)s`` that of 30 days before.
    sql: str


def _event(name: str, days: int, **more: Any) -> dict[str, Any]:
    return {"event": name, "within": f"{days} days", **more}


_NUMBER = "(e.properties ->> '{}')::numeric"
_ORDERS = "contacts_event e WHERE e.name = 'Order Completed' AND e.occurred_at <= %(now)s AND e.occurred_at >"

QUESTIONS = (
    Question(
        "a column",
        {"attribute": "country", "op": "is", "value": "FR"},
        "SELECT id FROM contacts_contact WHERE country = 'FR'",
    ),
    Question(
        "two attributes",
        {
            "all": [
                {"attribute": "plan", "op": "is", "value": "gold"},
                {"attribute": "city", "op": "in", "value": ["City 2", "City 5", "City 8"]},
            ]
        },
        "SELECT id FROM contacts_contact WHERE attributes ->> 'plan' = 'gold'"
        " AND attributes ->> 'city' IN ('City 2', 'City 5', 'City 8')",
    ),
    Question(
        "ordered in 7 days",
        _event("Order Completed", 7),
        f"SELECT DISTINCT e.contact_id FROM {_ORDERS} %(d7)s",
    ),
    Question(
        "ordered twice in 60 days, not in the last 14",
        {
            "all": [
                _event("Order Completed", 60, count={"gte": 2}),
                _event("Order Completed", 14, count={"lte": 0}),
            ]
        },
        f"SELECT e.contact_id FROM {_ORDERS} %(d60)s GROUP BY 1"
        " HAVING count(*) >= 2 AND max(e.occurred_at) <= %(d14)s",
    ),
    Question(
        "gold, and looked at something dear in 30 days",
        {
            "all": [
                {"attribute": "plan", "op": "is", "value": "gold"},
                _event(
                    "Product Viewed",
                    30,
                    where=[
                        {"property": "category", "op": "is", "value": "category 7"},
                        {"property": "price", "op": "gte", "value": 150},
                    ],
                ),
            ]
        },
        "SELECT c.id FROM contacts_contact c WHERE c.attributes ->> 'plan' = 'gold' AND c.id IN ("
        "SELECT e.contact_id FROM contacts_event e WHERE e.name = 'Product Viewed'"
        " AND e.occurred_at > %(d30)s AND e.occurred_at <= %(now)s"
        " AND e.properties ->> 'category' = 'category 7'"
        f" AND {_NUMBER.format('price')} >= 150)",
    ),
    Question(
        "spent 500 in 30 days",
        _event("Order Completed", 30, sum={"property": "total", "gte": 500}),
        f"SELECT e.contact_id FROM {_ORDERS} %(d30)s GROUP BY 1 HAVING sum({_NUMBER.format('total')}) >= 500",
    ),
    Question(
        "ordered twice in 60 days, not in 14, opened nothing in 30, allows SMS",
        {
            "all": [
                _event("Order Completed", 60, count={"gte": 2}),
                _event("Order Completed", 14, count={"lte": 0}),
                {"message": "opened", "count": {"lte": 0}, "within": "30 days"},
                {"consent": {"channel": "sms", "purpose": "offers"}, "state": "allowed"},
            ]
        },
        f"SELECT o.contact_id FROM (SELECT e.contact_id FROM {_ORDERS} %(d60)s GROUP BY 1"
        " HAVING count(*) >= 2 AND max(e.occurred_at) <= %(d14)s) o"
        " JOIN contacts_consentstate k ON k.contact_id = o.contact_id AND k.channel = 'sms'"
        " AND k.purpose = 'offers' AND k.allowed"
        " WHERE NOT EXISTS (SELECT 1 FROM contacts_event e WHERE e.contact_id = o.contact_id"
        " AND e.name = 'Message Opened' AND e.kind = 7 AND e.occurred_at > %(d30)s"
        " AND e.occurred_at <= %(now)s)",
    ),
    Question(
        "one of three: checkout in 7 days, added twice in 14, opened in 7; and no order in 30",
        {
            "all": [
                {
                    "any": [
                        _event("Checkout Started", 7),
                        _event("Product Added", 14, count={"gte": 2}),
                        {"message": "opened", "within": "7 days"},
                    ]
                },
                {"not": _event("Order Completed", 30)},
            ]
        },
        "SELECT f.contact_id FROM ("
        "SELECT e.contact_id FROM contacts_event e WHERE e.name = 'Checkout Started'"
        " AND e.occurred_at > %(d7)s AND e.occurred_at <= %(now)s"
        " UNION SELECT e.contact_id FROM contacts_event e WHERE e.name = 'Product Added'"
        " AND e.occurred_at > %(d14)s AND e.occurred_at <= %(now)s GROUP BY 1 HAVING count(*) >= 2"
        " UNION SELECT e.contact_id FROM contacts_event e WHERE e.name = 'Message Opened' AND e.kind = 7"
        " AND e.occurred_at > %(d7)s AND e.occurred_at <= %(now)s) f"
        f" WHERE NOT EXISTS (SELECT 1 FROM {_ORDERS} %(d30)s AND e.contact_id = f.contact_id)",
    ),
    Question(
        "added to the cart in 30 days and ordered nothing within 3 days of it",
        _event("Product Added", 30, then_not={"event": "Order Completed", "within": "3 days"}),
        "SELECT DISTINCT a.contact_id FROM contacts_event a WHERE a.name = 'Product Added'"
        " AND a.occurred_at > %(d30)s AND a.occurred_at <= %(now)s - interval '3 days' AND NOT EXISTS ("
        "SELECT 1 FROM contacts_event e WHERE e.contact_id = a.contact_id AND e.name = 'Order Completed'"
        " AND e.occurred_at > a.occurred_at AND e.occurred_at <= a.occurred_at + interval '3 days'"
        " AND e.occurred_at > %(d30)s AND e.occurred_at <= %(now)s)",
    ),
    Question(
        "viewed in each of the last 4 weeks, and ordered for the first time in the last 30 days",
        {
            "all": [
                {"event": "Product Viewed", "per": {"period": "1 week", "last": 4}},
                _event("Order Completed", 30, pick="first"),
            ]
        },
        "SELECT v.contact_id FROM (SELECT e.contact_id FROM contacts_event e WHERE e.name = 'Product Viewed'"
        " AND e.occurred_at > %(d28)s AND e.occurred_at <= %(now)s GROUP BY 1"
        " HAVING bool_or(e.occurred_at <= %(d21)s) AND bool_or(e.occurred_at > %(d7)s)"
        " AND bool_or(e.occurred_at > %(d21)s AND e.occurred_at <= %(d14)s)"
        " AND bool_or(e.occurred_at > %(d14)s AND e.occurred_at <= %(d7)s)) v"
        " JOIN (SELECT e.contact_id FROM contacts_event e WHERE e.name = 'Order Completed'"
        " AND e.occurred_at <= %(now)s GROUP BY 1 HAVING min(e.occurred_at) > %(d30)s) o USING (contact_id)",
    ),
)
