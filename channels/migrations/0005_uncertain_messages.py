"""Uncertain messages are few and looked for often."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("channels", "0004_sandbox_outbox")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX channels_message_uncertain ON channels_message (id) WHERE state = 11",
            "DROP INDEX channels_message_uncertain",
        )
    ]
