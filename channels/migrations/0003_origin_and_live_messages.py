"""Messages say since when their wish counts and what it is called; live ones are found by contact and run."""

from __future__ import annotations

from django.db import migrations, models

FORWARD = """
ALTER TABLE channels_message ADD COLUMN entered_at timestamptz;
ALTER TABLE channels_message ADD COLUMN origin_slug text NOT NULL DEFAULT '';
CREATE INDEX channels_message_live ON channels_message (contact_id) WHERE state IN (1, 2, 3, 4, 5, 11);
CREATE INDEX channels_message_run ON channels_message (origin_run)
    WHERE state IN (1, 2, 3) AND origin_run IS NOT NULL;
"""

BACKWARD = """
DROP INDEX channels_message_run;
DROP INDEX channels_message_live;
ALTER TABLE channels_message DROP COLUMN origin_slug;
ALTER TABLE channels_message DROP COLUMN entered_at;
"""


COLUMNS = [
    migrations.AddField("message", "entered_at", models.DateTimeField(null=True)),
    migrations.AddField("message", "origin_slug", models.TextField(default="")),
]


class Migration(migrations.Migration):
    dependencies = [("channels", "0002_partitioned")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD, state_operations=COLUMNS)]
