"""What journeys did, in numbers: for the list, for one journey, and for each of its steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q

from channels.models import Message
from journeys.models import Journey, Run, StepEntry

SPAN = timedelta(days=30)
LEFT = frozenset({"goal_late", "exit rule", "stopped"})
"Outcomes in the step log that did not lead on to another step."
State = Run.State

#: How a message stands, in a word that a marketer uses.
MESSAGE_WORDS = {
    Message.State.ACCEPTED: "sent",
    Message.State.HELD: "held",
    Message.State.DROPPED: "dropped",
    Message.State.CANCELLED: "called off",
    Message.State.EXPIRED: "expired",
    Message.State.REJECTED: "refused",
    Message.State.UNCERTAIN: "uncertain",
}


@dataclass(slots=True)
class Flow:
    """One journey over the last 30 days; ``live`` is now."""

    live: int = 0
    entered: int = 0
    converted: int = 0
    failed: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Percent of those who entered that converted."""
        return 100 * self.converted / self.entered if self.entered else 0.0


@dataclass(slots=True)
class AtStep:
    """One step: who stands there now, who passed and how, and what became of its messages."""

    here: int = 0
    passed: int = 0
    #: Reached the goal while they stood here.
    converted: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)


def of_journeys(journey_ids: Collection[int], now: datetime) -> dict[int, Flow]:
    """Figures of several journeys. Two statements."""
    flows: dict[int, Flow] = defaultdict(Flow)
    recent = Q(entered_at__gt=now - SPAN)
    rows = (
        Run.objects.filter(journey_id__in=journey_ids)
        .values("journey_id")
        .annotate(
            live=Count("id", filter=Q(state=State.LIVE)),
            entered=Count("id", filter=recent),
            converted=Count("id", filter=recent & Q(state=State.CONVERTED)),
            failed=Count("id", filter=Q(state=State.FAILED)),
        )
    )
    for row in rows:
        counts = {name: row[name] for name in ("live", "entered", "converted", "failed")}
        flows[row["journey_id"]] = Flow(**counts)
    return flows


def of_journey(journey: Journey, now: datetime) -> Flow:
    """Figures of one journey, with how its runs ended in the last 30 days."""
    flow = of_journeys([journey.pk], now).get(journey.pk, Flow())
    ended = Run.objects.filter(journey=journey, ended_at__gt=now - SPAN).exclude(state=State.FAILED)
    counted = ended.values("outcome").annotate(count=Count("id")).order_by("-count")
    flow.outcomes = {row["outcome"]: row["count"] for row in counted[:12]}
    return flow


def of_steps(journey: Journey, version_ids: Collection[int], now: datetime) -> dict[str, AtStep]:
    """Figures of each step: standing there now, passed in the last 30 days. Three statements."""
    steps: dict[str, AtStep] = defaultdict(AtStep)
    standing = Run.objects.filter(journey=journey, state=State.LIVE, version_id__in=version_ids)
    for step, count in standing.values_list("step").annotate(count=Count("id")):
        steps[step].here = count
    taken = StepEntry.objects.filter(version_id__in=version_ids, at__gt=now - SPAN).exclude(outcome="failed")
    for step, outcome, count in taken.values_list("step", "outcome").annotate(count=Count("id")):
        at_step = steps[step]
        at_step.outcomes[outcome] = count
        if outcome == "goal":
            at_step.converted = count
        elif outcome not in LEFT:
            at_step.passed += count
    messages = Message.objects.filter(origin_id=journey.pk, origin_kind="journey", created_at__gt=now - SPAN)
    for step, state, count in messages.values_list("origin_step", "state").annotate(count=Count("id")):
        word = MESSAGE_WORDS.get(Message.State(state), "on the way")
        sent = steps[step].messages
        sent[word] = sent.get(word, 0) + count
    return steps


def standing(journey: Journey) -> list[tuple[int, str, int]]:
    """Where people stand now: (version's number, step, how many). One statement."""
    rows = Run.objects.filter(journey=journey, state=State.LIVE).values_list("version__number", "step")
    return list(rows.annotate(count=Count("id")).order_by("-version__number", "step"))
