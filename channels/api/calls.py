"""Calls by program: what a dialler needs to hand them to agents and to say how each ended."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from channels import calls
from channels.models import CallTask
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields

_PERMISSION = "channels.change_calltask"
_STATES = ["due", *CallTask.State.values]


class CallFilters(Fields):
    state = serializers.ChoiceField(
        choices=_STATES, required=False, default="due", help_text="due: open, and in nobody else's hands."
    )
    list = serializers.SlugField(required=False, max_length=60, help_text="Slug of the list.")


class CallShape(Fields):
    id = serializers.IntegerField()
    contact = serializers.UUIDField(help_text="Public id.")
    phone = serializers.CharField()
    list = serializers.CharField()
    state = serializers.ChoiceField(choices=CallTask.State.values)
    due_at = serializers.DateTimeField(help_text="Call from.")
    agent = serializers.CharField(allow_null=True)
    held_until = serializers.DateTimeField(allow_null=True, help_text="Nobody else takes it before.")
    tries = serializers.IntegerField()
    outcome = serializers.CharField(help_text="Of the last try.")
    note = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)
    outcomes = serializers.ListField(child=serializers.CharField(), help_text="That it can end with.")


class AgentBody(Fields):
    agent = serializers.CharField(
        required=False, max_length=150, help_text="Login of who calls; whoever made the key if not said."
    )


class EndBody(AgentBody):
    outcome = serializers.CharField(max_length=60, help_text="One of the call's `outcomes`.")
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=2_000)
    tries = serializers.IntegerField(
        min_value=0, help_text="As the call said: the same end told twice ends one call."
    )


class Calls(Endpoint):
    scopes = {"GET": "calls:read"}

    @operation("list_calls", "Calls, what is due first", query=CallFilters, answer=CallShape, paged=True)
    def get(self, call: Call) -> Any:
        state = call.query["state"]
        rows = CallTask.objects.select_related("contact", "audience", "agent")
        if state == "due":
            rows = rows.filter(calls.free(call.acting_user_id, call.now))
        else:
            rows = rows.filter(state=state)
        if name := call.query.get("list"):
            rows = rows.filter(audience__slug=name)
        return call.page(rows, ("due_at", "id"), _drawn)


class CallTake(Endpoint):
    scopes = {"POST": "calls:write"}

    @operation("take_call", "Take a call in hand", body=AgentBody, answer=CallShape)
    def post(self, call: Call, number: int) -> Any:
        """For twenty minutes nobody else is handed it."""
        task, agent = _task(number), _agent(call)
        try:
            calls.take(task.pk, agent, call.now)
        except calls.NotOpenError:
            raise Refused(409, "not_open", "Somebody else has this call in hand, or it is over.") from None
        call.audit(task, "took the call")
        return _drawn([_task(number)])[0]


class CallEnd(Endpoint):
    scopes = {"POST": "calls:write"}

    @operation("end_call", "Say how a call ended", body=EndBody, answer=CallShape)
    def post(self, call: Call, number: int) -> Any:
        """It becomes the event `Call Ended`; what follows from the outcome is done."""
        task, agent = _task(number), _agent(call)
        rules = calls.rules_of(task)
        chosen = next((one for one in rules.outcomes if one.name == call.body["outcome"]), None)
        if chosen is None:
            known = ", ".join(one.name for one in rules.outcomes)
            raise bad_request("unknown_outcome", f"A call of this list ends with one of: {known}.", "outcome")
        task.tries = call.body["tries"]
        try:
            calls.end(task, chosen, call.body["note"], agent, call.now)
        except calls.NotOpenError:
            raise Refused(409, "not_open", "This call was ended, or somebody else has it in hand.") from None
        call.audit(task, f"ended the call: {chosen.name}")
        return _drawn([_task(number)])[0]


def _agent(call: Call) -> int:
    """Who calls. A key speaks for agents who may call; a person who is signed in for nobody else."""
    name = call.body.get("agent")
    if name is None:
        return call.acting_user_id
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None or not found.has_perm(_PERMISSION):
        raise bad_request("unknown_agent", "Nobody of this login may make calls.", "agent")
    if not call.request.auth and found.pk != call.acting_user_id:
        raise bad_request("unknown_agent", "Only a key may speak for somebody else.", "agent")
    return found.pk


def _task(number: int) -> CallTask:
    rows = CallTask.objects.select_related("contact", "audience", "audience__purpose", "agent")
    found = rows.filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise not_found("call")
    return found


def _drawn(rows: list[CallTask]) -> list[dict[str, Any]]:
    # A page has many calls and few accounts.
    known: dict[int, list[str]] = {}
    for task in rows:
        if task.account_id not in known:
            known[task.account_id] = [one.name for one in calls.rules_of(task).outcomes]
    return [
        {
            "id": task.pk,
            "contact": task.contact.public_id,
            "phone": task.contact.phone,
            "list": task.audience.slug,
            "state": task.state,
            "due_at": task.due_at,
            "agent": task.agent.get_username() if task.agent else None,
            "held_until": task.held_until,
            "tries": task.tries,
            "outcome": task.outcome,
            "note": task.note,
            "done_at": task.done_at,
            "outcomes": known[task.account_id],
        }
        for task in rows
    ]
