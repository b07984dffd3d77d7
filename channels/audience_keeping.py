"""Who is wanted in an audience, from its own rules: segment, consent, and the event that ends it.

A statement for each rule and audience, whatever the number of people. The sync then closes the gap.
"""

from __future__ import annotations

from datetime import datetime

import psycopg
from django.db import connection

from channels.models import Audience

SEGMENT, CONSENT, EVENT = "segment", "consent", "event"


def keep(audience: Audience, now: datetime) -> int:
    """Bring the wishes in line with the audience's rules; returns how many changed."""
    connection.ensure_connection()
    changed = 0
    with psycopg.Cursor(connection.connection) as cursor:
        for statement, wanted in (
            (_ENDED, bool(audience.leave_on)),
            (_LEFT, audience.segment_id is not None),
            (_WITHDREW, audience.purpose_id is not None),
            (_CAME, audience.segment_id is not None),
        ):
            if wanted:
                cursor.execute(statement, _values(audience, now))
                changed += cursor.rowcount
    return changed


def _values(audience: Audience, now: datetime) -> dict[str, object]:
    return {
        "audience": audience.pk,
        "segment": audience.segment_id,
        "purpose": audience.purpose.slug if audience.purpose else None,
        "event": audience.leave_on,
        "now": now,
    }


_AGREED = """EXISTS (
    SELECT 1 FROM contacts_consentstate k
    WHERE k.contact_id = {0}.contact_id AND k.slot = {0}.slot AND k.purpose = %(purpose)b::text AND k.allowed
)"""
_OUT = """
UPDATE channels_audiencemember m SET state = 'removing', reason = '{reason}',
changed_at = %(now)b::timestamptz
WHERE m.audience_id = %(audience)b::int8 AND m.state IN ('adding', 'in') AND {rule}
"""

_ENDED = _OUT.format(
    reason=EVENT,
    rule="""EXISTS (
    SELECT 1 FROM contacts_event e
    WHERE e.contact_id = m.contact_id AND e.name = %(event)b::text AND e.occurred_at >= m.changed_at
)""",
)
_LEFT = _OUT.format(
    reason=SEGMENT,
    rule="""m.reason = 'segment' AND NOT EXISTS (
    SELECT 1 FROM contacts_segmentmembership s
    WHERE s.segment_id = %(segment)b::int8 AND s.contact_id = m.contact_id AND s.slot = m.slot
)""",
)
_WITHDREW = _OUT.format(reason=CONSENT, rule="NOT " + _AGREED.format("m"))

# Whoever left by the ending event comes back with the next entry into the segment only.
_CAME = f"""
INSERT INTO channels_audiencemember AS m (audience_id, contact_id, slot, state, reason, changed_at)
SELECT %(audience)b::int8, s.contact_id, s.slot, 'adding', 'segment', %(now)b::timestamptz
FROM contacts_segmentmembership s
WHERE s.segment_id = %(segment)b::int8 AND (%(purpose)b::text IS NULL OR {_AGREED.format("s")})
  AND NOT EXISTS (
    SELECT 1 FROM channels_audiencemember o
    WHERE o.audience_id = %(audience)b::int8 AND o.contact_id = s.contact_id
      AND (o.state IN ('adding', 'in') OR o.reason = 'event' AND o.changed_at >= s.entered_at)
  )
ON CONFLICT (audience_id, contact_id) DO UPDATE
SET state = excluded.state, reason = excluded.reason, changed_at = excluded.changed_at
"""  # noqa: S608
