"""Attributes that Segue itself writes: a journey does, and no event came in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from django.db import connection

from contacts import event_log, slots
from contacts.event_log import NewEvent
from contacts.profile import Origin


def set_attributes(
    changes: Mapping[int, Mapping[str, Any]], now: datetime, origins: Mapping[int, str]
) -> int:
    """Set declared attributes: contact id -> names and values; None removes. Returns how many contacts.

    ``origins`` says for each contact who sets them, as in ``contacts.profile.Origin``. Two statements
    whatever the number, in the caller's transaction. The log says so, so that segments follow.
    """
    wanted = sorted((contact_id, values) for contact_id, values in changes.items() if values)
    if not wanted:
        return 0
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "UPDATE contacts_contact c SET updated_at = %b,"
            " attributes = (c.attributes || u.kept::jsonb)"
            " - ARRAY(SELECT jsonb_array_elements_text(u.gone::jsonb)),"
            " origins = c.origins || jsonb_build_object('declared',"
            " coalesce(c.origins -> 'declared', '{}') || u.told::jsonb"
            " - ARRAY(SELECT jsonb_array_elements_text(u.gone::jsonb)))"
            " FROM unnest(%b::int8[], %b::int2[], %b::text[], %b::text[], %b::text[])"
            " AS u(id, slot, kept, gone, told)"
            " WHERE c.id = u.id AND c.slot = u.slot",
            [
                now,
                [contact_id for contact_id, _values in wanted],
                [slots.of(contact_id) for contact_id, _values in wanted],
                [
                    _json({name: value for name, value in values.items() if value is not None})
                    for _id, values in wanted
                ],
                [_json([name for name, value in values.items() if value is None]) for _id, values in wanted],
                [
                    _json(dict.fromkeys(values, Origin.told(origins[contact_id], now)))
                    for contact_id, values in wanted
                ],
            ],
        )
        changed = cursor.rowcount
    event_log.append(
        NewEvent(contact_id, "Identified", now, now, properties=dict(values)) for contact_id, values in wanted
    )
    return changed


def hold(contact_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Declared attributes of contacts, kept from others until the transaction ends. One statement."""
    wanted = sorted(contact_ids)
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT id, attributes::text FROM contacts_contact WHERE slot = ANY(%b::int2[])"
            " AND id = ANY(%b::int8[]) ORDER BY id FOR NO KEY UPDATE",
            [sorted({slots.of(contact_id) for contact_id in wanted}), wanted],
        )
        return {contact_id: msgspec.json.decode(text) for contact_id, text in cursor.fetchall()}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
