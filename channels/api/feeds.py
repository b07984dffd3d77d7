"""Data feeds by program: where they are, what they said last, and asking one at once."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from channels import feeds, sealing
from channels.models import DataFeed
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.api.taken import refused_if_taken


class DataFeedShape(Fields):
    slug = serializers.CharField(help_text="Templates say feeds.<slug>.")
    name = serializers.CharField()
    url = serializers.CharField()
    has_authorization = serializers.BooleanField()
    minutes = serializers.IntegerField()
    hours = serializers.IntegerField()
    seconds = serializers.IntegerField()
    active = serializers.BooleanField()
    fetched_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="Why the last try brought nothing; empty: it did.")
    content = serializers.JSONField(help_text="What it said last.")


class DataFeedChange(Fields):
    name = serializers.CharField(required=False, max_length=120)
    url = serializers.CharField(required=False, max_length=2000, help_text="Answers JSON of at most 64 KB.")
    authorization = serializers.CharField(
        required=False, allow_blank=True, max_length=4000, help_text="Header sent along; never shown again."
    )
    minutes = serializers.IntegerField(required=False, min_value=1, max_value=10_080, help_text="Kept.")
    hours = serializers.IntegerField(
        required=False, min_value=0, max_value=720, help_text="Used for so long while it does not answer."
    )
    seconds = serializers.IntegerField(required=False, min_value=1, max_value=20, help_text="Waited for.")
    active = serializers.BooleanField(required=False)


class DataFeedBody(DataFeedChange):
    slug = serializers.RegexField(r"^[a-z_][a-z0-9_]*$", max_length=60)
    name = serializers.CharField(max_length=120)
    url = serializers.CharField(max_length=2000, help_text="Answers JSON of at most 64 KB.")


class DataFeeds(Endpoint):
    scopes = {"GET": "feeds:read", "POST": "feeds:write"}

    @operation("list_data_feeds", "Data feeds, page by page", answer=DataFeedShape, paged=True)
    def get(self, call: Call) -> Any:
        return call.page(DataFeed.objects.all(), ("id",), lambda found: [_drawn(one) for one in found])

    @operation("make_data_feed", "Make a data feed", body=DataFeedBody, answer=DataFeedShape, status=201)
    def post(self, call: Call) -> Any:
        feed = DataFeed(slug=call.body["slug"])
        _change(feed, call)
        call.audit(feed, "made")
        return _drawn(feed)


class DataFeedDetail(Endpoint):
    scopes = {"GET": "feeds:read", "PATCH": "feeds:write", "DELETE": "feeds:write"}

    @operation("get_data_feed", "One data feed", answer=DataFeedShape)
    def get(self, call: Call, slug: str) -> Any:
        return _drawn(_feed(slug))

    @operation("change_data_feed", "Change a data feed", body=DataFeedChange, answer=DataFeedShape)
    def patch(self, call: Call, slug: str) -> Any:
        """What is not named stays as it is. Another address forgets what the one before said."""
        feed = _feed(slug)
        _change(feed, call)
        call.audit(feed, f"changed {', '.join(sorted(call.body))}")
        return _drawn(feed)

    @operation("delete_data_feed", "Delete a data feed", answer=DataFeedShape)
    def delete(self, call: Call, slug: str) -> Any:
        """Templates that ask for it get what they say for a missing value."""
        feed = _feed(slug)
        told = _drawn(feed)
        call.audit(feed, "deleted")
        feed.delete()
        return told


class DataFeedAsk(Endpoint):
    scopes = {"POST": "feeds:write"}
    # Another server is waited for, which no transaction may do.
    commits_itself = True

    @operation("ask_data_feed", "Ask its server at once", answer=DataFeedShape)
    def post(self, call: Call, slug: str) -> Any:
        feed = _feed(slug)
        if not feed.active:
            raise Refused(409, "not_active", "This feed is switched off.")
        feeds.ask_at_once(feed, call.now)
        return _drawn(_feed(slug))


def _change(feed: DataFeed, call: Call) -> None:
    given = dict(call.body)
    if "url" in given:
        try:
            feeds.check_address(given["url"])
        except ValueError as error:
            raise bad_request("invalid", str(error), "url") from None
        if feed.url != given["url"]:
            feed.content, feed.fetched_at, feed.next_at = None, None, None
    if secret := given.pop("authorization", None):
        feed.secrets = sealing.seal({"authorization": secret})
    elif secret == "":
        feed.secrets = ""
    for name, value in given.items():
        setattr(feed, name, value)
    with refused_if_taken("There is a feed of this slug or name."):
        feed.save()


def _feed(slug: str) -> DataFeed:
    found = DataFeed.objects.filter(slug=slug).first()
    if found is None:
        raise not_found("data feed")
    return found


def _drawn(feed: DataFeed) -> dict[str, Any]:
    names = ("slug", "name", "url", "minutes", "hours", "seconds", "active", "fetched_at", "error", "content")
    return {**{name: getattr(feed, name) for name in names}, "has_authorization": bool(feed.secrets)}
