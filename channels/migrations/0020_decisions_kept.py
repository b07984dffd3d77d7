"""Decisions keep what they rested on and who wanted the message; their totals have a table; messages wishes."""

from __future__ import annotations

from django.db import migrations, models

COLUMNS = """
ALTER TABLE channels_message ADD COLUMN smart_channel boolean NOT NULL DEFAULT false;
ALTER TABLE channels_message ADD COLUMN best_by timestamptz;
ALTER TABLE channels_decision ADD COLUMN origin_kind text NOT NULL DEFAULT '';
ALTER TABLE channels_decision ADD COLUMN origin_id integer;
ALTER TABLE channels_decision ADD COLUMN facts bytea;
-- Examples of a reason, the newest first; what was simply sent is the bulk of the ledger and needs none.
CREATE INDEX channels_decision_reason ON channels_decision (reason, decided_at) WHERE outcome <> 1;
CREATE INDEX channels_decision_origin ON channels_decision (origin_id, reason, decided_at) WHERE outcome <> 1;
"""

BACKWARD = """
DROP INDEX channels_decision_origin;
DROP INDEX channels_decision_reason;
ALTER TABLE channels_decision DROP COLUMN facts;
ALTER TABLE channels_decision DROP COLUMN origin_id;
ALTER TABLE channels_decision DROP COLUMN origin_kind;
ALTER TABLE channels_message DROP COLUMN best_by;
ALTER TABLE channels_message DROP COLUMN smart_channel;
"""

# What is in the ledger already: whose it was, and how many of each kind a day had.
BEFORE = """
UPDATE channels_decision d SET origin_kind = m.origin_kind, origin_id = m.origin_id
FROM channels_message m WHERE m.id = d.message_id AND m.created_at = d.message_created_at;
INSERT INTO channels_decisiontotal
    (day, origin_kind, origin_id, origin_slug, channel, outcome, reason, count, folded)
SELECT (d.decided_at AT TIME ZONE 'UTC')::date, d.origin_kind, coalesce(d.origin_id, 0),
       coalesce(m.origin_slug, ''), d.channel, d.outcome, d.reason, count(*), true
FROM channels_decision d
LEFT JOIN channels_message m ON m.id = d.message_id AND m.created_at = d.message_created_at
GROUP BY 1, 2, 3, 4, 5, 6, 7;
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0019_content")]

    operations = [
        migrations.RunSQL(
            COLUMNS,
            BACKWARD,
            state_operations=[
                migrations.AddField(
                    "message", "smart_channel", models.BooleanField(db_default=False, default=False)
                ),
                migrations.AddField("message", "best_by", models.DateTimeField(null=True)),
                migrations.AddField("decision", "origin_kind", models.TextField(db_default="", default="")),
                migrations.AddField("decision", "origin_id", models.IntegerField(null=True)),
                migrations.AddField("decision", "facts", models.BinaryField(editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="DecisionTotal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField(verbose_name="day")),
                ("origin_kind", models.TextField(default="", verbose_name="wanted by")),
                ("origin_id", models.IntegerField(default=0)),
                ("origin_slug", models.TextField(default="", verbose_name="name")),
                ("channel", models.TextField(default="", verbose_name="channel")),
                ("outcome", models.SmallIntegerField(verbose_name="outcome")),
                ("reason", models.TextField(verbose_name="reason")),
                ("count", models.IntegerField(default=0, verbose_name="number")),
                ("folded", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "total of decisions",
                "verbose_name_plural": "totals of decisions",
                "indexes": [
                    models.Index(
                        condition=models.Q(("folded", False)), fields=["id"], name="decision_total_loose"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("folded", True)),
                        fields=(
                            *(
                                "day",
                                "origin_kind",
                                "origin_id",
                                "origin_slug",
                                "channel",
                                "outcome",
                                "reason",
                            ),
                        ),
                        name="decision_total_once",
                    )
                ],
            },
        ),
        migrations.RunSQL(BEFORE, migrations.RunSQL.noop),
    ]
