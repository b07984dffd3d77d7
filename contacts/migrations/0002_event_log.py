"""The event log: partitioned by month of occurrence, read in commit order by (lane, xid, id)."""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE SEQUENCE contacts_event_id_seq;
CREATE TABLE contacts_event (
    id bigint NOT NULL DEFAULT nextval('contacts_event_id_seq'),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    contact_id bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    source_id integer,
    lane smallint NOT NULL,
    slot smallint NOT NULL,
    kind smallint NOT NULL,
    name text NOT NULL,
    message_id text,
    properties jsonb NOT NULL DEFAULT '{}',
    context jsonb
) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE contacts_event_id_seq OWNED BY contacts_event.id;
CREATE TABLE contacts_event_default PARTITION OF contacts_event DEFAULT;
CREATE INDEX contacts_event_lane ON contacts_event (lane, xid, id);
CREATE INDEX contacts_event_contact ON contacts_event (contact_id, name, occurred_at);
CREATE INDEX contacts_event_name ON contacts_event (name, occurred_at, contact_id);
"""


# Made by hand above, looked after by Django from here on.
MANAGED = [
    migrations.AlterModelOptions("event", {"verbose_name": "event", "verbose_name_plural": "events"}),
]


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, "DROP TABLE contacts_event", state_operations=MANAGED)]
