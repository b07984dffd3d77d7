"""How far the log may be read, as a function: a restored database moves it (see ``event_log_healing``)."""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION contacts_log_horizon() RETURNS xid8 LANGUAGE sql STABLE PARALLEL RESTRICTED
AS 'SELECT pg_snapshot_xmin(pg_current_snapshot())';
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0015_contact_changed")]

    operations = [migrations.RunSQL(FORWARD, "DROP FUNCTION contacts_log_horizon()")]
