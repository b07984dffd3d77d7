"""Requests of people about their own data: ask, follow, approve, call off, fetch."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from contacts.api.fields import Fields
from contacts.models import Contact, PrivacyRequest
from contacts.privacy import copying, requests
from contacts.privacy.requests import Kind, NotPossibleError


class PrivacyRequestFilters(Fields):
    state = serializers.ChoiceField(choices=PrivacyRequest.State.choices, required=False)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)


class PrivacyRequestBody(Fields):
    contact = serializers.UUIDField(help_text="The contact's public id.")
    kind = serializers.ChoiceField(choices=Kind.choices)
    language = serializers.ChoiceField(choices=["en", "fr"], default="en")
    note = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class PrivacyDecisionBody(Fields):
    act = serializers.ChoiceField(choices=["approve", "refuse", "call_off"])
    reason = serializers.CharField(
        max_length=300, required=False, default="", allow_blank=True, help_text="Needed to refuse."
    )


class PrivacyRequestRow(Fields):
    reference = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.CharField()
    origin = serializers.CharField()
    asked_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="One month after it was asked.")
    begins_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.IntegerField(help_text="Percent.")
    size = serializers.IntegerField(help_text="Bytes of a copy that can be fetched.")
    certificate = serializers.DictField(allow_null=True, help_text="Of an erasure that is done.")


class PrivacyRequestsEndpoint(Endpoint):
    scopes = {"GET": "privacy:read", "POST": "privacy:write"}

    @operation(
        "list_privacy_requests",
        "Requests of people about their data, latest first",
        query=PrivacyRequestFilters,
        answer=PrivacyRequestRow,
        paged=True,
    )
    def get(self, call: Call) -> Any:
        wanted = {name: call.query[name] for name in ("state", "kind") if name in call.query}
        return call.page(
            PrivacyRequest.objects.filter(**wanted), ("-id",), lambda rows: list(map(_drawn, rows))
        )

    @operation(
        "ask_privacy_request",
        "Ask for a copy, an erasure or an end of profiling",
        body=PrivacyRequestBody,
        answer=PrivacyRequestRow,
        status=201,
    )
    def post(self, call: Call) -> Any:
        contact = Contact.objects.filter(public_id=call.body["contact"]).first()
        if contact is None:
            raise not_found("contact", "contact")
        asked = requests.ask(
            contact,
            Kind(call.body["kind"]),
            call.now,
            origin="API",
            by=str(call.request.auth or call.request.user),
            language=call.body["language"],
            note=call.body["note"],
        )
        call.audit(asked, f"Asked for {asked.kind}")
        return _drawn(asked)


class PrivacyRequestEndpoint(Endpoint):
    scopes = {"GET": "privacy:read", "POST": "privacy:write"}

    @operation("get_privacy_request", "One request, with its certificate", answer=PrivacyRequestRow)
    def get(self, call: Call, reference: str) -> Any:
        return _drawn(_found(reference))

    @operation(
        "decide_privacy_request",
        "Approve, refuse or call off a request",
        body=PrivacyDecisionBody,
        answer=PrivacyRequestRow,
    )
    def post(self, call: Call, reference: str) -> Any:
        asked, by = _found(reference), str(call.request.auth or call.request.user)
        try:
            match call.body["act"]:
                case "approve":
                    asked = requests.approve(asked, call.now, by)
                case "refuse":
                    if not call.body["reason"]:
                        raise Refused(400, "reason_needed", "A refusal needs its reason.", "reason")
                    asked = requests.refuse(asked, call.now, by, call.body["reason"])
                case _:
                    asked = requests.call_off(asked, call.now, by)
        except NotPossibleError as error:
            raise Refused(409, "not_possible", f"The request is {error}.") from None
        call.audit(asked, f"Decided: {call.body['act']}")
        call.wake("privacy")
        return _drawn(asked)


class PrivacyCopyEndpoint(Endpoint):
    scopes = {"GET": "privacy:write"}

    @operation("get_privacy_copy", "The archive made for a person (application/zip)")
    def get(self, call: Call, reference: str) -> Any:
        asked = _found(reference)
        if not asked.pieces.exists():
            raise not_found("copy")
        requests.note_down(asked, call.now, str(call.request.auth or call.request.user), "copy fetched")
        call.audit(asked, "Fetched the copy")
        return copying.answer(asked)


def _found(reference: str) -> PrivacyRequest:
    found = PrivacyRequest.objects.filter(reference=reference).first()
    if found is None:
        raise not_found("request")
    return found


def _drawn(asked: PrivacyRequest) -> dict[str, Any]:
    row: dict[str, Any] = {str(name): getattr(asked, str(name)) for name in PrivacyRequestRow().fields}
    done = asked.kind == Kind.ERASURE and asked.state == PrivacyRequest.State.DONE
    row["certificate"] = (
        {key: value for key, value in (asked.certificate or {}).items() if key != "contacts"}
        if done
        else None
    )
    return row
