from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("journeys", "0003_leaner_run_indexes_and_publishing")]

    operations = [
        migrations.AlterModelOptions(
            name="journey",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("publish_journey", "Can publish, pause, resume and stop journeys"),
                    ("enter_journey", "Can put single contacts into a live journey"),
                ],
                "verbose_name": "journey",
                "verbose_name_plural": "journeys",
            },
        )
    ]
