"""Backtests by program: ask, follow, cancel, read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from contacts import slots
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.models import Contact
from journeys.api.shapes import journey_by
from journeys.backtest import running
from journeys.backtest.question import LINE
from journeys.graph import GraphError
from journeys.models import BacktestRun


class BacktestBody(Fields):
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="Number of a version; without it the draft is played."
    )
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Not included, and not later than now.")
    lots = serializers.ChoiceField(
        choices=list(running.SAMPLES),
        default=slots.SLOTS,
        help_text="So many of the 64 parts of all contacts: fewer are a sample.",
    )
    line = serializers.IntegerField(
        default=LINE, min_value=1, max_value=20, help_text="More messages in a week are counted as pressure."
    )
    prices = serializers.DictField(
        child=serializers.FloatField(min_value=0), default=dict, help_text="Price of a message by channel."
    )


class BacktestShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    journey = serializers.SlugField()
    played = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    lots = serializers.IntegerField()
    line = serializers.IntegerField()
    prices = serializers.DictField()
    state = serializers.CharField()
    done = serializers.IntegerField(help_text="Parts that are played, of `lots`.")
    error = serializers.CharField()
    result = serializers.DictField(
        allow_null=True, help_text="Counts of what was played; null until it is done."
    )
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class Backtests(Endpoint):
    scopes: ClassVar = {"GET": "journeys:read", "POST": "backtests:write"}

    @operation("list_backtests", "Backtests of a journey, page by page", answer=BacktestShape, paged=True)
    def get(self, call: Call, slug: str) -> Any:
        rows = BacktestRun.objects.filter(journey=journey_by(slug)).select_related("journey").defer("result")
        return call.page(rows, ("id",), lambda found: [draw(run, result=False) for run in found])

    @operation(
        "ask_backtest", "Play a draft or a version against the past", body=BacktestBody,
        answer=BacktestShape, status=201,
    )  # fmt: skip
    def post(self, call: Call, slug: str) -> Any:
        """Nobody gets anything: the answer alone is kept, for 30 days."""
        journey, body = journey_by(slug), call.body
        version = None
        if "version" in body:
            version = journey.versions.filter(number=body["version"]).first()
            if version is None:
                raise not_found("version", "version")
        start: datetime = body["start"]
        try:
            run = running.ask(
                journey, version, start, body["end"], call.now,
                lots=body["lots"], line=body["line"], prices=body["prices"], user=None,
            )  # fmt: skip
        except GraphError as error:
            problem = error.problems[0]
            raise bad_request("cannot_be_played", problem.message, problem.path) from error
        except running.CannotAskError as error:
            raise bad_request("cannot_be_played", str(error)) from error
        run.created_by_id = call.acting_user_id
        run.save(update_fields=["created_by"])
        call.audit(journey, f"Played {run.label} against {start:%Y-%m-%d} – {body['end']:%Y-%m-%d}")
        return draw(run)


class BacktestDetail(Endpoint):
    scopes: ClassVar = {"GET": "journeys:read"}

    @operation("get_backtest", "One backtest, how far it is, and its answer", answer=BacktestShape)
    def get(self, call: Call, number: int) -> Any:
        return draw(_find(number))


class StoryLineShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    what = serializers.CharField(help_text="entered, step, ended, or what the policy said.")
    step = serializers.CharField()
    word = serializers.CharField(help_text="How the step or the run came out; of a message its channel.")
    more = serializers.CharField(help_text="The reason of the policy.")


class BacktestPerson(Endpoint):
    scopes: ClassVar = {"GET": "contacts:read"}

    @operation(
        "get_backtest_person", "What would have happened to one person, day by day",
        answer=StoryLineShape, many=True,
    )  # fmt: skip
    def get(self, call: Call, number: int, public_id: UUID) -> Any:
        """Played anew, so it is an empty list where the person would not have come in."""
        person = Contact.objects.filter(public_id=public_id).first()
        if person is None:
            raise not_found("contact")
        return [line._asdict() for line in running.story(_find(number), person.pk)]


class BacktestCancel(Endpoint):
    scopes: ClassVar = {"POST": "backtests:write"}

    @operation("cancel_backtest", "Cancel a backtest that is being played", answer=BacktestShape)
    def post(self, call: Call, number: int) -> Any:
        run = _find(number)
        if not running.cancel(run, call.now):
            raise Refused(409, "not_running", f"The backtest is {run.state}.")
        call.audit(run.journey, f"Cancelled the backtest of {run.label}")
        return draw(_find(number))


def _find(number: int) -> BacktestRun:
    run = BacktestRun.objects.filter(pk=number).select_related("journey").first()
    if run is None:
        raise not_found("backtest")
    return run


def draw(run: BacktestRun, *, result: bool = True) -> dict[str, Any]:
    done = run.lots if run.state == BacktestRun.State.DONE else running.progress(run)[0] if result else 0
    return {
        "id": run.pk,
        "journey": run.journey.slug,
        "played": run.label,
        "start": run.start,
        "end": run.end,
        "lots": run.lots,
        "line": run.line,
        "prices": run.prices,
        "state": run.state,
        "done": done,
        "error": run.error,
        "result": _told(run.result) if result and run.result else None,
        "asked_at": run.created_at,
        "expires_at": run.expires_at,
    }


def _told(result: dict[str, Any]) -> dict[str, Any]:
    """The result with its examples by their public ids; who was erased since is left out."""
    people = Contact.objects.in_bulk([one["contact"] for one in result["examples"]])
    examples = [
        {**one, "contact": str(people[one["contact"]].public_id)}
        for one in result["examples"]
        if one["contact"] in people
    ]
    return {**result, "examples": examples}
