"""Indexes of the chained ledger, made beside the running system."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_ONCE = "CREATE UNIQUE INDEX CONCURRENTLY consent_chain ON contacts_consententry (chain, seq)"
_KEPT = "ALTER TABLE contacts_consententry ADD CONSTRAINT consent_chain UNIQUE USING INDEX consent_chain"
_CONSTRAINT = migrations.AddConstraint(
    model_name="consententry",
    constraint=models.UniqueConstraint(fields=("chain", "seq"), name="consent_chain"),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("contacts", "0012_consent_chain")]

    operations = [
        AddIndexConcurrently(
            model_name="consententry",
            index=models.Index(fields=["anchor", "id"], name="consent_anchor"),
        ),
        AddIndexConcurrently(
            model_name="consententry",
            index=models.Index(fields=["recorded_at"], name="consent_recorded"),
        ),
        AddIndexConcurrently(
            model_name="consententry",
            index=models.Index(
                condition=models.Q(("wording", ""), _negated=True), fields=["wording"], name="consent_wording"
            ),
        ),
        AddIndexConcurrently(
            model_name="consentstate",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)), fields=["expires_at"], name="consent_ends"
            ),
        ),
        AddIndexConcurrently(
            model_name="consentstate",
            index=models.Index(
                condition=models.Q(("settled", False)), fields=["slot"], name="consent_unsettled"
            ),
        ),
        migrations.RunSQL(
            [
                _ONCE,
                _KEPT,
            ],
            "ALTER TABLE contacts_consententry DROP CONSTRAINT consent_chain",
            state_operations=[_CONSTRAINT],
        ),
    ]
