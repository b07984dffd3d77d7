"""Templates have tags; messages keep those they left with, and since when they were held."""

from __future__ import annotations

import django.core.validators
from django.db import migrations, models

FORWARD = """
ALTER TABLE channels_message ADD COLUMN tags text NOT NULL DEFAULT '';
ALTER TABLE channels_message ADD COLUMN held_since timestamptz;
"""

BACKWARD = """
ALTER TABLE channels_message DROP COLUMN held_since;
ALTER TABLE channels_message DROP COLUMN tags;
"""

COLUMNS = [
    migrations.AddField("message", "tags", models.TextField(default="")),
    migrations.AddField("message", "held_since", models.DateTimeField(null=True)),
]


class Migration(migrations.Migration):
    dependencies = [("channels", "0014_hit_spool")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD, state_operations=COLUMNS),
        migrations.AddField(
            "template",
            "tags",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Separated by commas, such as promotion,summer. The charter can limit messages by tag.",
                max_length=300,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[a-z0-9-]+(,[a-z0-9-]+)*$", "Small letters, digits and hyphens only."
                    )
                ],
                verbose_name="tags",
            ),
        ),
    ]
