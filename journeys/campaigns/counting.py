"""How a campaign is getting on: audience, sent, held, dropped and why, failed, and what people did.

Counted from the messages themselves, by the pulse, and kept on the occurrence: pages and programs only read.
The larger a campaign, the less often.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from channels.models import Message
from journeys import local_time
from journeys.models import Campaign, CampaignOccurrence

#: A recount may take one part in so many of a worker's time.
SHARE = 20
_OFTEN = timedelta(seconds=2)
#: After its end: what people do is counted for so long.
_FOLLOWED = timedelta(days=3)
_State = Message.State
_WORDS = {
    _State.ACCEPTED: "sent",
    _State.HELD: "held",
    _State.DROPPED: "dropped",
    _State.CANCELLED: "cancelled",
    _State.EXPIRED: "expired",
    _State.REJECTED: "failed",
    _State.UNCERTAIN: "uncertain",
}


@dataclass(slots=True)
class Progress:
    """One occurrence, or a campaign as a whole. ``reasons`` say why messages were held or not sent."""

    audience: int = 0
    late: int = 0
    released: int = 0
    intended: int = 0
    sent: int = 0
    held: int = 0
    dropped: int = 0
    expired: int = 0
    cancelled: int = 0
    failed: int = 0
    uncertain: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    channels: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Percent of the audience that was handed on or is too late."""
        return 100 * min((self.released + self.late) / self.audience, 1) if self.audience else 0.0

    @property
    def unsent(self) -> int:
        """Messages that will not be sent."""
        return self.dropped + self.expired + self.cancelled

    @property
    def left(self) -> int:
        """People whose turn is still to come."""
        return max(self.audience - self.late - self.released, 0)


def recount(
    campaign: Campaign, occurrence: CampaignOccurrence, now: datetime, *, at_once: bool = False
) -> None:
    """Count anew, if the last count is old enough for what it costs."""
    took = timedelta(seconds=float(occurrence.figures.get("seconds", 0)))
    if not at_once and occurrence.figures_at and now - occurrence.figures_at < max(_OFTEN, SHARE * took):
        return
    began = time.monotonic()
    counted = _count(campaign, occurrence)
    rate = _rate(occurrence, counted, now)
    occurrence.figures = {**counted, "rate": rate, "seconds": round(time.monotonic() - began, 3)}
    occurrence.figures_at = now
    occurrence.save(update_fields=["figures", "figures_at"])


def of_occurrence(occurrence: CampaignOccurrence) -> Progress:
    """As counted last; audience and those handed on are of this moment."""
    names = {name for name in Progress.__dataclass_fields__ if name in occurrence.figures}
    found = Progress(**{name: occurrence.figures[name] for name in names})
    found.audience, found.late, found.released = occurrence.audience, occurrence.late, occurrence.released
    return found


def together(found: list[Progress]) -> Progress:
    """The sum over occurrences."""
    total = Progress()
    for one in found:
        for name in Progress.__dataclass_fields__:
            value = getattr(one, name)
            if isinstance(value, int):
                setattr(total, name, getattr(total, name) + value)
        _add(total.channels, one.channels)
        for outcome, reasons in one.reasons.items():
            _add(total.reasons.setdefault(outcome, {}), reasons)
    return total


def rate_of(occurrence: CampaignOccurrence) -> float:
    """Messages a minute that left lately."""
    return float(occurrence.figures.get("rate", 0))


def time_left(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> timedelta | None:
    """When the last one will have been handed on, from now; None where nothing tells."""
    progress = of_occurrence(occurrence)
    if not progress.left:
        return timedelta()
    turn = max(occurrence.last_at - now, timedelta())
    if campaign.pace:
        return max(campaign.pace * progress.left, turn)
    rate = rate_of(occurrence)
    return max(timedelta(minutes=progress.left / rate), turn) if rate else None


def waiting(campaign: Campaign) -> int:
    """Messages of the campaign that were wished for and have not left."""
    found = Message.objects.filter(origin_kind="campaign", origin_id=campaign.pk, state__in=(1, 2, 3))
    return found.filter(due_at__isnull=False).count()


def measured_until(campaign: Campaign) -> datetime:
    """Until when somebody may still reach the goal in time."""
    ends = [one.finished_at for one in campaign.occurrences.all() if one.finished_at]
    window = local_time.span(campaign.goal.get("window", "14 days")) if campaign.goal else timedelta()
    return max(ends, default=_EVER) + window + timedelta(days=1)


_EVER = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def _count(campaign: Campaign, occurrence: CampaignOccurrence) -> dict[str, Any]:
    found = Progress()
    for state, reason, channel, count, delivered, opened, clicked in _rows(campaign, occurrence):
        word = _WORDS.get(_State(state), "")
        found.intended += count
        found.delivered += delivered
        found.opened += opened
        found.clicked += clicked
        if word:
            setattr(found, word, getattr(found, word) + count)
        if word == "sent":
            _add(found.channels, {channel: count})
        elif word:
            _add(found.reasons.setdefault(word, {}), {reason: count})
    if campaign.goal:
        found.converted = _converted(occurrence)
    kept = ("audience", "late", "released")
    return {name: getattr(found, name) for name in Progress.__dataclass_fields__ if name not in kept}


def _rate(occurrence: CampaignOccurrence, counted: dict[str, Any], now: datetime) -> float:
    """Messages a minute since the last count, smoothed."""
    before = occurrence.figures
    if not occurrence.figures_at or now <= occurrence.figures_at:
        return 0.0
    minutes = (now - occurrence.figures_at).total_seconds() / 60
    rate: float = max(int(counted["sent"]) - int(before.get("sent", 0)), 0) / minutes
    known = float(before.get("rate", 0))
    return round(rate if not known else 0.6 * known + 0.4 * rate, 1)


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


def _rows(campaign: Campaign, occurrence: CampaignOccurrence) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, reason, channel, count(*), count(delivered_at), count(opened_at),"
            " count(clicked_at) FROM channels_message"
            " WHERE origin_id = %s AND origin_step = %s AND origin_kind = 'campaign'"
            " GROUP BY 1, 2, 3",
            [campaign.pk, occurrence.label],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _converted(occurrence: CampaignOccurrence) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM journeys_stepentry WHERE version_id = %s AND outcome = 'goal'",
            [occurrence.version_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
