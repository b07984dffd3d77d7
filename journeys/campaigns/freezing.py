"""The audience of an occurrence, frozen lot by lot: who belongs to it when it begins, and each one's turn.

A lot is one transaction, so a death loses and repeats nothing. Where all have their turn at once, a lot is
one statement; on each person's clock it is one to read and one to write.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from channels import charter, policy_zones
from channels.charter_rules import Charter
from contacts import slots
from contacts.models import Contact
from contacts.rules import Rule
from contacts.rules_sql import Holds
from journeys import campaign_times, local_time
from journeys.campaign_times import Moment
from journeys.campaigns import drafting
from journeys.models import Campaign, CampaignOccurrence, CampaignRecipient

State = CampaignOccurrence.State


def freeze(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> int:
    """Freeze the next lot; returns how many people it has. Call with the campaign locked."""
    lot = occurrence.lots
    found = members(drafting.parsed_audience(campaign), occurrence.begun_at or now, lot)
    counted = _by_clock(campaign, occurrence, found, lot, now) if campaign.own_clock and campaign.at else None
    total, late = counted or _at_once(occurrence, found)
    occurrence.lots = lot + 1
    occurrence.audience += total
    occurrence.late += late
    if occurrence.lots >= slots.SLOTS:
        occurrence.state = State.SENDING
    occurrence.seen_at = now
    occurrence.save(update_fields=["lots", "audience", "late", "state", "seen_at"])
    return total


def members(rule: Rule, as_of: datetime, lot: int) -> QuerySet[Contact]:
    """Those of one lot who belong to the audience and were there at ``as_of``."""
    found = Contact.objects.filter(slot=lot, first_seen_at__lte=as_of)
    # Asked person by person: for the whole base at once, each lot would look through the whole log.
    return found.filter(Holds(rule, as_of, whole=False))


class Turns:
    """When it is each person's turn, remembered by zone."""

    def __init__(self, campaign: Campaign, moment: Moment, rules_in_force: Charter) -> None:
        self._campaign, self._moment, self._charter = campaign, moment, rules_in_force
        self._by_zone: dict[str, datetime] = {}

    def of(self, timezone: str, country: str, phone: str) -> datetime:
        """By their zone; else by where they may be, not before the hour has come on the last of these clocks;
        else by the charter's default zone.
        """
        zones = policy_zones.candidates(timezone, country, phone, self._charter)
        return max(self._in(zone) for zone in zones)

    def _in(self, zone: str) -> datetime:
        if zone not in self._by_zone:
            where: ZoneInfo = local_time.zone(zone, self._campaign.zone)
            self._by_zone[zone] = campaign_times.turn(self._campaign.schedule, self._moment, where)
        return self._by_zone[zone]


def moment_of(campaign: Campaign, occurrence: CampaignOccurrence) -> Moment:
    """The occurrence as the schedule has it."""
    schedule = campaign.schedule
    told = datetime.fromisoformat(occurrence.label)
    if schedule is None:
        return Moment(told.date(), told.time(), occurrence.starts_at, occurrence.last_at)
    return campaign_times.moment(schedule, campaign.zone, told.date())


def located(found: QuerySet[Contact]) -> Iterable[tuple[int, str, str, str]]:
    """(id, zone, country, phone) of each."""
    own = KeyTextTransform("timezone", "inferred")
    zone = Coalesce(NullIf(F("timezone"), Value("")), own, Value(""), output_field=TextField())
    return found.values_list("id", zone, "country", "phone").iterator(chunk_size=20_000)


def _by_clock(
    campaign: Campaign, occurrence: CampaignOccurrence, found: QuerySet[Contact], lot: int, now: datetime
) -> tuple[int, int]:
    each = Turns(campaign, moment_of(campaign, occurrence), charter.current(now))
    ids: list[int] = []
    due: list[datetime] = []
    for contact_id, zone, country, phone in located(found):
        ids.append(contact_id)
        due.append(each.of(zone, country, phone))
    if not ids:
        return 0, 0
    earliest = now - campaign.misfire
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_INSERT, [occurrence.pk, lot, earliest, ids, due])
        row = cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _at_once(occurrence: CampaignOccurrence, found: QuerySet[Contact]) -> tuple[int, int]:
    text, values = found.values_list("id", "slot").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journeys_campaignrecipient (contact_id, slot, occurrence_id, state, due_at)"  # noqa: S608 (Django's and our own text)
            f" SELECT found.*, %s, %s, %s FROM ({text}) AS found ON CONFLICT DO NOTHING",
            [occurrence.pk, int(CampaignRecipient.State.WAITING), occurrence.starts_at, *values],
        )
        return cursor.rowcount, 0


_INSERT = """
WITH frozen AS (
    INSERT INTO journeys_campaignrecipient (contact_id, slot, occurrence_id, state, due_at)
    SELECT u.contact_id, w.lot, w.occurrence_id, CASE WHEN u.due_at < w.earliest THEN 3 ELSE 1 END, u.due_at
    FROM (SELECT %b::int8 AS occurrence_id, %b::int2 AS lot, %b::timestamptz AS earliest) AS w
    CROSS JOIN unnest(%b::int8[], %b::timestamptz[]) AS u(contact_id, due_at)
    ON CONFLICT DO NOTHING
    RETURNING state
)
SELECT count(*), count(*) FILTER (WHERE state = 3) FROM frozen
"""
