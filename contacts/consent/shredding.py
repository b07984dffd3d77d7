"""Taking the personal parts of proof away, for erasures. The chain holds: see ``contacts.consent.chain``."""

from __future__ import annotations

from collections.abc import Collection

from contacts import statements
from contacts.models import ConsentRequest


def shred(contact_ids: Collection[int]) -> int:
    """Empty the proof of every line of these contacts and cut it loose from them; returns how many lines.

    What stays is a number, what was asked, the answer, when, and under which wording: enough to show that
    there was a consent, too little to tell whose. Open requests go altogether. Repeating does no harm.
    """
    ConsentRequest.objects.filter(contact_id__in=list(contact_ids)).delete()
    return statements.run(
        "UPDATE contacts_consententry SET contact_id = 0, slot = 0, proof = '{}', salt = NULL"
        " WHERE contact_id = ANY(%b::int8[]) AND contact_id > 0",
        [list(contact_ids)],
    )
