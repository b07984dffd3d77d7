"""Before it is sent: how many it concerns, how they can be reached, and what the policy would say today."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels import charter, foreseeing
from channels.foreseeing import Wish
from channels.models import TemplateVersion
from contacts import rules_sql, slots
from contacts.models import Contact
from contacts.rules import Rule
from contacts.rules_sql import Holds
from contacts.segmentation import counting
from contacts.segmentation.counting import Stopped
from journeys import graph as graphs
from journeys.campaigns import drafting
from journeys.campaigns.freezing import Turns, located
from journeys.models import Campaign

#: So many people of the audience are asked about in full; counts are scaled up from them.
SAMPLE = 2000
_HOLD, _SEND = "hold", "send"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What can be said before. Without ``size`` the audience took too long to count.

    ``outcomes`` is (action, reason, people), the largest first, and like all counts but ``size`` scaled up
    from ``asked`` people. ``late`` counts those whose own hour has passed for too long.
    """

    size: int | None
    base: int = 0
    asked: int = 0
    reachable: dict[str, int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    outcomes: tuple[tuple[str, str, int], ...] = ()
    late: int = 0
    takes: timedelta | None = None

    @property
    def now(self) -> int:
        """People to whom it could leave at once."""
        return sum(count for action, _reason, count in self.outcomes if action == _SEND)

    @property
    def held(self) -> int:
        return sum(count for action, _reason, count in self.outcomes if action == _HOLD)

    @property
    def never(self) -> int:
        return sum(count for action, _reason, count in self.outcomes if action not in (_SEND, _HOLD))


def estimate(campaign: Campaign, now: datetime, *, asker: str) -> Estimate:
    """The audience counted, and a sample of it asked about. Raises RuleError where the rule is wrong."""
    rule = drafting.parsed_audience(campaign)
    try:
        counted = counting.count(rule, now, asker=asker)
    except Stopped:
        return Estimate(None)
    ids = _sample(rule, counted.size, now)
    if not ids:
        return Estimate(counted.size, counted.base)
    parsed, _problems = graphs.check(drafting.graph(campaign))
    wish = Wish(
        campaign.purpose,
        tuple(campaign.channels),
        campaign.priority,
        parsed.conditions[drafting.BROADCAST] if parsed else None,
    )
    foreseen = foreseeing.foresee(ids, wish, now)
    scale = counted.size / max(foreseen.people, 1)

    def of_all(count: int) -> int:
        return min(round(count * scale), counted.size)

    return Estimate(
        counted.size,
        counted.base,
        foreseen.people,
        {channel: of_all(foreseen.reachable.get(channel, 0)) for channel in campaign.channels},
        {channel: of_all(count) for channel, count in foreseen.channels.items()},
        tuple(
            (action, reason, of_all(count))
            for (action, reason), count in sorted(foreseen.outcomes.items(), key=lambda item: -item[1])
        ),
        of_all(_late(campaign, ids, now)),
        drafting.duration(campaign, counted.size),
    )


def _sample(rule: Rule, size: int, now: datetime) -> list[int]:
    """Some of the audience: all in as many lots as have about enough people."""
    if size <= SAMPLE:
        return list(rules_sql.matching(rule, as_of=now).values_list("id", flat=True)[:SAMPLE])
    lots = min(-(-slots.SLOTS * SAMPLE // size), slots.SLOTS)
    found = Contact.objects.filter(Holds(rule, now, whole=False), slot__in=range(lots))
    return list(found.values_list("id", flat=True)[:SAMPLE])


def _late(campaign: Campaign, ids: list[int], now: datetime) -> int:
    """Of ``ids``, those whose turn would be too long ago if it were started now."""
    moment = drafting.next_moment(campaign, now)
    if moment is None or not campaign.own_clock or campaign.schedule is None or moment.first > now:
        return 0
    each = Turns(campaign, moment, charter.current(now))
    people = located(Contact.objects.filter(pk__in=ids))
    return sum(each.of(zone, country, phone) < now - campaign.misfire for _id, zone, country, phone in people)


def published(campaign: Campaign) -> dict[str, list[TemplateVersion]]:
    """Channel to the versions that would go out, one a language."""
    slugs = [campaign.content[channel] for channel in campaign.channels if channel in campaign.content]
    rows = TemplateVersion.objects.filter(template__slug__in=slugs, published_at__isnull=False)
    found: dict[str, dict[str, TemplateVersion]] = {}
    for version in rows.select_related("template").order_by("published_at", "id"):
        found.setdefault(version.template.channel, {})[version.language] = version
    return {channel: list(versions.values()) for channel, versions in found.items()}
