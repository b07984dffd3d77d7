"""Store a segment as somebody wrote it, whichever door it came by."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction

from contacts.models import Segment, SegmentVersion
from contacts.segmentation import versions

# Size and dates belong to the pulse, which may be at work on this very row.
_WRITTEN = ["name", "slug", "kind", "description", "tags", "rule", "active", "stale", "updated_at"]


def save(
    segment: Segment, now: datetime, by: AbstractBaseUser | AnonymousUser | None, *, note: str = ""
) -> SegmentVersion | None:
    """Store ``segment``, new or changed, and keep its rule as a version if it is another one.

    Its members follow with the next pulse. Checking the rule is the caller's part.
    """
    with transaction.atomic():
        before = Segment.objects.filter(pk=segment.pk).values("rule", "active", "kind").first()
        now_says = {"rule": segment.rule, "active": segment.active, "kind": segment.kind}
        if before != now_says:
            segment.stale = True
        segment.save(update_fields=_WRITTEN) if before else segment.save()
        return versions.keep(segment, now, by, note=note, before=before["rule"] if before else None)
