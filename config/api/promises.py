"""Whether what is promised holds, for monitors and status pages."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config import lags
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields
from contacts.auditing import looking
from contacts.auditing.registry import promises
from contacts.models import Breach, PromiseState

_EXAMPLES = 10


class Example(Fields):
    key = serializers.CharField()
    about = serializers.DictField(help_text="Numbers of the rows to look at.")
    at = serializers.DateTimeField(allow_null=True, help_text="Since when, as far as the row says.")
    found_at = serializers.DateTimeField()


class PromiseShape(Fields):
    name = serializers.CharField()
    room = serializers.CharField()
    title = serializers.CharField()
    holds = serializers.BooleanField()
    alarms = serializers.BooleanField(help_text="Off for what is counted and is no violation.")
    count = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)
    looked_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="Why the last look failed; empty where it did not.")
    examples = serializers.ListField(child=Example())


class PromisesAnswer(Fields):
    violations = serializers.IntegerField()
    uncertain = serializers.IntegerField()
    unknown = serializers.IntegerField(help_text="Promises that could not be looked after lately.")
    oldest_due_seconds = serializers.FloatField()
    lags = serializers.DictField(child=serializers.FloatField(), help_text="Seconds, by pulse.")
    promises = serializers.ListField(child=PromiseShape())


class Promises(Endpoint):
    scopes = {"GET": "promises:read"}

    @operation("list_promises", "Whether what is promised holds", answer=PromisesAnswer)
    def get(self, call: Call) -> Any:
        """All promises, the broken ones with examples. Five statements."""
        known = promises()
        account, found = looking.account(call.now), lags.read(call.now)
        states = {one.name: one for one in PromiseState.objects.filter(name__in=known)}
        examples: dict[str, list[Breach]] = {}
        for breach in Breach.objects.filter(over_at__isnull=True, settled_at__isnull=True).order_by("id"):
            examples.setdefault(breach.promise_id, []).append(breach)
        drawn = []
        for name, promise in known.items():
            state = states.get(name) or PromiseState(name=name)
            shown = examples.get(name, [])[:_EXAMPLES]
            drawn.append(
                {
                    "name": name,
                    "room": promise.room,
                    "title": str(promise.title),
                    "holds": not (promise.alarms and state.open),
                    "alarms": promise.alarms,
                    "count": state.open,
                    "since": state.since,
                    "looked_at": state.looked_at,
                    "error": state.error,
                    "examples": [
                        {"key": one.key, "about": one.about, "at": one.at, "found_at": one.found_at}
                        for one in shown
                    ],
                }
            )
        return {
            "violations": account.violations,
            "uncertain": account.uncertain,
            "unknown": account.unknown,
            "oldest_due_seconds": lags.oldest(found, call.now),
            "lags": {lag.pulse: lag.seconds(call.now) for lag in found},
            "promises": drawn,
        }
