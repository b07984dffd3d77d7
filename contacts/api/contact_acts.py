"""One contact, and what programs may do to it: change what is declared, merge, lists, and its addresses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers

from contacts import consent, contention, editing, finding, merging_by_hand, own_addresses, segments
from contacts.api import callers
from contacts.api.contact_shapes import ContactWithSegments
from contacts.api.contacts import draw_one
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, contended
from contacts.api.fields import Fields
from contacts.api.happenings import contact_id
from contacts.models import Contact, Segment, Suppression
from contacts.upsert_checks import NAMED

_MOST_VALUES, _MOST_LISTS = 50, 100
_CHANNELS = [(name, name) for name in consent.CHANNELS]


class ContactChange(Fields):
    """What is declared about a contact. What is absent stays, null removes."""

    email = serializers.CharField(required=False, allow_null=True)
    phone = serializers.CharField(required=False, allow_null=True, help_text="With its country code.")
    first_name = serializers.CharField(required=False, allow_null=True, max_length=200)
    last_name = serializers.CharField(required=False, allow_null=True, max_length=200)
    language = serializers.CharField(required=False, allow_null=True)
    timezone = serializers.CharField(required=False, allow_null=True)
    country = serializers.CharField(required=False, allow_null=True)
    attributes = serializers.DictField(required=False, help_text="Up to 50 values; null removes one.")


class MergeBody(Fields):
    other = serializers.UUIDField(help_text="Public id of the contact that becomes part of this one.")
    sure = serializers.BooleanField(
        required=False, default=False, help_text="Also where each has a user id of its own."
    )


class ListsBody(Fields):
    add = serializers.ListField(
        child=serializers.SlugField(), required=False, default=list, max_length=_MOST_LISTS
    )
    remove = serializers.ListField(
        child=serializers.SlugField(), required=False, default=list, max_length=_MOST_LISTS
    )


class ListsAnswer(Fields):
    added = serializers.ListField(child=serializers.CharField(), help_text="Lists it was not on.")
    removed = serializers.ListField(child=serializers.CharField(), help_text="Lists it was on.")


class SuppressBody(Fields):
    channel = serializers.ChoiceField(choices=_CHANNELS)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)


class LiftBody(Fields):
    channel = serializers.ChoiceField(choices=_CHANNELS)
    note = serializers.CharField(max_length=300, help_text="Why; kept in the history of the contact.")


class AddressShape(Fields):
    channel = serializers.CharField()
    address = serializers.CharField()
    suppressed = serializers.BooleanField()
    changed = serializers.BooleanField(help_text="Whether it was otherwise before.")


class ContactDetail(Endpoint):
    scopes = {"GET": "contacts:read", "PATCH": "contacts:write"}

    @operation("get_contact", "One contact by its public id", answer=ContactWithSegments)
    def get(self, call: Call, public_id: UUID) -> Any:
        """A contact that was merged into another is answered with the one it became."""
        return draw_one(finding.find_one(public_id))

    @operation("change_contact", "Change one contact", body=ContactChange, answer=ContactWithSegments)
    def patch(self, call: Call, public_id: UUID) -> Any:
        """All of it or nothing. An address by which another contact is found is refused: merge the two."""
        contact = Contact.objects.get(pk=contact_id(public_id))
        given = {name: call.body[name] for name in ("country", *NAMED) if name in call.body}
        free = call.body.get("attributes", {})
        if len(free) > _MOST_VALUES:
            raise bad_request("too_large", f"At most {_MOST_VALUES} attributes at once.", "attributes")
        places = {name: name for name in given} | {name: f"attributes.{name}"[:200] for name in free}
        changed = [
            name
            for name, value in {**free, **given}.items()
            if _edit(contact.pk, name, value, places[name], call)
        ]
        if changed:
            call.audit(contact, f"declared {', '.join(sorted(changed))}"[:1_000])
        return draw_one(contact.pk)


class ContactMerge(Endpoint):
    scopes = {"POST": "merges:write"}

    @operation("merge_contacts", "Make two contacts one", body=MergeBody, answer=ContactWithSegments)
    def post(self, call: Call, public_id: UUID) -> Any:
        """The one in the address remains. `list_merges` tells its number, `undo_merge` takes it back."""
        winner = contact_id(public_id)
        loser = finding.find_one(call.body["other"])
        if loser is None:
            raise bad_request("unknown_contact", "There is no such contact.", "other")
        if loser == winner:
            raise Refused(409, "same_contact", "Both are one contact already.", "other")
        if merging_by_hand.two_user_ids(winner, loser) and not call.body["sure"]:
            message = "Each has a user id of its own. Say `sure` if they are one person all the same."
            raise Refused(409, "two_user_ids", message, "sure")
        try:
            merging_by_hand.merge_two(winner, loser, call.now, by=callers.acting_name(call.request))
        except merging_by_hand.GoneError:
            message = "One of the two was merged or erased meanwhile."
            raise Refused(409, "gone", message, "other") from None
        except contention.ContendedTooLong:
            raise contended() from None
        call.audit(Contact.objects.get(pk=winner), f"merged with contact {loser}")
        return draw_one(winner)


class ContactLists(Endpoint):
    scopes = {"POST": "segments:write"}

    @operation("change_lists", "Put a contact on lists, or take it off", body=ListsBody, answer=ListsAnswer)
    def post(self, call: Call, public_id: UUID) -> Any:
        """Lists are segments kept by hand, by their slugs. Removing comes last."""
        contact = contact_id(public_id)
        lists = {name: _lists(call.body[name], name) for name in ("add", "remove")}
        added = [one.slug for one in lists["add"] if segments.add(one, [contact], call.now)]
        removed = [one.slug for one in lists["remove"] if segments.remove(one, [contact], call.now)]
        if added or removed:
            said = f"put on the lists {added}, taken off {removed}"
            call.audit(Contact.objects.get(pk=contact), said[:1_000])
            call.wake("segments")
        return {"added": added, "removed": removed}


class ContactSuppress(Endpoint):
    scopes = {"POST": "suppressions:write"}

    @operation("suppress_contact", "Never write to an address again", body=SuppressBody, answer=AddressShape)
    def post(self, call: Call, public_id: UUID) -> Any:
        """Of the contact's own addresses the one of a channel; it holds whoever owns it."""
        contact, pair = _address(public_id, call)
        new = consent.suppress([pair], Suppression.Reason.MANUAL, call.now, note=call.body["note"])
        if new:
            call.audit(contact, f"suppressed {pair[0]}")
        return _answer(pair, True, bool(new))


