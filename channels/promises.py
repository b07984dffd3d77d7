"""What channels promises: one decision for every message, each sent once or counted as uncertain."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from channels import auditing, auditing_caps, auditing_hours
from contacts.auditing.promise import Asked, Passing, Promise, Standing

_ATTEMPTS = ("channels_attempt", "started_at")
#: Whoever unsubscribes this long before a message is handed over gets none: by then it was not yet claimed.
_CLAIMED = auditing.CLAIMED
_RANGE = "a.id > %(after)b AND a.id <= %(upto)b"
_HANDED_OVER = f"{_RANGE} AND a.outcome IN ('accepted', 'uncertain') AND %(now)b IS NOT NULL"
_MESSAGE = "JOIN channels_message m ON m.id = a.message_id AND m.created_at = a.message_created_at"
_ABOUT = "jsonb_build_object('message', a.message_id, 'attempt', a.id)"
#: Of people who turned out to be one, what each had said at the time is not told apart any more.
_NOT_MERGED_SINCE = """NOT EXISTS (
    SELECT FROM contacts_merge g WHERE g.winner_id = m.contact_id AND g.merged_at >= a.started_at)"""

PROMISES: tuple[Promise, ...] = (
    Promise(
        "message_once",
        _("No provider takes a message twice."),
        _("Two attempts of one message were accepted: somebody may have got it twice."),
        _("Look at the message's attempts. A provider that repeats itself or a restored backup can do it."),
        Passing(
            *_ATTEMPTS,
            f"""
SELECT DISTINCT a.message_id::text, a.started_at, {_ABOUT}, a.id
FROM channels_attempt a JOIN channels_attempt b
  ON b.message_id = a.message_id AND b.message_created_at = a.message_created_at
 AND b.outcome = 'accepted' AND b.id < a.id
WHERE {_RANGE} AND a.outcome = 'accepted' AND %(now)b IS NOT NULL
""",
        ),
    ),
    Promise(
        "accepted_known",
        _("What a provider accepted is written down as accepted."),
        _("An attempt was accepted and its message says otherwise: it could be sent again."),
        _("Look at the message before anything else happens to it."),
        Passing(
            *_ATTEMPTS,
            f"""
SELECT a.message_id::text, a.started_at, {_ABOUT}, a.id FROM channels_attempt a {_MESSAGE}
WHERE {_RANGE} AND a.outcome = 'accepted' AND m.state <> 6 AND %(now)b IS NOT NULL
""",
        ),
    ),
    Promise(
        "delivered_sent",
        _("Nothing arrives that we did not send."),
        _("A provider reports as delivered what we hold for not sent, or for called off."),
        _("Look at the message and at the provider's own log."),
        Passing(
            "channels_receipt",
            "received_at",
            """
SELECT DISTINCT r.message_id::text, r.received_at, jsonb_build_object('message', r.message_id), r.id
FROM channels_receipt r JOIN channels_message m ON m.id = r.message_id AND m.created_at = r.message_created_at
WHERE r.id > %(after)b AND r.id <= %(upto)b AND r.kind = 'delivered' AND m.state NOT IN (6, 7, 11)
  AND %(now)b IS NOT NULL
""",
        ),
    ),
    Promise(
        "decided_first",
        _("No message leaves without a decision that lets it go."),
        _("A message was handed over that the policy never let out."),
        _("Pause the provider and look at what made the message."),
        Passing(
            *_ATTEMPTS,
            f"""
SELECT DISTINCT a.message_id::text, a.started_at, {_ABOUT}, a.id FROM channels_attempt a
WHERE {_HANDED_OVER} AND NOT EXISTS (
    SELECT FROM channels_decision d WHERE d.message_id = a.message_id AND d.outcome = 1)
""",
        ),
    ),
    Promise(
        "consent_kept",
        _("Nobody gets a message after they said no."),
        _("A message was claimed after the person's withdrawal was written down."),
        _("Apologise to the person, pause the journey, and look at the decision's consent entry."),
        Passing(
            *_ATTEMPTS,
            f"""
SELECT DISTINCT a.message_id::text, a.started_at, {_ABOUT} || jsonb_build_object('consent', said.id), a.id
FROM channels_attempt a {_MESSAGE}
CROSS JOIN LATERAL (
    SELECT e.id, e.action, e.recorded_at FROM contacts_consententry e
    WHERE e.contact_id = m.contact_id AND e.channel = m.channel AND e.purpose IN (m.purpose, '*')
      AND e.recorded_at < a.started_at
    ORDER BY e.id DESC LIMIT 1
) AS said
WHERE {_HANDED_OVER} AND m.contact_id > 0 AND NOT m.transactional
  AND m.purpose NOT IN (SELECT slug FROM contacts_purpose WHERE transactional)
  AND said.action = 'out' AND said.recorded_at < a.started_at - {_CLAIMED} AND {_NOT_MERGED_SINCE}
""",
        ),
    ),
    Promise(
        "suppressed_spared",
        _("Nothing goes to an address that must not be written to."),
        _("A message was handed over for an address that had bounced, complained or was barred."),
        _("Check the suppression and the message's decision; pause the journey."),
        Passing(
            *_ATTEMPTS,
            f"""
