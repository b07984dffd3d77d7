"""What smart choice is worth, by program."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from rest_framework import serializers

from analytics import choice
from analytics.choice import Difference
from analytics.reports import Period
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import bad_request
from contacts.api.fields import Fields

_LONGEST = 366


class ChoiceFilters(Fields):
    what = serializers.ChoiceField(
        choices=[choice.CHANNEL, choice.HOUR], required=False, help_text="channel if absent."
    )
    first = serializers.DateField(required=False, help_text="UTC; 29 days before the last one if absent.")
    last = serializers.DateField(required=False, help_text="UTC; today if absent.")


class GroupShape(Fields):
    arm = serializers.ChoiceField(
        choices=list(choice.ARMS),
        help_text="best: chosen for the person; control: left as they are; explore: by chance.",
    )
    people = serializers.IntegerField()
    messages = serializers.IntegerField(help_text="Accepted by a provider.")
    opened = serializers.IntegerField(help_text="By people, not by machines.")
    clicked = serializers.IntegerField(help_text="By people, not by machines.")
    converted = serializers.IntegerField(help_text="Whose run then reached its goal.")


class DifferenceShape(Fields):
    against = serializers.ChoiceField(choices=list(choice.ARMS[1:]))
    outcome = serializers.ChoiceField(choices=list(choice.OUTCOMES))
    value = serializers.FloatField(help_text="Of rates from 0 to 1, chosen minus the other.")
    low = serializers.FloatField(help_text="95 % confidence.")
    high = serializers.FloatField()
    clear = serializers.BooleanField(help_text="The interval is on one side of 0.")


class ChoiceAnswer(Fields):
    groups = serializers.ListField(child=GroupShape())
    differences = serializers.ListField(child=DifferenceShape())


class SmartChoice(Endpoint):
    scopes = {"GET": "reports:read"}

    @operation("get_smart_choice", "What smart choice is worth", query=ChoiceFilters, answer=ChoiceAnswer)
    def get(self, call: Call) -> Any:
        """Messages whose channel or hour was chosen against those of people left as they are.

        No difference is given while a group has fewer than 30 people.
        """
        last = call.query.get("last") or call.now.astimezone(UTC).date()
        first = call.query.get("first") or last - timedelta(days=29)
        if not 0 <= (last - first).days < _LONGEST:
            raise bad_request(
                "invalid_period", f"From first to last there are 1 to {_LONGEST} days.", "first"
            )
        try:
            found = choice.report(call.query.get("what", choice.CHANNEL), Period(first, last))
        except choice.TooLongError as error:
            raise bad_request("too_long", "Counting takes too long: ask for fewer days.", "first") from error
        return {
            "groups": [
                {
                    "arm": one.arm,
                    "people": one.people,
                    "messages": one.messages,
                    **{name: rate.number for name, rate in one.rates.items()},
                }
                for one in found.groups.values()
            ],
            "differences": [
                {"against": arm, "outcome": name, **_drawn(one)}
                for arm in choice.ARMS[1:]
                for name, one in found.against(arm).items()
            ],
        }


def _drawn(one: Difference) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "clear": one.clear}
