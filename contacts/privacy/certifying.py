"""The certificate of an erasure, as words. It names tables and counts, and nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from contacts.models import PrivacyRequest
from contacts.privacy.erasing import digest
from contacts.privacy.inventory import inventory
from contacts.privacy.inventory_kinds import ACT_WORDS, Act


def stated(request: PrivacyRequest) -> dict[str, Any]:
    """What the certificate says, and whether it is still what was written."""
    found = dict(request.certificate or {})
    titles = {table.name: table.title for table in inventory().people}
    return {
        "reference": found.get("reference", ""),
        "asked": datetime.fromisoformat(found["asked"]),
        "erased": datetime.fromisoformat(found["erased"]),
        "tables": [
            (
                titles.get(one["table"], one["table"]),
                one["table"],
                one["rows"],
                ACT_WORDS[Act(one["act"])],
                one["why"],
            )
            for one in found.get("tables", [])
        ],
        "rows": sum(one["rows"] for one in found.get("tables", [])),
        "tombstones": found.get("tombstones", 0),
        "withdrawn": sum(found.get("places", {}).values()),
        "left": sum(found["left"].values()) if "left" in found else None,
        "inventory": found.get("inventory", ""),
        "sha256": found.get("sha256", ""),
        "unaltered": found.get("sha256") == digest(found),
    }


def text(request: PrivacyRequest) -> str:
    """The same as plain text, to send or to file."""
    said = stated(request)
    lines = [
        gettext("Certificate of erasure"),
        "",
        f"{gettext('Reference')}: {said['reference']}",
        f"{gettext('Asked')}: {said['asked']:%Y-%m-%d %H:%M} UTC",
        f"{gettext('Erased')}: {said['erased']:%Y-%m-%d %H:%M} UTC",
        "",
    ]
    lines += [f"{rows:>9}  {act:<16}  {table}" for _title, table, rows, act, _why in said["tables"]]
    lines += [
        "",
        gettext("Marks that keep the person from coming back: %d") % said["tombstones"],
        gettext("Files of exports withdrawn: %d") % said["withdrawn"],
        f"{gettext('Inventory')}: {said['inventory']}",
        f"SHA-256: {said['sha256']}",
    ]
    return "\n".join(lines) + "\n"
