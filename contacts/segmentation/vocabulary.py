"""What a rule can ask about, learned from what is there: attributes, events, properties and their values.

Read from samples of bounded size, so that an answer takes the same time however much is stored. A sample
may miss what is rare: names and values may always be typed as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from contacts.rules_vocabulary import FLAG_COLUMNS, MESSAGE_EVENTS, TEXT_COLUMNS, TIME_COLUMNS

#: Rows that one question looks at, at most.
_CONTACTS = 4000
_EVENTS = 1500
_MOST_NAMES = 400
_SAMPLES = 6
_SECONDS = 3
#: Columns whose values tell who somebody is: never offered as examples.
PERSONAL = frozenset({"email", "phone", "first_name", "last_name"})
_JSONB = 3802
"""PostgreSQL's number for the type."""
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}|$)")
_OWN_EVENTS = (*MESSAGE_EVENTS.values(), "Segment ", "Journey ", "Consent ", "Message ", "Contact ")
_PROFILE = ("Identified", "Aliased")


@dataclass(slots=True)
class Term:
    """One name that a rule may use. ``type`` is text, number, flag, date, list or object."""

    name: str | list[str]
    type: str
    samples: list[Any] = field(default_factory=list)
    column: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "samples": self.samples, "column": self.column}


@dataclass(slots=True)
class EventName:
    """The name of an event, when it was last seen, and whether Segue writes it by itself."""

    name: str
    last_at: datetime | None
    own: bool

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "last_at": self.last_at and self.last_at.isoformat(), "own": self.own}


