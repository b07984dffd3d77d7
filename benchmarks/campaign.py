"""How fast a campaign's audience is frozen and handed on, beside one bare INSERT … SELECT of the same people.

Everybody at once, everybody on their own clock, and those who did something in the log. ``--plans`` prints
what PostgreSQL did for one lot and for one batch that is handed on.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from django.db import connection

from benchmarks import harness
from benchmarks.populate import populate
from contacts import slots
from contacts.models import Purpose
from journeys.campaigns import acts, beginning, drafting, freezing, releasing
from journeys.models import Campaign, CampaignOccurrence, Journey

_BOUGHT = {"event": "Order Completed", "count": {"gte": 1}, "within": "60 days"}


def begun(name: str, now: datetime, **settings: Any) -> tuple[Campaign, CampaignOccurrence]:
    """A campaign whose occurrence has just begun."""
    campaign = acts.create(name, None, channels=["email"], content={"email": "spring"}, purpose="offers",
                           everyone=True, state=Campaign.State.SENDING, next_at=now, **settings)  # fmt: skip
    Journey.objects.filter(pk=campaign.pk).update(status=Journey.Status.LIVE)
    if campaign.every == Campaign.Every.ONCE:
        campaign.next_at = drafting.next_moment(campaign, now).first  # type: ignore[union-attr]
    beginning.begin(campaign, campaign.next_at or now)
    return campaign, campaign.occurrences.get()


def freeze(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> float:
    began = time.monotonic()
    for _lot in range(slots.SLOTS):
        freezing.freeze(campaign, occurrence, now)
    return time.monotonic() - began


def release(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> float:
    began = time.monotonic()
    while releasing.release(campaign, occurrence, now):
        pass
    return time.monotonic() - began


def bare(now: datetime) -> float:
    """The same number of rows into the same table in one statement."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journeys_campaignrecipient (contact_id, slot, occurrence_id, state, due_at)"
            " SELECT id, slot, 0, 1, %s FROM contacts_contact",
            [now],
        )
        seconds = time.monotonic() - began
        cursor.execute("DELETE FROM journeys_campaignrecipient WHERE occurrence_id = 0")
    return seconds


def explain(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> None:
    found = freezing.members(drafting.parsed_audience(campaign), now, 5).values_list("id", "slot")
    print(found.explain(analyze=True, buffers=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, BUFFERS) SELECT id FROM journeys_campaignrecipient WHERE occurrence_id = %s"
            " AND state = 1 AND due_at <= %s ORDER BY due_at, id LIMIT %s",
            [occurrence.pk, now, releasing.BATCH],
        )
        print("\n".join(row[0] for row in cursor.fetchall()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=5, help="for each of them")
    parser.add_argument("--plans", action="store_true")
    chosen = parser.parse_args()
    with harness.database():
        now = datetime.now(UTC)
        populate(chosen.people, chosen.events * chosen.people, now)
        Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
        day = (now + timedelta(days=2)).date()
        ways: list[tuple[str, dict[str, Any]]] = [
            ("everybody at once", {}),
            ("everybody at their own hour", {"every": "once", "day": day, "at": clock_time(9)}),
            ("who bought in 60 days", {"rule": _BOUGHT}),
        ]
        with harness.Load() as load:
            plain = bare(now)
            print(f"  {plain:6.2f} s: {chosen.people:,} by one bare statement")
            for name, settings in ways:
                campaign, occurrence = begun(name, now, **settings)
                if chosen.plans:
                    explain(campaign, occurrence, now)
                frozen = freeze(campaign, occurrence, now)
                print(f"  {frozen:6.2f} s: {occurrence.audience:,} frozen, {name}", flush=True)
                if name == "everybody at once":
                    harness.report("campaign_freeze", ours=frozen, baseline=plain, kind="time")
                    handed = release(campaign, occurrence, now)
                    print(f"  {handed:6.2f} s: {occurrence.released:,} handed on")
                    if chosen.plans:
                        explain(campaign, occurrence, now)
        print(load)


if __name__ == "__main__":
    main()
