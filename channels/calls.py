"""Calls of agents: one takes a person in hand, calls, and says how it ended: an event of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from channels import call_outcomes
from channels.call_outcomes import Outcome
from channels.models import CallTask, ProviderAccount
from contacts import consent, event_log
from contacts.event_log import NewEvent

#: So long nobody else is shown a call that an agent has taken.
HOLD = timedelta(minutes=20)
EVENT = "Call Ended"
_OPEN = CallTask.State.OPEN
_LONGEST = 2_000


class NotOpenError(Exception):
    """The call was ended, withdrawn, or is in somebody else's hands."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the calls of one account end."""

    outcomes: tuple[Outcome, ...]
    most_tries: int


def rules_of(task: CallTask) -> Rules:
    """What an agent may choose. What cannot be read is as usual."""
    account = ProviderAccount.objects.filter(pk=task.account_id).first()
    settings = account.settings if account else {}
    try:
        outcomes = call_outcomes.read(str(settings.get("outcomes") or ""))
    except ValueError:
        outcomes = call_outcomes.read("")
    tries = str(settings.get("most_tries") or "3")
    return Rules(outcomes, int(tries) if tries.isdecimal() and len(tries) < 4 else 3)


def free(user_id: int, now: datetime) -> Q:
    """Of calls: due, open, and in nobody else's hands."""
    held = Q(agent_id=None) | Q(agent_id=user_id) | Q(held_until=None) | Q(held_until__lte=now)
    return Q(state=_OPEN, due_at__lte=now) & held


def take(task_id: int, user_id: int, now: datetime) -> None:
    """Take a call in hand. Raises NotOpenError when somebody was faster."""
    if not CallTask.objects.filter(free(user_id, now), pk=task_id).update(
        agent_id=user_id, held_until=now + HOLD
    ):
        raise NotOpenError


def end(task: CallTask, chosen: Outcome, note: str, user_id: int, now: datetime) -> None:
    """Write down how the call ended, once; call again later where that follows. Raises NotOpenError."""
    rules = rules_of(task)
    again = chosen.follows == call_outcomes.AGAIN and task.tries + 1 < rules.most_tries
    changes: dict[str, object] = {
        "tries": F("tries") + 1, "outcome": chosen.name, "note": note[:_LONGEST], "held_until": None,
    }  # fmt: skip
    if again:
        changes |= {"due_at": now + timedelta(hours=chosen.hours), "agent_id": None}
    else:
        changes |= {"state": CallTask.State.DONE, "done_at": now, "agent_id": user_id}
    with transaction.atomic():
        # The count of tries is the fence: the same form sent twice ends one call.
        if not CallTask.objects.filter(free(user_id, now), pk=task.pk, tries=task.tries).update(**changes):
            raise NotOpenError
        properties = {
            "outcome": chosen.name,
            "list": task.audience.slug,
            "try": task.tries + 1,
            "again": again,
        }
        event_log.append([NewEvent(task.contact_id, EVENT, now, now, properties=properties)])
        if chosen.follows == call_outcomes.NEVER and task.audience.purpose is not None:
            purpose = task.audience.purpose.slug
            consent.withdraw(task.contact_id, now, origin="call", purpose=purpose)