def attributes() -> list[Term]:
    """Columns of a contact, then keys of attributes by how many contacts have them."""
    found = _terms(_rows(_ATTRIBUTES, [_CONTACTS // 2, _percent(), _CONTACTS // 2, _SAMPLES]))
    samples = dict[str, list[Any]]()
    for name, value in _rows(_COLUMN_VALUES, [_CONTACTS, _SAMPLES]):
        samples.setdefault(name, []).append(value)
    columns = [
        *(Term(name, "text", samples.get(name, []), column=True) for name in sorted(TEXT_COLUMNS)),
        *(Term(name, "date", column=True) for name in sorted(TIME_COLUMNS)),
        *(Term(name, "flag", [True, False], column=True) for name in sorted(FLAG_COLUMNS)),
    ]
    taken = {term.name for term in columns}
    return [*columns, *(term for term in found if term.name not in taken)]


def events() -> list[EventName]:
    """Names of the events in the log, those of the sources first, each with its latest time."""
    names = [
        EventName(name, last_at, name.startswith(_OWN_EVENTS) or name in _PROFILE)
        for name, last_at in _rows(_NAMES, [_MOST_NAMES])
    ]
    return sorted(names, key=lambda one: (one.own, one.name.lower()))


def properties(event: str) -> list[Term]:
    """Properties that the newest events of this name had; those inside objects too, by their path."""
    found = _terms(_rows(_PROPERTIES, [event, _EVENTS, _SAMPLES]))
    inner = _rows(_INNER, [event, _EVENTS, _SAMPLES])
    nested = _terms([(f"{outer}\0{key}", kind, value, count) for outer, key, kind, value, count in inner])
    for term in nested:
        term.name = str(term.name).split("\0", 1)
    return [*(term for term in found if term.type != "object"), *nested]


def attribute_values(name: str, begun: str) -> list[tuple[Any, int]]:
    """Values of an attribute that contain what was begun, with how often the sample has them."""
    if name in PERSONAL or name in TIME_COLUMNS or name in FLAG_COLUMNS:
        return []
    if name in TEXT_COLUMNS:
        statement = _VALUES_OF_COLUMN.format(column=name)  # One of our own names, never what was typed.
        return _rows(statement, [_CONTACTS * 4, _like(begun)])
    return _rows(_VALUES_OF_ATTRIBUTE, [name, name, _CONTACTS * 4, _like(begun)])


def property_values(event: str, path: Iterable[str], begun: str) -> list[tuple[Any, int]]:
    """Values of a property of the newest events of this name."""
    return _rows(_VALUES_OF_PROPERTY, [list(path), event, _EVENTS * 4, _like(begun)])


def predictions() -> list[dict[str, Any]]:
    """Names of predictions, the span of their numbers, and their labels."""
    return [
        {"name": name, "least": least, "most": most, "labels": [label for label in labels if label]}
        for name, least, most, labels in _rows(_PREDICTIONS, [])
    ]


def _terms(rows: Iterable[tuple[str, str, Any, int]]) -> list[Term]:
    """From (name, JSON type, value, number that have the name), the most common first."""
    found: dict[str, Term] = {}
    for name, kind, value, _count in rows:
        term = found.setdefault(name, Term(name, _TYPES.get(kind, "text")))
        if kind in _TYPES and value is not None and len(str(value)) <= 80:
            term.samples.append(value)
    for term in found.values():
        texts = [value for value in term.samples if isinstance(value, str)]
        if texts and len(texts) == len(term.samples) and all(_DATE.match(text) for text in texts):
            term.type = "date"
    return list(found.values())


_TYPES = {
    "string": "text",
    "number": "number",
    "boolean": "flag",
    "array": "list",
    "object": "object",
}


def _like(begun: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", begun.replace("\0", "")[:100])
    return f"%{escaped}%"


def _percent() -> float:
    """The share of the table that gives about the sample wanted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'contacts_contact'::regclass")
        (rows,) = cursor.fetchone() or (1,)
    return min(100.0, max(0.01, 100.0 * _CONTACTS / float(rows)))


def _rows(statement: str, params: list[Any]) -> list[Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{_SECONDS}s"])
        cursor.execute(statement, params)
        return [
            tuple(_decoded(each) if _is_json(cursor, place) else each for place, each in enumerate(row))
            for row in cursor.fetchall()
        ]


def _is_json(cursor: Any, place: int) -> bool:
    return bool(cursor.description[place].type_code == _JSONB)


def _decoded(value: Any) -> Any:
    # Django hands JSON out as text, so that its field can choose the decoder.
    return json.loads(value) if isinstance(value, str) else value


# The newest contacts and some of any age, since either alone would miss what only the other has.
_SOME = """sampled AS (
    (SELECT inferred || attributes AS has FROM contacts_contact ORDER BY last_seen_at DESC, id DESC LIMIT %s)
    UNION ALL (SELECT inferred || attributes FROM contacts_contact TABLESAMPLE SYSTEM (%s) LIMIT %s)
)"""
_NEWEST = """newest AS (
    SELECT properties FROM contacts_event WHERE name = %s ORDER BY occurred_at DESC LIMIT %s
)"""
_RANKED = """
SELECT {names}, kind, value, total FROM (
    SELECT {names}, kind, value, sum(n) OVER (PARTITION BY {names}) AS total,
        row_number() OVER (PARTITION BY {names} ORDER BY (kind = 'null'), n DESC, value) AS place
    FROM (
        SELECT {names}, jsonb_typeof(value) AS kind,
            CASE WHEN jsonb_typeof(value) IN ('object', 'array') THEN NULL ELSE value END AS value,
            count(*) AS n
        FROM pairs GROUP BY 1, 2, 3{more}
    ) counted
) ranked WHERE place <= %s ORDER BY total DESC, {names}, place"""
_ATTRIBUTES = (
    f"WITH {_SOME}, pairs AS (SELECT p.key, p.value FROM sampled, jsonb_each(has) AS p)"
    + _RANKED.format(names="key", more="")
)
_PROPERTIES = (
    f"WITH {_NEWEST}, pairs AS (SELECT p.key, p.value FROM newest, jsonb_each(properties) AS p)"
    + _RANKED.format(names="key", more="")
)
_INNER = (
    f"WITH {_NEWEST}, pairs AS ("
    "SELECT o.key AS outside, p.key, p.value FROM newest, jsonb_each(properties) AS o,"
    " jsonb_each(CASE WHEN jsonb_typeof(o.value) = 'object' THEN o.value ELSE '{}' END) AS p)"
    + _RANKED.format(names="outside, key", more=", 4")
)
_COLUMN_VALUES = """
WITH sampled AS (
    SELECT language, timezone, country FROM contacts_contact ORDER BY last_seen_at DESC, id DESC LIMIT %s
)
SELECT name, value FROM (
    SELECT name, value, row_number() OVER (PARTITION BY name ORDER BY count(*) DESC, value) AS place
    FROM sampled, LATERAL (VALUES ('language', language), ('timezone', timezone), ('country', country))
        AS v(name, value)
    WHERE value <> '' GROUP BY 1, 2
) counted WHERE place <= %s ORDER BY 1, place"""
# One step of the index per name, not one per event.
_NAMES = """
WITH RECURSIVE names(name) AS (
    (SELECT name FROM contacts_event ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT e.name FROM contacts_event e WHERE e.name > n.name ORDER BY e.name LIMIT 1)
    FROM names n WHERE n.name IS NOT NULL
)
SELECT n.name, (
    SELECT e.occurred_at FROM contacts_event e WHERE e.name = n.name ORDER BY e.occurred_at DESC LIMIT 1
) FROM names n WHERE n.name IS NOT NULL LIMIT %s"""
_VALUES_OF_COLUMN = """
WITH sampled AS (SELECT {column} AS value FROM contacts_contact ORDER BY last_seen_at DESC, id DESC LIMIT %s)
SELECT value, count(*) FROM sampled WHERE value <> '' AND value ILIKE %s
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"""
_VALUES_OF_ATTRIBUTE = """
WITH sampled AS (
    SELECT COALESCE(attributes -> %s, inferred -> %s) AS value
    FROM contacts_contact ORDER BY last_seen_at DESC, id DESC LIMIT %s
)
SELECT value, count(*) FROM sampled
WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean') AND value #>> '{}' ILIKE %s
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"""
_VALUES_OF_PROPERTY = """
WITH newest AS (
    SELECT properties #> %s::text[] AS value FROM contacts_event WHERE name = %s
    ORDER BY occurred_at DESC LIMIT %s
)
SELECT value, count(*) FROM newest
WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean') AND value #>> '{}' ILIKE %s
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"""
_PREDICTIONS = """
SELECT name, min(number), max(number), array_agg(DISTINCT value ->> 'label')
FROM (SELECT name, number, value FROM contacts_prediction LIMIT 20000) sampled GROUP BY 1 ORDER BY 1"""
