"""What this room offers for exports."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.exchange.export_tables import ExportTable

_PERSON = {"contact": "c.public_id", "email": "c.email", "phone": "c.phone"}
_USER_ID = "(SELECT i.value FROM contacts_identifier i WHERE i.contact_id = c.id AND i.kind = 'user' LIMIT 1)"

TABLES = (
    ExportTable(
        "contacts",
        _("Contacts"),
        "contacts.export_contact",
        "contacts_contact c",
        "c.id",
        {
            **_PERSON,
            "user_id": _USER_ID,
            "first_name": "c.first_name",
            "last_name": "c.last_name",
            "language": "c.language",
            "timezone": "c.timezone",
            "country": "c.country",
            "first_seen": "c.first_seen_at",
            "last_seen": "c.last_seen_at",
            "attributes": "c.attributes",
        },
        ("user_id", "email", "phone", "first_name", "last_name", "language", "country", "last_seen"),
        attributes="c.attributes",
        by_time="c.last_seen_at",
    ),
    ExportTable(
        "events",
        _("Events"),
        "contacts.export_contact",
        "contacts_event e JOIN contacts_contact c ON c.id = e.contact_id",
        "e.occurred_at, e.id",
        {
            **_PERSON,
            "user_id": _USER_ID,
            "event": "e.name",
            "time": "e.occurred_at",
            "message_id": "e.message_id",
            "properties": "e.properties",
        },
        ("user_id", "email", "event", "time", "message_id", "properties"),
        attributes="e.properties",
        by_time="e.occurred_at",
    ),
    ExportTable(
        "consents",
        _("Consents"),
        "contacts.export_contact",
        "contacts_consententry e JOIN contacts_contact c ON c.id = e.contact_id",
        "e.id",
        {
            **_PERSON,
            "channel": "e.channel",
            "purpose": "e.purpose",
            "action": "e.action",
            "basis": "e.basis",
            "wording": "e.wording",
            "origin": "e.origin",
            "said": "e.occurred_at",
            "recorded": "e.recorded_at",
        },
        ("email", "phone", "channel", "purpose", "action", "basis", "wording", "origin", "said"),
        by_time="e.recorded_at",
    ),
    ExportTable(
        "suppressions",
        _("Suppressed addresses"),
        "contacts.export_contact",
        "contacts_suppression s",
        "s.id",
        {
            "channel": "s.channel",
            "address": "s.address",
            "email": "CASE WHEN s.channel = 'email' THEN s.address END",
            "phone": "CASE WHEN s.channel <> 'email' THEN s.address END",
            "reason": "s.reason",
            "note": "s.note",
            "since": "s.created_at",
        },
        ("channel", "email", "phone", "reason", "note", "since"),
        by_time="s.created_at",
    ),
)
