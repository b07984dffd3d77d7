"""What contacts promises: what was accepted is taken in, consent is as people said, the gone stay gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contacts import partitions
from contacts.auditing.promise import Asked, Found, Passing, Promise, Standing
from contacts.consent import verifying
from contacts.models import PrivacyRequest
from contacts.privacy import people
from contacts.privacy.canaries import named_again
from contacts.privacy.inventory import inventory
from contacts.privacy.inventory_kinds import Act
from contacts.privacy.people import People

_LEAST_FREE = 512 * 2**20
_LEAST_SHARE = 0.03
_NEW_ERASURES = 20
_SEARCHED = timedelta(days=30)
"What an erasure found by name stays a violation so long, unless somebody takes it for dealt with."


def _ledger(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """What the last walk through the consent ledger found that is not as it was written."""
    check = verifying.latest()
    finished = check.finished_at if check else None
    for fault in check.faults if check else []:
        where = {name: value for name, value in fault.items() if isinstance(value, int | str)}
        yield Found("-".join(str(value) for value in where.values())[:120], finished, where)


def _leftovers(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Rows of people whose erasure is done, while their numbers are still known: until the sweep is over.

    And what erasures themselves found when they searched once more by all names.
    """
    searched = PrivacyRequest.objects.filter(
        kind=PrivacyRequest.Kind.ERASURE, settled_at__gt=now - _SEARCHED, certificate__has_key="left"
    )
    for one in searched.exclude(certificate__left={}).order_by("-settled_at")[:_NEW_ERASURES]:
        for place, rows in (one.certificate or {})["left"].items():
            about = {"request": str(one.reference), "table": place, "rows": rows}
            yield Found(f"{one.reference}-{place}-by name"[:120], one.settled_at, about)
    done = PrivacyRequest.objects.filter(
        kind=PrivacyRequest.Kind.ERASURE, state=PrivacyRequest.State.DONE, until__gt=now
    )
    # The sweep comes every ten seconds; it is given a minute.
    for one in done.filter(settled_at__lt=now - timedelta(minutes=1)).order_by("-settled_at")[:_NEW_ERASURES]:
        gone = People(tuple((one.certificate or {}).get("contacts", ())), (), ())
        for table in inventory().people:
            if table.act is not Act.KEEP and table.swept and (rows := people.left(table, gone, now)):
                about = {"request": str(one.reference), "table": table.name, "rows": rows}
                yield Found(f"{one.reference}-{table.name}", one.settled_at, about)


def _missing_months(now: datetime, after: int, upto: int) -> Iterator[Found]:
    for name in partitions.missing(now + timedelta(days=3)):
        yield Found(name, None, {"partition": name})


