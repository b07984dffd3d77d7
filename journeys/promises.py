"""What journeys promises: every run goes on, every step taken has its effect once, every schedule is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from contacts.auditing.promise import Asked, Found, Passing, Promise, Standing
from journeys import versions
from journeys.models import ClockMark

_LATE = timedelta(minutes=15)
_STEPS = ("journeys_stepentry", "at")


def _behind(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Live journeys whose clock nobody has followed for a while. A turn under way may take its time."""
    timed = {
        one.journey_id: one
        for one in versions.live()
        if one.graph and (one.graph.trigger.schedule or one.graph.trigger.date)
    }
    marks = {mark.journey_id: mark for mark in ClockMark.objects.filter(journey_id__in=timed)}
    for journey_id, version in timed.items():
        mark = marks.get(journey_id)
        reached = version.published_at if mark is None else mark.until or mark.at
        if reached is not None and reached < now - _LATE:
            yield Found(str(journey_id), reached, {"journey": journey_id})


PROMISES: tuple[Promise, ...] = (
    Promise(
        "runs_move",
        _("Every run that is under way goes on when its time has come."),
        _("Runs are overdue and no worker has moved any for a while."),
        _("Look whether workers run and at the log for the pulse “engine”."),
        Standing(
            """
SELECT 'engine', min(d.due_at), jsonb_build_object('pulse', 'engine') FROM (
    SELECT due.due_at FROM generate_series(0, 63) AS s(slot) CROSS JOIN LATERAL (
        SELECT due_at FROM journeys_run WHERE slot = s.slot AND state = 1 ORDER BY due_at LIMIT 1) AS due
    WHERE due.due_at < %(now)b - interval '2 minutes'
) AS d
WHERE %(most)b > 0
  AND NOT EXISTS (SELECT FROM (SELECT at FROM journeys_stepentry ORDER BY id DESC LIMIT 1) AS l
                  WHERE l.at > %(now)b - interval '90 seconds')
HAVING count(*) > 0
"""
        ),
    ),
    Promise(
        "step_once",
        _("A step asks for its message once."),
        _("The log has one visit of a sending step twice."),
        _("Look at the run: the message itself has a key and was made once."),
        Passing(
            *_STEPS,
            """
SELECT DISTINCT a.run_id || '-' || a.visit, a.at, jsonb_build_object('run', a.run_id, 'step', a.step), a.id
FROM journeys_stepentry a JOIN journeys_stepentry b
  ON b.run_id = a.run_id AND b.visit = a.visit AND b.outcome = 'intended' AND b.id < a.id
WHERE a.id > %(after)b AND a.id <= %(upto)b AND a.outcome = 'intended' AND %(now)b IS NOT NULL
""",
        ),
    ),
    Promise(
        "step_has_message",
        _("Every message that a step asked for exists, from intent to its end."),
        _("A run passed a sending step and there is no message: it vanished."),
        _("Look at the run and at the log of the worker of that instant."),
        Passing(
            *_STEPS,
            """
SELECT a.run_id || '-' || a.visit, a.at, jsonb_build_object('run', a.run_id, 'step', a.step), a.id
FROM journeys_stepentry a
WHERE a.id > %(after)b AND a.id <= %(upto)b AND a.outcome = 'intended' AND a.contact_id > 0
  AND %(now)b IS NOT NULL
  AND NOT EXISTS (SELECT FROM channels_message m WHERE m.contact_id = a.contact_id AND m.created_at = a.at
                  AND m.origin_run = a.run_id AND m.origin_step = a.step)
  AND EXISTS (SELECT FROM journeys_run r WHERE r.id = a.run_id AND r.contact_id = a.contact_id)
""",
        ),
    ),
    Promise(
        "occasion_once",
        _("An occasion of a schedule or a date lets each person in once."),
        _("Somebody entered twice for the same day."),
        _("Stop one of the two runs; look at the journey's clock."),
        Passing(
            "journeys_run",
            "entered_at",
            """
SELECT a.id::text, a.entered_at, jsonb_build_object('run', a.id, 'journey', a.journey_id), a.id
FROM journeys_run a JOIN journeys_run b
  ON b.contact_id = a.contact_id AND b.journey_id = a.journey_id AND b.key = a.key AND b.id < a.id
 AND b.entry->>'occasion' = a.entry->>'occasion' AND b.outcome <> 'merged'
WHERE a.id > %(after)b AND a.id <= %(upto)b AND a.entry ? 'occasion' AND a.outcome <> 'merged'
  AND %(now)b IS NOT NULL
""",
        ),
    ),
    Promise(
        "schedules_followed",
        _("Every schedule is followed to within a quarter of an hour."),
        _("A journey that starts by the clock is not looked at: its people do not enter."),
        _("Look whether the pulse “occasions” is on, and at the log of the worker."),
        Asked(_behind),
        every=timedelta(minutes=1),
    ),
    Promise(
        "calls_made",
        _("Every call of an endpoint is made or given up in time."),
        _("Calls are overdue: runs wait at their webhook steps."),
        _("Look whether the pulse “calls” is on. An endpoint that is switched off lets its calls wait."),
        Standing(
            """
SELECT c.id::text, c.due_at, jsonb_build_object('call', c.id, 'endpoint', c.endpoint)
FROM journeys_endpointcall c
WHERE c.state = 1 AND c.due_at < %(now)b - interval '5 minutes'
  AND EXISTS (SELECT FROM journeys_endpoint e WHERE e.slug = c.endpoint AND e.active)
ORDER BY c.due_at LIMIT %(most)b
"""
        ),
    ),
    Promise(
        "campaigns_followed",
        _("Every campaign begins at its time, and is looked after until it is done."),
        _("A campaign stands still: its people wait."),
        _("Look whether the pulse “campaigns” is on, and at the log of the worker."),
        Standing(
            """
SELECT c.journey_id || coalesce('-' || o.label, ''), least(c.next_at, o.seen_at),
       jsonb_build_object('journey', c.journey_id, 'step', coalesce(o.label, ''))
FROM journeys_campaign c LEFT JOIN journeys_campaignoccurrence o
  ON o.campaign_id = c.journey_id AND o.state IN ('freezing', 'sending')
 AND o.seen_at < %(now)b - interval '5 minutes'
WHERE c.state IN ('scheduled', 'sending')
  AND (o.id IS NOT NULL OR c.next_at < %(now)b - interval '5 minutes')
ORDER BY c.journey_id LIMIT %(most)b
"""
        ),
    ),
    Promise(
        "audience_accounted",
        _("Everybody in the audience of a campaign that is done was handed on, or it is said why not."),
        _("A campaign says that it is done, and people of its audience still wait."),
        _("Make a list of those who wait and send them a copy of the campaign; look at the worker's log."),
        Standing(
            """
SELECT o.id::text, o.finished_at, jsonb_build_object('journey', o.campaign_id, 'step', o.label)
FROM journeys_campaignoccurrence o
WHERE o.state = 'done' AND o.finished_at > %(now)b - interval '7 days'
  AND EXISTS (SELECT FROM journeys_campaignrecipient r WHERE r.occurrence_id = o.id AND r.state = 1)
ORDER BY o.id LIMIT %(most)b
"""
        ),
    ),
)
