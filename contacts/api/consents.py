"""Consents: what a person allows, everything they ever said, and lines for the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts import consent, finding
from contacts.api.contact_shapes import FaultShape, Who, name_of
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, errors_of
from contacts.api.fields import Fields
from contacts.api.happenings import contact_id
from contacts.models import ApiKey, ConsentEntry, ConsentState, Purpose
from contacts.permission import EVERY

_MOST = 1_000
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_SLACK = timedelta(minutes=5)
_LONGEST_PROOF = 4_000


class ConsentShape(Fields):
    channel = serializers.CharField()
    purpose = serializers.CharField(help_text="Slug, or * for every purpose of the channel.")
    allowed = serializers.BooleanField()
    why = serializers.CharField(help_text="expired or pending where nobody refused; else empty.")
    since = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class ConsentFilters(Fields):
    as_of = serializers.DateTimeField(required=False, help_text="What was on record at this instant.")


class LineShape(Fields):
    id = serializers.IntegerField()
    channel = serializers.CharField()
    purpose = serializers.CharField()
    given = serializers.BooleanField()
    basis = serializers.CharField()
    wording = serializers.CharField()
    origin = serializers.CharField()
    proof = serializers.DictField()
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class ConsentItem(Fields):
    contact = Who()
    channel = serializers.ChoiceField(choices=consent.CHANNELS)
    purpose = serializers.RegexField(
        r"^([-\w]+|\*)$", max_length=40, help_text="Slug, or * for every purpose."
    )
    given = serializers.BooleanField()
    occurred_at = serializers.DateTimeField(
        required=False, help_text="When the person said so; now if absent."
    )
    expires_at = serializers.DateTimeField(required=False)
    basis = serializers.CharField(required=False, max_length=40, default="consent")
    wording = serializers.CharField(required=False, max_length=60, default="", allow_blank=True)
    proof = serializers.DictField(required=False, help_text="Such as page, form and ip; at most 4,000 bytes.")

    def validate_occurred_at(self, value: datetime) -> datetime:
        if not _EARLIEST <= value <= self.context["now"] + _SLACK:
            raise serializers.ValidationError("This lies in the future, or before 1990.", "out_of_range")
        return value

    def validate_purpose(self, value: str) -> str:
        if value not in self.context["purposes"]:
            raise serializers.ValidationError("There is no such purpose.", "unknown_purpose")
        return value

    def validate_proof(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(str(value)) > _LONGEST_PROOF:
            raise serializers.ValidationError("A proof has at most 4,000 bytes.", "too_large")
        return value


# Judged item by item, so that one that is wrong does not keep out its neighbours.
@extend_schema_field(ConsentItem)
class AnyConsent(serializers.JSONField):
    pass


class ConsentsBody(Fields):
    consents = serializers.ListField(child=AnyConsent(allow_null=True), min_length=1, max_length=_MOST)


class ConsentOutcome(Fields):
    status = serializers.ChoiceField(choices=["accepted", "rejected"])
    errors = FaultShape(many=True)  # type: ignore[assignment]


class ConsentsAnswer(Fields):
    recorded = serializers.IntegerField(help_text="Lines written to the ledger.")
    asked = serializers.IntegerField(help_text="Wait for their double opt-in.")
    rejected = serializers.IntegerField()
    results = ConsentOutcome(many=True, help_text="One for each item, in their order.")


class ContactConsents(Endpoint):
    scopes = {"GET": "consents:read"}

    @operation("get_consents", "What a contact allows", query=ConsentFilters, answer=ConsentShape, many=True)
    def get(self, call: Call, public_id: UUID) -> Any:
        """Now, or as it was on record at `as_of`, replayed from the ledger."""
        contact = contact_id(public_id)
        if "as_of" in call.query:
            held = consent.as_of([contact], call.query["as_of"]).get(contact, {})
            nothing = {"why": "", "since": None, "expires_at": None}
            return [
                {"channel": channel, "purpose": purpose, "allowed": allowed, **nothing}
                for (channel, purpose), allowed in sorted(held.items())
            ]
        now_held = consent.held([contact], call.now).get(contact)
        states = ConsentState.objects.filter(contact_id=contact).order_by("channel", "purpose")
        return [
            {
                "channel": state.channel,
                "purpose": state.purpose,
                "allowed": bool(now_held and now_held.consents.get((state.channel, state.purpose))),
                "why": now_held.why.get((state.channel, state.purpose), "") if now_held else "",
                "since": state.since,
                "expires_at": state.expires_at,
            }
            for state in states
        ]


class ContactConsentHistory(Endpoint):
    scopes = {"GET": "consents:read"}

    @operation("list_consent_history", "Everything a contact said", answer=LineShape, paged=True)
    def get(self, call: Call, public_id: UUID) -> Any:
        """The lines of the ledger, the newest first."""
        rows = ConsentEntry.objects.filter(contact_id=contact_id(public_id))
        return call.page(rows, ("-id",), _draw_lines)


class Consents(Endpoint):
    scopes = {"POST": "consents:write"}

    @operation("record_consents", "Record what people said", body=ConsentsBody, answer=ConsentsAnswer)
    def post(self, call: Call) -> Any:
        """Items that can be read are recorded together; each other one is told why it is not.

        Where a purpose demands a double opt-in, what was given waits until the person confirms it.
        """
        items = call.body["consents"]
        purposes = {EVERY, *Purpose.objects.values_list("slug", flat=True)}
        context = {"now": call.now, "purposes": purposes}
        read = [_read(item, context) for item in items]
        people = iter(finding.find([one[0] for one in read if isinstance(one, tuple)]))
        lines: list[consent.NewConsent] = []
        results: list[dict[str, Any]] = []
        for one in read:
            faults: Sequence[dict[str, Any]] = []
            if not isinstance(one, tuple):
                faults = one
            elif (contact := next(people)) is None:
                faults = [{"field": "contact", "code": "not_found", "message": "There is no such contact."}]
            else:
                lines.append(_line(contact, one[1], call))
            results.append({"status": "rejected" if faults else "accepted", "errors": faults})
        done = consent.ask(lines, call.now) if lines else {}
        call.wake("segments")
        return {
            "recorded": done.get("recorded", 0),
            "asked": done.get("asked", 0),
            "rejected": sum(one["status"] == "rejected" for one in results),
            "results": results,
        }


def _read(
    item: Any, context: dict[str, Any]
) -> tuple[finding.Name | None, dict[str, Any]] | list[dict[str, Any]]:
    """Whom an item is about and what it says, or all that is wrong with it."""
    serializer = ConsentItem(data=item, context=context)
    try:
        serializer.is_valid(raise_exception=True)
        return name_of(serializer.validated_data["contact"]), serializer.validated_data
    except serializers.ValidationError as error:
        return errors_of(error)
    except Refused as refused:
        return [{"field": "contact", "code": refused.code, "message": str(refused.detail)}]


def _line(contact: int, said: dict[str, Any], call: Call) -> consent.NewConsent:
    auth = call.request.auth
    actor = f"API key {auth.prefix}" if isinstance(auth, ApiKey) else f"user {call.acting_user_id}"
    return consent.NewConsent(
        contact,
        said["channel"],
        said["purpose"],
        said["given"],
        "api",
        basis=said["basis"],
        wording=said["wording"],
        proof={**said.get("proof", {}), "actor": actor},
        occurred_at=said.get("occurred_at"),
        expires_at=said.get("expires_at"),
    )


def _draw_lines(rows: list[ConsentEntry]) -> list[dict[str, Any]]:
    names = [
        "id",
        "channel",
        "purpose",
        "basis",
        "wording",
        "origin",
        "proof",
        "occurred_at",
        "recorded_at",
        "expires_at",
    ]
    return [
        {**{name: getattr(row, name) for name in names}, "given": row.action == ConsentEntry.Action.GIVEN}
        for row in rows
    ]
