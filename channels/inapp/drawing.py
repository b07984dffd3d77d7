"""In-app messages as browsers and programs read them: plain values, no markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels.models import InAppMessage


def draw(rows: Sequence[InAppMessage]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(row.key),
            "title": row.title,
            "text": row.text,
            "link": row.link,
            "button": row.button,
            "image": row.image,
            "place": row.place,
            "sent_at": row.created_at,
            "ends_at": row.ends_at,
            "survey": row.survey or None,
            "read": row.read_at is not None,
        }
        for row in rows
    ]
