from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built beside the traffic: the table is written to by every event.
    atomic = False

    dependencies = [
        ("contacts", "0014_tracking_plan"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(fields=["updated_at", "id"], name="contact_changed"),
        ),
    ]
