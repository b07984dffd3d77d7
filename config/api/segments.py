"""One segment, which may be deleted while nothing in use asks about it."""

from __future__ import annotations

from typing import Any

from config import segment_uses
from contacts.api.endpoint import Call, operation
from contacts.api.errors import Refused
from contacts.api.segments import SegmentDetail, SegmentShape, draw_segments, segment_of

_NAMED = 5


class SegmentWithUses(SegmentDetail):
    scopes = {**SegmentDetail.scopes, "DELETE": "segments:write"}

    @operation("delete_segment", "Delete a segment", answer=SegmentShape)
    def delete(self, call: Call, slug: str) -> Any:
        """Refused while a journey that runs or another segment asks about it. Answered with what it was."""
        segment = segment_of(slug, locked=True)
        if holders := segment_uses.holding(segment):
            named = ", ".join(holders[:_NAMED]) + ("…" if len(holders) > _NAMED else "")
            raise Refused(409, "in_use", f"It is asked about by {named}.")
        was = draw_segments([segment])[0]
        call.audit(segment, "deleted the segment")
        segment.delete()
        return was
