"""Find contacts by what somebody remembers: an identifier, its beginning, a part of a name or number.

Each way is its own bounded question, so that each can use its own index; joined by OR none would. What no
index answers, a part of a name, email or number, is looked for by reading the contacts once, on all cores:
indexes for it would be written with every event, for a question that is asked a few times a day.
"""

from __future__ import annotations

import re

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from contacts import normalise
from contacts.models import Identifier

MOST_FOUND = 500
"Contacts that one way of searching may bring; whoever needs more should write more letters."
_ENOUGH = 20
"Found by whole values or beginnings, so many make looking for parts needless."
_SECONDS = 5
_PHONE = re.compile(r"\+?[\d\s().\-/]{4,30}")
_KINDS = tuple(str(kind) for kind in Identifier.Kind.values)


def search(term: str) -> set[int]:
    """Ids of contacts by whole identifier, its beginning, or a part of email, phone or name."""
    term = " ".join(term.split())
    if not term or "\x00" in term:
        return set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BOUNDED, [f"{_SECONDS}s"])
        found = _whole(cursor, term)
        found |= _beginning(cursor, term)
        # What has digits or an @ and is found as it stands was copied from somewhere, not remembered.
        exact = bool(found) and any(sign.isdigit() or sign == "@" for sign in term)
        if len(found) < _ENOUGH and not exact:
            found |= _part(cursor, term)
    return found


def _whole(cursor: CursorWrapper, term: str) -> set[int]:
    forms = {term, term.lower(), normalise.phone(term) or term}
    cursor.execute(
        "SELECT contact_id FROM contacts_identifier WHERE kind = ANY(%s) AND value = ANY(%s)"
        " UNION SELECT id FROM contacts_contact WHERE email = %s AND email <> ''",
        [list(_KINDS), sorted(forms), term.lower()],
    )
    return {row[0] for row in cursor.fetchall()}


def _beginning(cursor: CursorWrapper, term: str) -> set[int]:
    cursor.execute(
        "(SELECT contact_id FROM contacts_identifier WHERE kind = 'email' AND value LIKE %s LIMIT %s)"
        # The bounds are what the primary key can use.
        " UNION (SELECT contact_id FROM contacts_identifier WHERE kind = 'user'"
        " AND value >= %s AND value < %s AND value LIKE %s LIMIT %s)",
        [
            f"{_plain(term.lower())}%",
            MOST_FOUND,
            term,
            term + "\U0010ffff",
            f"{_plain(term)}%",
            MOST_FOUND,
        ],
    )
    return {row[0] for row in cursor.fetchall()}


def _part(cursor: CursorWrapper, term: str) -> set[int]:
    if _PHONE.fullmatch(term):
        # However it is written at home, abroad the number ends in the same digits.
        digits = re.sub(r"\D", "", term.removeprefix("00")).lstrip("0")
        where, values = "phone LIKE %s", [f"%{digits}%"]
        if len(digits) < 4:
            return set()
    else:
        part = f"%{_plain(term.lower())}%"
        where, values = "email LIKE %s OR lower(first_name || ' ' || last_name) LIKE %s", [part, part]
    cursor.execute(f"SELECT id FROM contacts_contact WHERE {where} LIMIT %s", [*values, MOST_FOUND])  # noqa: S608
    return {row[0] for row in cursor.fetchall()}


def _plain(words: str) -> str:
    """Words in which the signs of a pattern mean themselves."""
    return words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


# Reading on all cores pays from the first page on here, which the planner doubts where a few rows are asked.
_BOUNDED = """
SELECT set_config('statement_timeout', %s, true), set_config('parallel_setup_cost', '0', true),
    set_config('parallel_tuple_cost', '0', true)
"""
