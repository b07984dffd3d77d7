"""The step log: partitioned by month."""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE SEQUENCE journeys_stepentry_id_seq;
CREATE TABLE journeys_stepentry (
    id bigint NOT NULL DEFAULT nextval('journeys_stepentry_id_seq'),
    at timestamptz NOT NULL,
    contact_id bigint NOT NULL,
    run_id bigint NOT NULL,
    journey_id integer NOT NULL,
    version_id integer NOT NULL,
    visit integer NOT NULL,
    slot smallint NOT NULL,
    step text NOT NULL,
    outcome text NOT NULL,
    detail jsonb
) PARTITION BY RANGE (at);
ALTER SEQUENCE journeys_stepentry_id_seq OWNED BY journeys_stepentry.id;
CREATE TABLE journeys_stepentry_default PARTITION OF journeys_stepentry DEFAULT;
-- One step a visit: a step that is taken twice at the same instant cannot be written.
CREATE UNIQUE INDEX journeys_stepentry_visit ON journeys_stepentry (run_id, visit, at);
CREATE INDEX journeys_stepentry_contact ON journeys_stepentry (contact_id, at);
CREATE INDEX journeys_stepentry_version ON journeys_stepentry (version_id, step, at);
"""


# Made by hand above, looked after by Django from here on.
MANAGED = [
    migrations.AlterModelOptions(
        "stepentry", {"verbose_name": "step taken", "verbose_name_plural": "steps taken"}
    ),
]


class Migration(migrations.Migration):
    dependencies = [("journeys", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, "DROP TABLE journeys_stepentry", state_operations=MANAGED)]
