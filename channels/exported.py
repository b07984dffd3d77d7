"""What this room offers for exports."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.exchange.export_tables import ExportTable

TABLES = (
    ExportTable(
        "messages",
        _("Messages"),
        "contacts.export_contact",
        "channels_message m JOIN contacts_contact c ON c.id = m.contact_id",
        "m.created_at, m.id",
        {
            "contact": "c.public_id",
            "email": "c.email",
            "phone": "c.phone",
            "channel": "m.channel",
            "purpose": "m.purpose",
            "address": "m.address",
            "state": "m.state",
            "asked": "m.created_at",
            "due": "m.due_at",
        },
        ("email", "channel", "purpose", "address", "state", "asked"),
        by_time="m.created_at",
    ),
)
