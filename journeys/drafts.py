"""The draft of a journey, saved as often as it changes, without one editor undoing what another did."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction

from journeys.models import Journey


class ConflictError(Exception):
    """The draft is not the one that was changed: somebody else saved another in the meantime."""


def revision(draft: Any) -> str:
    """A name for this very draft. It follows from the content, so every way of writing a draft changes it."""
    written = json.dumps(draft, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def save(journey: Journey, draft: dict[str, Any], *, based_on: str) -> str:
    """Keep ``draft``, made from the revision ``based_on``; returns its own. Raises ConflictError."""
    with transaction.atomic():
        locked = Journey.objects.select_for_update().only("draft").get(pk=journey.pk)
        if revision(locked.draft) != based_on:
            raise ConflictError
        journey.draft = draft
        journey.save(update_fields=["draft", "updated_at"])
    return revision(draft)
