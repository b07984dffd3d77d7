"""Walking through the whole ledger, and naming the first line that is not as it was written.

The walk goes along the chains in portions and keeps its place, so that a pulse can take minutes of an hour.
What it looks for: a line whose content no longer fits its digest, a gap in a chain, a line that points to
another predecessor, a line that was given to another contact without a merge, a state whose line is gone,
and anchors that do not fit their lines or each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from contacts import statements
from contacts.consent import anchoring, chain
from contacts.consent.chain import Line
from contacts.models import ConsentAnchor, ConsentCheck

_PORTION = 20_000
_MOST_FAULTS = 50
_DAILY = timedelta(days=1)
Fault = dict[str, Any]


def walk(now: datetime, *, portion: int = _PORTION) -> ConsentCheck:
    """Check the next portion of the walk that is under way, or begin a new one; returns how far it is."""
    with transaction.atomic():
        check = ConsentCheck.objects.select_for_update().filter(finished_at__isnull=True).first()
        if check is None:
            check = ConsentCheck.objects.create(started_at=now)
        lines = statements.rows(_PART, [check.chain, check.seq, portion])
        faults = list(_along(check, lines))
        check.lines += len(lines)
        if len(lines) < portion:
            faults += _misplaced() + _forgotten() + list(_anchors(check))
            check.older = statements.rows(
                "SELECT count(*) FROM contacts_consententry WHERE chain IS NULL", []
            )[0][0]
            check.finished_at = now
        check.faults = (check.faults + faults)[:_MOST_FAULTS]
        check.save()
    return check


def verify(now: datetime) -> ConsentCheck:
    """The whole walk at once, from the beginning."""
    ConsentCheck.objects.filter(finished_at__isnull=True).delete()
    while True:
        check = walk(now)
        if check.finished_at:
            return check


def go_on(now: datetime) -> int:
    """A step of the daily walk; returns 0 when nothing is left to walk today, or when it has ended."""
    done = latest()
    begun = ConsentCheck.objects.filter(finished_at__isnull=True).exists()
    if not begun and done is not None and done.started_at > now - _DAILY:
        return 0
    return 0 if walk(now).finished_at else 1


def latest() -> ConsentCheck | None:
    """The last walk that came to its end."""
    return ConsentCheck.objects.filter(finished_at__isnull=False).order_by("-id").first()


def _along(check: ConsentCheck, lines: list[Any]) -> Iterator[Fault]:
    """Follow the chains through one portion; the check remembers the last line."""
    for line_id, number, seq, *values in lines:
        *fields, proof, salt, personal, previous, digest = values
        if number != check.chain:
            check.chain, check.seq, check.digest = number, 0, chain.GENESIS
        where = {"entry": line_id, "chain": number, "seq": seq}
        line = Line(line_id, number, seq, *fields)
        if seq != check.seq + 1:
            yield {**where, "fault": "missing", "from": check.seq + 1}
        elif bytes(previous) != bytes(check.digest):
            yield {**where, "fault": "unlinked"}
        if chain.digest(line, bytes(personal), bytes(previous)) != bytes(digest):
            yield {**where, "fault": "changed"}
        elif not _proven(json.loads(proof), salt, bytes(personal)):
            yield {**where, "fault": "proof"}
        check.seq, check.digest = seq, bytes(digest)


def _proven(proof: dict[str, Any], salt: bytes | None, personal: bytes) -> bool:
    """Whether the proof is the one that was written, or was shredded whole."""
    return not proof if salt is None else chain.personal(bytes(salt), proof) == personal


def _misplaced() -> list[Fault]:
    """Lines that belong to another contact than the one who spoke, though no merge says so.

    Those of erased people belong to nobody.
    """
    return [
        {"entry": entry, "chain": number, "seq": seq, "fault": "moved"}
        for entry, number, seq in statements.rows(_MISPLACED, [_MOST_FAULTS])
    ]


def _forgotten() -> list[Fault]:
    """States that rest on a line which is not there."""
    return [
        {"entry": entry, "chain": contact, "seq": None, "fault": "gone"}
        for entry, contact in statements.rows(_FORGOTTEN, [_MOST_FAULTS])
    ]


def _anchors(check: ConsentCheck) -> Iterator[Fault]:
    found = {number: (lines, bytes(root)) for number, lines, root in statements.rows(_ROOTS, [])}
    previous, expected = chain.GENESIS, 1
    for one in ConsentAnchor.objects.order_by("number"):
        where = {"anchor": one.number}
        root = bytes(one.root)
        digest = chain.anchor(one.number, one.made_at, one.lines, root, bytes(one.previous))
        lines, actual = found.pop(one.number, (0, b""))
        if one.number != expected or bytes(one.previous) != previous or digest != bytes(one.digest):
            yield {**where, "fault": "anchor"}
        elif (lines, actual) != (one.lines, root):
            yield {**where, "fault": "lines", "lines": lines, "expected": one.lines}
        elif not anchoring.signed(one):
            yield {**where, "fault": "signature"}
        previous, expected = bytes(one.digest), one.number + 1
        check.anchors += 1
    for number in sorted(found):
        yield {"anchor": number, "fault": "anchor"}


_PART = """
SELECT id, chain, seq, channel, purpose, action, basis, wording, origin, occurred_at, recorded_at, expires_at,
       proof::text, salt, personal, previous, digest
FROM contacts_consententry WHERE (chain, seq) > (%b::int8, %b::int4)
ORDER BY chain, seq LIMIT %b
"""

_MISPLACED = """
SELECT e.id, e.chain, e.seq FROM contacts_consententry e
WHERE e.chain <> e.contact_id AND NOT (e.contact_id = 0 AND e.salt IS NULL) AND NOT EXISTS (
    SELECT FROM contacts_merge m WHERE m.loser_id = e.chain AND m.undone_at IS NULL
)
ORDER BY e.id LIMIT %b
"""

_FORGOTTEN = """
SELECT s.entry_id, s.contact_id FROM contacts_consentstate s
WHERE s.entry_id > 0 AND NOT EXISTS (SELECT FROM contacts_consententry e WHERE e.id = s.entry_id)
ORDER BY s.entry_id LIMIT %b
"""

_ROOTS = """
SELECT anchor, count(*), sha256(string_agg(digest, ''::bytea ORDER BY id))
FROM contacts_consententry WHERE anchor IS NOT NULL AND digest IS NOT NULL GROUP BY anchor
"""
