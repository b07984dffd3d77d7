"""Audiences follow rules: a purpose, a segment, and the event that ends it."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("channels", "0016_charter_request"), ("contacts", "0021_source_site")]

    operations = [
        migrations.AddField(
            "audience",
            "remote_id",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What Meta or Google call the list. Files and plain HTTP use the slug.",
                max_length=120,
                verbose_name="id at the destination",
            ),
        ),
        migrations.AddField(
            "audience",
            "purpose",
            models.ForeignKey(
                blank=True,
                help_text="Only people who agreed to it are in the list; who withdraws leaves it. Empty: nobody is asked.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="contacts.purpose",
                verbose_name="purpose",
            ),
        ),
        migrations.AddField(
            "audience",
            "segment",
            models.ForeignKey(
                blank=True,
                help_text="Its people are put in, and taken out when they leave it. Journeys may add others.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="contacts.segment",
                verbose_name="segment",
            ),
        ),
        migrations.AddField(
            "audience",
            "leave_on",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Name of the event that ends it, such as Order Completed: no more ads for what was bought.",
                max_length=120,
                verbose_name="leave after",
            ),
        ),
        migrations.AddField(
            "audience",
            "trouble",
            models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=300, verbose_name="trouble"
            ),
        ),
        migrations.AddField(
            "audiencedeparture",
            "digits_sha256",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
