"""The calendar by program: days with their load and occurrences, clashes; and the load of a draft."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request
from contacts.api.fields import Fields
from journeys.api.shapes import journey_by
from journeys.outlook import before, house_clock, keeping, marks, showing, words
from journeys.outlook.expected import KINDS
from journeys.outlook.showing import Day, Filters
from journeys.steps.send import CHANNELS

_USUAL = timedelta(days=13)


class CalendarQuery(Fields):
    start = serializers.DateField(required=False, help_text="Today, if left out.")
    end = serializers.DateField(
        required=False, help_text="Included. Two weeks, if left out; at most 62 days."
    )
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    channel = serializers.ChoiceField(choices=CHANNELS, required=False)
    purpose = serializers.CharField(required=False, max_length=60)
    segment = serializers.SlugField(required=False, max_length=60)


class ItemShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=KINDS)
    name = serializers.CharField()
    at = serializers.CharField(help_text="Local time of an occurrence; empty where it sends all day.")
    state = serializers.CharField()
    size = serializers.IntegerField(allow_null=True, help_text="Audience, once it has begun.")
    messages = serializers.IntegerField(allow_null=True, help_text="Expected; null beyond 14 days.")


class ClashShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    number = serializers.IntegerField(help_text="People, or messages where it is about what can be carried.")
    origins = serializers.ListField(child=serializers.CharField())
    what = serializers.CharField()
    do = serializers.CharField()


class CalendarDayShape(serializers.Serializer[Any]):
    day = serializers.DateField()
    messages = serializers.IntegerField(allow_null=True, help_text="Expected; null beyond 14 days.")
    channels = serializers.DictField(child=serializers.IntegerField())
    closed = serializers.ListField(child=serializers.CharField(), help_text="Blackouts of the charter.")
    items = ItemShape(many=True)
    clashes = ClashShape(many=True)


class CalendarShape(serializers.Serializer[Any]):
    computed_at = serializers.DateTimeField(allow_null=True, help_text="When what is to come was worked out.")
    lots = serializers.IntegerField(help_text="So many of the 64 parts of all contacts were looked at.")
    unplayed = serializers.ListField(
        child=serializers.CharField(), help_text="Journeys for which the time was not enough."
    )
    days = CalendarDayShape(many=True)


class ForecastDayShape(serializers.Serializer[Any]):
    day = serializers.DateField()
    messages = serializers.IntegerField()
    channels = serializers.DictField(child=serializers.IntegerField())
    people = serializers.IntegerField()
    others = serializers.IntegerField(allow_null=True, help_text="Messages of all others on that day.")


class ForecastSegmentShape(serializers.Serializer[Any]):
    segment = serializers.CharField()
    messages = serializers.ListField(child=serializers.IntegerField(), help_text="Day by day.")


class ForecastShape(serializers.Serializer[Any]):
    computed_at = serializers.DateTimeField()
    lots = serializers.IntegerField()
    days = ForecastDayShape(many=True)
    segments = ForecastSegmentShape(many=True)
    clashes = ClashShape(many=True)


class Calendar(Endpoint):
    scopes: ClassVar = {"GET": "journeys:read"}

    @operation("get_calendar", "What is sent on which day, and what clashes", query=CalendarQuery,
               answer=CalendarShape)  # fmt: skip
    def get(self, call: Call) -> Any:
        """Loads and clashes are known for the 14 days from when they were worked out."""
        today = house_clock.today(call.now)
        first = call.query.get("start") or today
        last = call.query.get("end") or first + _USUAL
        if not first <= last <= first + marks.LONGEST:
            raise bad_request("bad_period", "The period must be from 1 to 62 days long.", "end")
        filters = Filters(*(call.query.get(name, "") for name in ("kind", "channel", "purpose", "segment")))
        kept = keeping.latest()
        told = kept.result if kept else {}
        days = showing.days(first, last, today, marks.between(first, last, call.now), told, filters)
        closed = marks.closed(first, last, call.now)
        for day in days:
            day.closed = closed.get(day.date, [])
        return {
            "computed_at": kept.computed_at if kept else None,
            "lots": kept.lots if kept else 0,
            "unplayed": told.get("unplayed", []),
            "days": [_day(day, told.get("origins", [])) for day in days],
        }


class CalendarRefresh(Endpoint):
    scopes: ClassVar = {"POST": "backtests:write"}

    @operation("refresh_calendar", "Have what is to come worked out anew", status=202)
    def post(self, call: Call) -> Any:
        """It is there within a minute or so: `computed_at` of the calendar tells."""
        keeping.ask(call.now)
        return {}


class JourneyForecast(Endpoint):
    scopes: ClassVar = {"GET": "journeys:read"}

    @operation("forecast_journey", "The load that a draft or a campaign will bring in the next 14 days",
               answer=ForecastShape)  # fmt: skip
    def get(self, call: Call, slug: str) -> Any:
        """As if it were published or scheduled now. An answer is given again for 15 minutes."""
        journey = journey_by(slug)
        campaign = getattr(journey, "campaign", None)
        found = before.of_campaign(campaign, call.now) if campaign else before.of_draft(journey, call.now)
        if found is None:
            raise Refused(409, "has_problems", "The draft has problems: see lint.")
        return {
            "computed_at": found.at,
            "lots": found.lots,
            "days": [{**row._asdict(), "channels": dict(row.channels)} for row in before.rows(found)],
            "segments": [
                {"segment": name, "messages": numbers} for name, numbers, _sum in before.segments(found)
            ],
            "clashes": [_clash(one, found.told["origins"]) for one in found.told["clashes"]],
        }


def _day(day: Day, origins: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "day": day.date,
        "messages": day.messages,
        "channels": dict(day.channels),
        "closed": day.closed,
        "items": [
            {name: value for name, value in item._asdict().items() if name != "number"} for item in day.items
        ],
        "clashes": [_clash(one, origins) for one in day.clashes],
    }


def _clash(clash: dict[str, Any], origins: list[dict[str, Any]]) -> dict[str, Any]:
    told = words.tell(clash, origins)
    return {
        "kind": told.kind,
        "number": clash["number"],
        "origins": [origins[place]["name"] for place in clash["origins"]],
        "what": told.what,
        "do": told.do,
    }
