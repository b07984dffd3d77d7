"""From draft to version, and a journey's own life: publish, pause, resume, stop, archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from journeys import graph, redirecting, references
from journeys.fields import Problem
from journeys.graph import Graph, GraphError
from journeys.models import Journey, JourneyVersion, Run
from journeys.redirecting import Choice

Status = Journey.Status

#: From each status, where a journey may go, and by which act.
MOVES: Mapping[Status, Mapping[Status, str]] = {
    Status.DRAFT: {Status.LIVE: "publish", Status.ARCHIVED: "archive"},
    Status.LIVE: {Status.LIVE: "publish", Status.PAUSED: "pause", Status.STOPPED: "stop"},
    Status.PAUSED: {Status.LIVE: "resume", Status.STOPPED: "stop"},
    Status.STOPPED: {Status.LIVE: "publish", Status.ARCHIVED: "archive"},
    Status.ARCHIVED: {},
}


class NotAllowedError(Exception):
    """This act is not open to a journey of this status."""


def check(data: Any, slug: str = "") -> tuple[Graph | None, list[Problem]]:
    """As ``graph.check``, and whether what it names exists; with the journey's ``slug``, also whether it
    would start itself for ever by way of other journeys.
    """
    found, problems = graph.check(data)
    if found is not None:
        problems += references.missing(found)
        if slug:
            problems += references.going_round(slug, found)
    return found, problems


def publish(
    journey: Journey, user: AbstractBaseUser | None, now: datetime, choices: Sequence[Choice] = ()
) -> JourneyVersion:
    """Make the draft the live version. Raises GraphError with every problem, NotAllowedError by status.

    People who are inside stay on the version they entered, save where ``choices`` say otherwise; a pulse
    moves those in batches.
    """
    found, problems = check(journey.draft, journey.slug)
    if found is None or problems:
        raise GraphError(problems)
    with transaction.atomic():
        locked = _locked(journey, "publish")
        if redirecting.under_way(locked):
            raise NotAllowedError(_("People are still being moved by the last publication: wait a moment."))
        last = locked.versions.aggregate(last=Max("number"))["last"] or 0
        version = JourneyVersion.objects.create(
            journey=locked,
            number=last + 1,
            graph=journey.draft,
            published_at=now,
            published_by_id=user.pk if user else None,
        )
        try:
            redirecting.ask(version, found, choices, now)
        except ValueError as error:
            raise NotAllowedError(str(error)) from error
        journey.status, journey.live_version_id = Status.LIVE, version.id
        journey.save(update_fields=["status", "live_version_id", "updated_at"])
    return version


def pause(journey: Journey, now: datetime) -> None:
    """Nobody enters and nobody moves until ``resume``. Messages already wished for still leave."""
    _turn(journey, "pause", Status.PAUSED)


def resume(journey: Journey, now: datetime) -> None:
    """Go on where everybody stands; waits that ended in the meantime end now."""
    with transaction.atomic():
        _turn(journey, "resume", Status.LIVE)
        _wake_all(journey, now)


def stop(journey: Journey, now: datetime) -> None:
    """End the journey for everybody: the engine lets each person out and calls off what waits to be sent."""
    with transaction.atomic():
        _turn(journey, "stop", Status.STOPPED)
        _wake_all(journey, now)


def archive(journey: Journey, now: datetime) -> None:
    """Put a journey away that nobody is in."""
    if Run.objects.filter(journey=journey, state=Run.State.LIVE).exists():
        raise NotAllowedError("People are still in this journey: wait until the engine has let them out.")
    _turn(journey, "archive", Status.ARCHIVED)


def acts(status: str) -> Sequence[str]:
    """The acts open to a journey of this status."""
    return [*dict.fromkeys(MOVES[Status(status)].values())]


def drawing() -> str:
    """The table of moves as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> draft: written"]
    for source, onward in MOVES.items():
        lines += [f"    {source.value} --> {target.value}: {act}" for target, act in onward.items()]
    lines += [f"    {status.value} --> [*]" for status, onward in MOVES.items() if not onward]
    return "\n".join(lines) + "\n"


def _turn(journey: Journey, act: str, status: Status) -> None:
    with transaction.atomic():
        _locked(journey, act)
        journey.status = status
        journey.save(update_fields=["status", "updated_at"])


def _locked(journey: Journey, act: str) -> Journey:
    """The row as it stands now, locked, so that two people's clicks do not cross."""
    locked = Journey.objects.select_for_update().get(pk=journey.pk)
    if act not in MOVES[Status(locked.status)].values():
        raise NotAllowedError(
            f"A journey that is {locked.get_status_display()} cannot be changed in this way: {act}."
        )
    return locked


def _wake_all(journey: Journey, now: datetime) -> None:
    Run.objects.filter(journey=journey, state=Run.State.LIVE, due_at__gt=now).update(due_at=now)
