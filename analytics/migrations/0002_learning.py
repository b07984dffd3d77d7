"""How far learning about everybody has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Learning",
            fields=[
                (
                    "name",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="what"),
                ),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("after_contact", models.BigIntegerField(default=0)),
                ("seen", models.IntegerField(default=0, verbose_name="people seen")),
                ("written", models.IntegerField(default=0, verbose_name="predictions")),
                ("sums", models.JSONField(default=dict)),
                ("collecting", models.JSONField(default=dict)),
            ],
            options={"verbose_name": "learning", "verbose_name_plural": "learning"},
        ),
    ]
