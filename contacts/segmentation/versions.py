"""The rules that a segment had, one after the other, so that a change can be looked at and taken back."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from contacts.models import Segment, SegmentVersion

_Person = AbstractBaseUser | AnonymousUser | None


def keep(
    segment: Segment, now: datetime, by: _Person, *, note: str = "", before: object = None
) -> SegmentVersion | None:
    """Write the segment's rule down as its next version; None where the latest already says the same.

    ``before`` is the rule that it had until now: a segment older than versions gets that as its first.
    """
    if segment.kind != Segment.Kind.DYNAMIC:
        return None
    latest = segment.versions.order_by("-number").first()
    if latest is None and before is not None and before != segment.rule:
        latest = segment.versions.create(number=1, rule=before, saved_at=segment.created_at)
    if latest is not None and latest.rule == segment.rule:
        return None
    number = latest.number + 1 if latest else 1
    user = by if isinstance(by, User) else None
    return segment.versions.create(
        number=number, rule=segment.rule, note=note[:200], saved_at=now, saved_by=user
    )


def restore(segment: Segment, version: SegmentVersion, now: datetime, by: _Person, note: str) -> None:
    """Give the segment the rule of an older version, as a new one."""
    before = segment.rule
    segment.rule, segment.stale = version.rule, True
    segment.save(update_fields=["rule", "stale", "updated_at"])
    keep(segment, now, by, note=note, before=before)
