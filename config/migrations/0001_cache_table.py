"""The table of the shared cache, in the form that Django's DatabaseCache wants. Losing it does no harm."""

from django.db import migrations

FORWARD = """
CREATE UNLOGGED TABLE config_cache (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX config_cache_expires ON config_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies: list[tuple[str, str]] = []

    operations = [migrations.RunSQL(FORWARD, "DROP TABLE config_cache")]