class ContactLift(Endpoint):
    scopes = {"POST": "suppressions:lift"}

    @operation("lift_contact", "Let an address be written to again", body=LiftBody, answer=AddressShape)
    def post(self, call: Call, public_id: UUID) -> Any:
        """As far as the person's consent allows."""
        contact, pair = _address(public_id, call)
        lifted = consent.allow_again([pair], call.now)
        if lifted:
            call.audit(contact, f"lifted the suppression of {pair[0]}: {call.body['note']}")
        return _answer(pair, False, bool(lifted))


def _edit(contact: int, name: str, value: Any, place: str, call: Call) -> bool:
    """Declare one value; whether it was another before."""
    try:
        before, after = editing.edit(
            contact, name, value or None if name in NAMED else value, call.now,
            origin=callers.origin(call.request),
        )  # fmt: skip
    except editing.TakenError as error:
        raise Refused(409, "taken", str(error), place) from None
    except editing.NotUsableError as error:
        raise bad_request("invalid", str(error), place) from None
    return bool(before != after)


def _lists(slugs: list[str], field: str) -> list[Segment]:
    found = {one.slug: one for one in Segment.objects.filter(slug__in=slugs)}
    for place, slug in enumerate(slugs):
        if slug not in found:
            raise bad_request("unknown_segment", "No segment has this slug.", f"{field}.{place}")
        if found[slug].kind != Segment.Kind.STATIC:
            message = "This segment is kept by its rule, not by hand."
            raise Refused(409, "kept_by_rule", message, f"{field}.{place}")
    return [found[slug] for slug in dict.fromkeys(slugs)]


def _address(public_id: UUID, call: Call) -> tuple[Contact, tuple[str, str]]:
    contact = Contact.objects.get(pk=contact_id(public_id))
    channel = call.body["channel"]
    address = own_addresses.of(contact)[channel]
    if not address:
        raise Refused(409, "no_address", "The contact has no address on this channel.", "channel")
    return contact, (channel, address)


def _answer(pair: tuple[str, str], suppressed: bool, changed: bool) -> dict[str, Any]:
    return {"channel": pair[0], "address": pair[1], "suppressed": suppressed, "changed": changed}
