"""New lines of the ledger need their place in the chain; older ones may still follow merges and erasures.

A check constraint, even one that is not validated, would refuse every change of a row without one.
"""

from __future__ import annotations

from django.db import migrations

FORWARD = """
ALTER TABLE contacts_consententry DROP CONSTRAINT IF EXISTS consent_chained;
CREATE FUNCTION contacts_consent_chained() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    RAISE EXCEPTION 'consent_chained: a line needs its place in the chain' USING ERRCODE = 'check_violation';
END
$guard$;
CREATE TRIGGER consent_chained BEFORE INSERT ON contacts_consententry FOR EACH ROW
    WHEN (NEW.chain IS NULL OR NEW.seq IS NULL OR NEW.personal IS NULL OR NEW.previous IS NULL
          OR NEW.digest IS NULL)
    EXECUTE FUNCTION contacts_consent_chained();
"""
BACKWARD = """
DROP TRIGGER consent_chained ON contacts_consententry;
DROP FUNCTION contacts_consent_chained();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0018_find_imported_contacts")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
