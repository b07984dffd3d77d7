"""Messages, decisions, attempts and receipts: partitioned by month."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE SEQUENCE channels_message_id_seq;
CREATE TABLE channels_message (
    id bigint NOT NULL DEFAULT nextval('channels_message_id_seq'),
    created_at timestamptz NOT NULL,
    contact_id bigint NOT NULL,
    key uuid NOT NULL,
    slot smallint NOT NULL,
    state smallint NOT NULL DEFAULT 1,
    priority smallint NOT NULL DEFAULT 50,
    attempts smallint NOT NULL DEFAULT 0,
    due_at timestamptz,
    deadline_at timestamptz,
    lease_until timestamptz,
    accepted_at timestamptz,
    delivered_at timestamptz,
    opened_at timestamptz,
    clicked_at timestamptz,
    bounced_at timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    origin_run bigint,
    value double precision NOT NULL DEFAULT 0,
    origin_id integer,
    origin_version integer,
    provider_id integer,
    transactional boolean NOT NULL DEFAULT false,
    origin_kind text NOT NULL DEFAULT 'journey',
    origin_step text NOT NULL DEFAULT '',
    purpose text NOT NULL DEFAULT '',
    on_hold text NOT NULL DEFAULT 'wait',
    channel text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '',
    provider_message_id text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    wanted jsonb NOT NULL DEFAULT '[]',
    content jsonb NOT NULL DEFAULT '{}',
    variables jsonb NOT NULL DEFAULT '{}',
    conditions jsonb,
    PRIMARY KEY (id, created_at),
    -- A message that somebody must still look at has a time to do so; a finished one has none.
    CONSTRAINT message_due CHECK ((state IN (1, 2, 3, 4, 5)) = (due_at IS NOT NULL))
) PARTITION BY RANGE (created_at);
ALTER SEQUENCE channels_message_id_seq OWNED BY channels_message.id;
CREATE TABLE channels_message_default PARTITION OF channels_message DEFAULT;
CREATE INDEX channels_message_decide ON channels_message (slot, due_at) WHERE state IN (1, 2);
CREATE INDEX channels_message_deliver ON channels_message (slot, due_at) WHERE state = 3;
CREATE INDEX channels_message_leased ON channels_message (lease_until) WHERE state IN (4, 5);
CREATE INDEX channels_message_contact ON channels_message (contact_id, created_at);
CREATE INDEX channels_message_sent ON channels_message (contact_id, accepted_at) WHERE accepted_at IS NOT NULL;
CREATE INDEX channels_message_origin ON channels_message (origin_id, origin_step, state);
CREATE INDEX channels_message_provider_id ON channels_message (provider_message_id) WHERE provider_message_id <> '';

CREATE SEQUENCE channels_decision_id_seq;
CREATE TABLE channels_decision (
    id bigint NOT NULL DEFAULT nextval('channels_decision_id_seq'),
    decided_at timestamptz NOT NULL,
    contact_id bigint NOT NULL,
    message_id bigint NOT NULL,
    message_created_at timestamptz NOT NULL,
    until timestamptz,
    charter_number integer,
    slot smallint NOT NULL,
    outcome smallint NOT NULL,
    channel text NOT NULL DEFAULT '',
    reason text NOT NULL,
    trace jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (id, decided_at)
) PARTITION BY RANGE (decided_at);
ALTER SEQUENCE channels_decision_id_seq OWNED BY channels_decision.id;
CREATE TABLE channels_decision_default PARTITION OF channels_decision DEFAULT;
CREATE INDEX channels_decision_contact ON channels_decision (contact_id, decided_at);
CREATE INDEX channels_decision_message ON channels_decision (message_id);

CREATE SEQUENCE channels_attempt_id_seq;
CREATE TABLE channels_attempt (
    id bigint NOT NULL DEFAULT nextval('channels_attempt_id_seq'),
    started_at timestamptz NOT NULL,
    message_id bigint NOT NULL,
    message_created_at timestamptz NOT NULL,
    finished_at timestamptz,
    provider_id integer NOT NULL,
    slot smallint NOT NULL,
    number smallint NOT NULL,
    outcome text NOT NULL,
    code text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (id, started_at)
) PARTITION BY RANGE (started_at);
ALTER SEQUENCE channels_attempt_id_seq OWNED BY channels_attempt.id;
CREATE TABLE channels_attempt_default PARTITION OF channels_attempt DEFAULT;
CREATE INDEX channels_attempt_message ON channels_attempt (message_id);

CREATE SEQUENCE channels_receipt_id_seq;
CREATE TABLE channels_receipt (
    id bigint NOT NULL DEFAULT nextval('channels_receipt_id_seq'),
    received_at timestamptz NOT NULL,
    contact_id bigint NOT NULL,
    message_id bigint NOT NULL,
    message_created_at timestamptz NOT NULL,
    provider_id integer,
    link_id integer,
    slot smallint NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
ALTER SEQUENCE channels_receipt_id_seq OWNED BY channels_receipt.id;
CREATE TABLE channels_receipt_default PARTITION OF channels_receipt DEFAULT;
CREATE INDEX channels_receipt_message ON channels_receipt (message_id);
CREATE INDEX channels_receipt_contact ON channels_receipt (contact_id, received_at);
"""

BACKWARD = """
DROP TABLE channels_message;
DROP TABLE channels_decision;
DROP TABLE channels_attempt;
DROP TABLE channels_receipt;
"""


# Made by hand above, looked after by Django from here on.
MANAGED = [
    migrations.AlterModelOptions("attempt", {"verbose_name": "attempt", "verbose_name_plural": "attempts"}),
    migrations.AlterModelOptions(
        "decision", {"verbose_name": "decision", "verbose_name_plural": "decisions"}
    ),
    migrations.AlterModelOptions("message", {"verbose_name": "message", "verbose_name_plural": "messages"}),
    migrations.AlterModelOptions("receipt", {"verbose_name": "receipt", "verbose_name_plural": "receipts"}),
    *(
        migrations.AddField(
            name,
            "contact",
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name=f"{name}s",
                to="contacts.contact",
            ),
        )
        for name in ("decision", "message")
    ),
]


class Migration(migrations.Migration):
    dependencies = [("channels", "0001_initial"), ("contacts", "0002_event_log")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD, state_operations=MANAGED)]