SELECT DISTINCT a.message_id::text, a.started_at, {_ABOUT}, a.id FROM channels_attempt a {_MESSAGE}
JOIN contacts_suppression s ON s.channel = m.channel AND s.address = m.address
WHERE {_HANDED_OVER} AND m.origin_kind <> 'reply' AND s.created_at < a.started_at - {_CLAIMED}
""",
        ),
    ),
    Promise(
        "caps_kept",
        _("No cap of the charter is exceeded."),
        _("Counted anew from what really left, somebody got more than the charter allows."),
        _("Look at the person's decisions: each names what every cap had counted."),
        Asked(auditing_caps.over_caps, *_ATTEMPTS),
    ),
    Promise(
        "hours_kept",
        _("Nothing leaves in quiet hours, or on days that are closed."),
        _("Asked anew for the time at which it left, the charter, a law or the person was against it."),
        _("Look at the message's decision and its attempts: how long did it wait between the two?"),
        Asked(auditing_hours.out_of_hours, *_ATTEMPTS),
    ),
    Promise(
        "decision_sound",
        _("Every decision follows from the answers that it names."),
        _("A decision's outcome does not fit the rules that it lists: it could not be explained."),
        _("Open the decision; report it with its trace."),
        Asked(auditing.unsound, "channels_decision", "decided_at"),
    ),
    Promise(
        "decision_again",
        _("A decision that is taken again gives the same answer."),
        _("The policy answers otherwise on the same facts: what it said cannot be explained any more."),
        _("Open the decision: its page says what differs. Right after an update the new policy may mean to."),
        Asked(auditing.otherwise, "channels_decision", "decided_at"),
        every=timedelta(minutes=1),
    ),
    Promise(
        "messages_move",
        _("No message waits for us: what is due is decided and handed over."),
        _("Messages are overdue and no worker has moved any for a while."),
        _("Look whether workers run, and whether the provider that they wait for answers."),
        Standing(auditing.STUCK),
    ),
    Promise(
        "leases_end",
        _("A worker that died holds no message for longer than a minute."),
        _("Messages are held by a worker whose lease ended; the rescue has not come."),
        _("Look whether the pulse “rescue” is on and workers run."),
        Standing(
            "SELECT id::text, lease_until, jsonb_build_object('message', id) FROM channels_message"
            " WHERE state IN (4, 5) AND lease_until < %(now)b - interval '60 seconds'"
            " ORDER BY lease_until LIMIT %(most)b"
        ),
    ),
    Promise(
        "hits_classed",
        _("Opens, clicks and receipts are classed within a quarter of an hour."),
        _("Figures and journeys do not know of the latest opens and clicks."),
        _("Look at the log of the worker for the pulse “engagement”."),
        Standing(
            "SELECT 'hits', received_at, jsonb_build_object('hit', id) FROM"
            " (SELECT id, received_at FROM channels_hit ORDER BY id LIMIT 1) AS first"
            " WHERE received_at < %(now)b - interval '15 minutes' AND %(most)b > 0"
        ),
    ),
    Promise(
        "receipts_counted",
        _("What messages say of themselves equals a recount of their receipts."),
        _("A message was opened, clicked or delivered earlier than it says, or does not say so at all."),
        _("The next receipt mends it; if many are named, look at the log of the pulse “engagement”."),
        Passing(
            "channels_receipt",
            "received_at",
            """
SELECT r.id::text, r.received_at, jsonb_build_object('message', r.message_id, 'receipt', r.id), r.id
FROM channels_receipt r JOIN channels_message m ON m.id = r.message_id AND m.created_at = r.message_created_at
WHERE r.id > %(after)b AND r.id <= %(upto)b AND %(now)b IS NOT NULL AND m.contact_id > 0 AND (
    r.kind = 'opened' AND r.actor = 'human' AND coalesce(m.opened_at > r.received_at, true)
    OR r.kind = 'clicked' AND r.actor = 'human' AND coalesce(m.clicked_at > r.received_at, true)
    OR r.kind = 'delivered' AND coalesce(m.delivered_at > r.received_at, true))
""",
        ),
    ),
    Promise(
        "measured_agreed",
        _("Opens and clicks are kept on those alone who agreed to it."),
        _("A receipt names somebody whose reading may not be measured."),
        _("The pulse “unmeasured” takes it off; look whether it is on."),
        Asked(auditing.measured_unasked, "channels_receipt", "received_at", settled=timedelta(minutes=30)),
        every=timedelta(minutes=1),
    ),
    Promise(
        "tracking_domain",
        _("Links begin with a domain that leads here, over a certificate that holds."),
        _("Readers cannot follow links, or are warned of them."),
        _("Settings, Tracking domain: what is wrong is said there with what to do."),
        Asked(auditing.bad_domain, outside=True),
        every=timedelta(hours=6),
    ),
    Promise(
        "uncertain",
        _("Messages of which nobody knows whether they arrived"),
        _("They were handed over and no answer came. They are never sent again in silence."),
        _("Receipts settle them by themselves; others are settled by hand, on the message's page."),
        Standing(
            "SELECT m.id::text, (SELECT max(a.started_at) FROM channels_attempt a WHERE a.message_id = m.id),"
            " jsonb_build_object('message', m.id) FROM channels_message m"
            " WHERE m.state = 11 AND %(now)b IS NOT NULL ORDER BY m.id LIMIT %(most)b"
        ),
        alarms=False,
    ),
)
