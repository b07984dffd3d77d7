"""The decisions in which a channel or an hour was chosen, by time: few of the ledger, read by a report."""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE INDEX channels_decision_chosen ON channels_decision (decided_at)
WHERE trace @> '[["smart_channel"]]' OR trace @> '[["best_hour"]]';
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0020_decisions_kept")]

    operations = [migrations.RunSQL(FORWARD, "DROP INDEX channels_decision_chosen;")]
