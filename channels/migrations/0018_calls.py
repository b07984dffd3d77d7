"""Calls that agents are asked to make."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0017_audience_rules"),
        ("contacts", "0021_source_site"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            "CallTask",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slot", models.SmallIntegerField()),
                ("account_id", models.IntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "to be called"), ("done", "done"), ("withdrawn", "withdrawn")],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("due_at", models.DateTimeField(verbose_name="call from")),
                ("created_at", models.DateTimeField(verbose_name="asked for")),
                ("held_until", models.DateTimeField(null=True)),
                ("tries", models.SmallIntegerField(default=0, verbose_name="tries")),
                ("outcome", models.CharField(blank=True, default="", max_length=60, verbose_name="outcome")),
                ("note", models.TextField(blank=True, default="", verbose_name="note")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="agent",
                    ),
                ),
                (
                    "audience",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calls",
                        to="channels.audience",
                        verbose_name="list",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calls",
                        to="contacts.contact",
                        verbose_name="contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "call",
                "verbose_name_plural": "calls",
                "indexes": [
                    models.Index(condition=models.Q(("state", "open")), fields=["due_at"], name="call_due")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("audience", "contact"),
                        name="call_open_once",
                    )
                ],
            },
        ),
    ]