def _full_disks(now: datetime, after: int, upto: int) -> Iterator[Found]:
    for folder in {settings.SEGUE_HOME, settings.SEGUE_EXCHANGE}:
        place = next(one for one in (folder, *folder.parents) if one.exists())
        room = shutil.disk_usage(place)
        if room.free < min(_LEAST_FREE, room.total * _LEAST_SHARE):
            yield Found(str(place)[-120:], None, {"free_megabytes": room.free // 2**20})


def _overdue(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Requests of people that the law wants met by a day that has passed."""
    late = PrivacyRequest.objects.filter(due_at__lt=now).filter(
        Q(state=PrivacyRequest.State.ASKED) | Q(state__in=["waiting", "running"])
    )
    for one in late.order_by("due_at")[:100]:
        yield Found(str(one.reference), one.due_at, {"request": str(one.reference)})


PROMISES: tuple[Promise, ...] = (
    Promise(
        "inbox_moves",
        _("Every accepted event is taken in within two minutes."),
        _("Events are safe in the inbox, but contacts, segments and journeys do not know of them yet."),
        _(
            "Look whether workers run (Pulses, and the log of the worker). A single bad event does not stop"
            " the others: it becomes a dead letter."
        ),
        Standing(
            "SELECT 'inbox', received_at, jsonb_build_object('item', id)"
            " FROM (SELECT id, received_at FROM contacts_inboxitem ORDER BY id LIMIT 1) AS first"
            " WHERE received_at < %(now)b - interval '2 minutes' AND %(most)b > 0"
        ),
    ),
    Promise(
        "readers_follow",
        _("Everybody who reads the event log is at most two minutes behind."),
        _("A segment, a trigger or a figure does not know of the latest events."),
        _("See the log of the worker for the reader that is named: it stands before an event it fails at."),
        Standing(
            """
SELECT c.reader, min(e.received_at), jsonb_build_object('reader', c.reader, 'lanes', count(*))
FROM contacts_cursor c CROSS JOIN LATERAL (
    SELECT e.received_at FROM contacts_event e
    WHERE e.lane = c.lane AND (e.xid, e.id) > (c.xid::text::xid8, c.event_id)
    ORDER BY e.xid, e.id LIMIT 1
) AS e
WHERE e.received_at < %(now)b - interval '2 minutes'
GROUP BY c.reader LIMIT %(most)b
"""
        ),
    ),
    Promise(
        "event_once",
        _("An event counts once, however often it was sent."),
        _("Two rows of the log have the same source and message id: totals and journeys count it twice."),
        _("Keep the two rows for the search of the cause; take one out of the figures by hand."),
        Passing(
            "contacts_event",
            "received_at",
            """
SELECT DISTINCT ON (1) a.source_id || ':' || md5(a.message_id), a.received_at,
       jsonb_build_object('event', a.id, 'the_other', b.id), a.xid::text::int8
FROM generate_series(0, 63) AS l(lane) JOIN contacts_event a ON a.lane = l.lane
 AND a.xid > %(after)b::text::xid8 AND a.xid <= %(upto)b::text::xid8
JOIN contacts_event b ON b.contact_id = a.contact_id AND b.name = a.name AND b.id <> a.id
 AND b.occurred_at BETWEEN a.occurred_at - interval '1 day' AND a.occurred_at + interval '1 day'
 AND b.source_id = a.source_id AND b.message_id = a.message_id
WHERE a.message_id IS NOT NULL AND %(now)b IS NOT NULL
""",
            # The log has no index by id: this goes along the transactions that wrote to it, some at a time.
            ahead="""
SELECT least(first.xid + 200, horizon.xid - 1), first.xid + 200 < horizon.xid - 1
FROM (SELECT contacts_log_horizon()::text::int8 AS xid) AS horizon, LATERAL (
    SELECT min(e.xid)::text::int8 AS xid FROM generate_series(0, 63) AS l(lane) CROSS JOIN LATERAL (
        SELECT xid FROM contacts_event WHERE lane = l.lane AND xid > %(after)b::text::xid8
        ORDER BY lane, xid, id LIMIT 1
    ) AS e WHERE e.xid < horizon.xid::text::xid8
) AS first
WHERE first.xid IS NOT NULL
UNION ALL SELECT NULL, false LIMIT 1
""",
        ),
        every=timedelta(minutes=1),
    ),
    Promise(
        "consent_chain",
        _("The consent ledger is as it was written, line by line."),
        _("A line of the ledger was changed, is missing or hangs on another one than it did."),
        _("Compare with a backup; `manage.py consent_ledger` names each fault. Find out who wrote there."),
        Asked(_ledger),
        every=timedelta(minutes=5),
    ),
    Promise(
        "consent_state",
        _("Who has withdrawn is not held for somebody who agrees."),
        _("The ledger ends with a withdrawal and the state that the policy reads still says yes."),
        _("Withdraw for the contact once more, by hand: that writes the state anew."),
        Passing(
            "contacts_consententry",
            "recorded_at",
            """
SELECT DISTINCT ON (e.id) e.id::text, e.recorded_at, jsonb_build_object('consent', e.id), e.id
FROM contacts_consententry e JOIN contacts_consentstate s
  ON s.contact_id = e.contact_id AND s.channel = e.channel AND s.allowed
 AND s.entry_id > 0 AND s.entry_id < e.id
 AND (s.purpose = e.purpose OR e.purpose = '*')
WHERE e.id > %(after)b AND e.id <= %(upto)b AND e.action = 'out' AND e.contact_id > 0
  AND %(now)b IS NOT NULL
  AND NOT EXISTS (SELECT FROM contacts_consententry l WHERE l.contact_id = e.contact_id
                  AND l.channel = e.channel AND l.id > e.id
                  AND l.purpose IN (e.purpose, s.purpose, '*') AND l.action = 'in')
""",
        ),
    ),
    Promise(
        "erased_gone",
        _("Nothing is left of a person whose erasure is done."),
        _("A table still holds rows under the number of somebody who was erased."),
        _("The sweep goes on by itself; if the rows stay, see the log of the worker for the table named."),
        Asked(_leftovers),
        every=timedelta(minutes=1),
    ),
    Promise(
        "erased_unnamed",
        _("Nobody who was erased is known by one of their names again."),
        _("A contact carries an email address, phone number or id of a person who was erased."),
        _("Find out which way it came: whoever brings people in asks for tombstones first. Erase it again."),
        Asked(named_again, "contacts_contact", "first_seen_at"),
        every=timedelta(minutes=1),
    ),
    Promise(
        "requests_met",
        _("Every request of a person about their data is met in time."),
        _("The day by which the law wants it met has passed."),
        _("Open the privacy desk and approve or refuse the request."),
        Asked(_overdue),
        every=timedelta(minutes=10),
    ),
    Promise(
        "months_ready",
        _("The tables have room for the coming days."),
        _("A month has no partition: rows land in the default one, and old months cannot be dropped."),
        _("Look whether the pulse “partitions” is on; it makes what is missing."),
        Asked(_missing_months),
        every=timedelta(minutes=10),
    ),
    Promise(
        "short_transactions",
        _("Nobody keeps the database from tidying up."),
        _(
            "A session holds a transaction open and does nothing, or for very long. Dead rows stay, readers"
            " of the log wait for it, and everything becomes slower."
        ),
        _("End the session that is named: SELECT pg_terminate_backend(pid). Find out whose it is."),
        Standing(
            """
SELECT 'pid-' || pid || '-' || extract(epoch FROM backend_start)::bigint,
       least(xact_start, state_change),
       jsonb_build_object('pid', pid, 'program', left(application_name, 60), 'state', state)
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND (state LIKE 'idle in transaction%%' AND state_change < clock_timestamp() - interval '30 seconds'
       OR xact_start < clock_timestamp() - interval '15 minutes')
  AND %(now)b IS NOT NULL
LIMIT %(most)b
""",
            patience=timedelta(0),
        ),
        every=timedelta(seconds=15),
    ),
    Promise(
        "disk_room",
        _("The disk has room."),
        _("Soon nothing can be written: events will be answered with 503 until there is room again."),
        _("Make room, or give the volume more. Nothing that was accepted is lost."),
        Asked(_full_disks),
        every=timedelta(minutes=1),
    ),
)
