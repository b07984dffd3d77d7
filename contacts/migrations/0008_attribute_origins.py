from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0007_segment_history")]

    operations = [
        # With a constant default of the database: no row is rewritten.
        migrations.AddField(
            model_name="contact",
            name="origins",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, editable=False, verbose_name="origins"
            ),
        ),
        migrations.AlterModelOptions(
            name="contact",
            options={
                "permissions": [
                    ("edit_contact", "Can edit attributes of contacts"),
                    ("merge_contact", "Can merge contacts by hand and undo it"),
                    ("export_contact", "Can take contacts along as a file"),
                    ("test_contact", "Can send a test event for a contact"),
                ],
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
            },
        ),
    ]
