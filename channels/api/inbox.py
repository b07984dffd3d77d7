"""A contact's in-app messages, for a site's or an app's own server."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers

from channels.inapp import answers, drawing, receipts, showing
from channels.surveys.answering import Taken
from contacts import finding
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import not_found
from contacts.api.fields import Fields

_DONE = (receipts.SEEN, receipts.CLICKED, receipts.READ, receipts.DISMISSED)


class InAppShape(Fields):
    id = serializers.UUIDField()
    title = serializers.CharField()
    text = serializers.CharField()
    link = serializers.CharField(help_text="Tracked: following it is the click.")
    button = serializers.CharField()
    image = serializers.CharField()
    place = serializers.CharField(help_text="Empty: in the inbox only.")
    sent_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    survey = serializers.DictField(
        allow_null=True, help_text="The question it asks: question, low, high, comment, thanks, choices."
    )
    read = serializers.BooleanField()


class UnreadShape(Fields):
    unread = serializers.IntegerField(help_text="Counted up to 100.")


class DoneBody(Fields):
    kind = serializers.ChoiceField(choices=_DONE)


class AnswerBody(Fields):
    value = serializers.IntegerField(
        required=False, help_text="The value of a choice. None where the answer is text."
    )
    text = serializers.CharField(required=False, allow_blank=True, default="", max_length=2_000)


class TakenShape(Fields):
    taken = serializers.ChoiceField(choices=[one.value for one in Taken])


class Inbox(Endpoint):
    scopes = {"GET": "messages:read"}

    @operation("list_inbox", "A contact's in-app messages, the newest first", answer=InAppShape, paged=True)
    def get(self, call: Call, public_id: UUID) -> Any:
        """What was not dismissed, is not over, and may still be shown."""
        contact_id = _contact(public_id)
        (before,) = call.after or (None,)
        limit = call.query["limit"]
        rows, end = showing.in_inbox(contact_id, before, limit, call.now)
        return call.drawn_page(drawing.draw(rows), [end.id] if end else None)


class InboxUnread(Endpoint):
    scopes = {"GET": "messages:read"}

    @operation("count_unread", "How many in-app messages a contact has not read", answer=UnreadShape)
    def get(self, call: Call, public_id: UUID) -> Any:
        return {"unread": showing.unread(_contact(public_id), call.now)}


class InboxMessage(Endpoint):
    scopes = {"POST": "messages:write"}

    @operation(
        "mark_in_app_message", "Say what a contact did with a message", body=DoneBody, answer=UnreadShape
    )
    def post(self, call: Call, public_id: UUID, key: UUID) -> Any:
        """Seen, clicked, read or dismissed; the same again changes nothing."""
        contact_id = _contact(public_id)
        # A program with a key speaks for a person; what it calls itself says nothing about them.
        if not receipts.take(contact_id, [(key, call.body["kind"])], "app", call.now):
            raise not_found("message")
        call.wake("engagement")
        return {"unread": showing.unread(contact_id, call.now)}


class InboxAnswer(Endpoint):
    scopes = {"POST": "messages:write"}

    @operation(
        "answer_in_app_survey", "Answer the survey that a message asks", body=AnswerBody, answer=TakenShape
    )
    def post(self, call: Call, public_id: UUID, key: UUID) -> Any:
        """`now`, or `before` where it was answered already; `too_late`; `nothing` where it is no answer."""
        taken = answers.take(_contact(public_id), key, call.body.get("value"), call.body["text"], call.now)
        return {"taken": str(taken)}


def _contact(public_id: UUID) -> int:
    found = finding.find_one(public_id)
    if found is None:
        raise not_found("contact")
    return found
