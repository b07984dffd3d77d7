"""The decision ledger: what became of messages and why, one decision in words, and taking it again."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from rest_framework import serializers

from channels import explaining, reason_words, reasons, replaying
from channels.models import Decision
from channels.models.provider import Channel
from contacts import finding
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import bad_request, not_found
from contacts.api.fields import Fields
from contacts.models import Contact

_OUTCOMES = {one.name.lower(): int(one) for one in Decision.Outcome}
_WORDS = {number: word for word, number in _OUTCOMES.items()}
_ORIGIN = r"^[a-z]+:\d{1,9}$"
_LONGEST = 366


class DecisionFilters(Fields):
    contact = serializers.UUIDField(required=False)
    message = serializers.IntegerField(
        required=False, min_value=1, help_text="`message` of the message's events."
    )
    reason = serializers.CharField(required=False, max_length=60, help_text="Its code, such as cap.")
    outcome = serializers.ChoiceField(required=False, choices=list(_OUTCOMES))
    channel = serializers.ChoiceField(required=False, choices=Channel.values)
    origin = serializers.RegexField(
        _ORIGIN, required=False, help_text="Who wanted the message, such as journey:12."
    )
    day = serializers.DateField(required=False, help_text="UTC.")


class DecisionShape(Fields):
    id = serializers.IntegerField()
    decided_at = serializers.DateTimeField()
    contact = serializers.UUIDField(allow_null=True, help_text="Null once the contact is gone.")
    message = serializers.IntegerField()
    origin = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(_OUTCOMES))
    channel = serializers.CharField()
    reason = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)
    charter = serializers.IntegerField(allow_null=True, help_text="Its version; null for the default rules.")
    words = serializers.CharField()


class RuleShape(Fields):
    rule = serializers.CharField()
    verdict = serializers.CharField(help_text="pass, wait or refuse.")
    words = serializers.CharField()
    inputs = serializers.DictField()


class DecisionWhole(DecisionShape):
    rules = RuleShape(many=True)


class ReplayShape(Fields):
    status = serializers.ChoiceField(
        choices=[replaying.SAME, replaying.DIFFERENT, replaying.NOT_ASKED, replaying.UNREADABLE]
    )
    differs = serializers.ListField(child=serializers.CharField())
    words = serializers.CharField(help_text="Today's answer; empty where the policy was not asked.")


class ReasonFilters(Fields):
    first = serializers.DateField(required=False, help_text="UTC; six days before the last one if absent.")
    last = serializers.DateField(required=False, help_text="UTC; today if absent.")
    origin = serializers.RegexField(_ORIGIN, required=False, help_text="Such as journey:12.")
    channel = serializers.ChoiceField(required=False, choices=Channel.values)


class ReasonShape(Fields):
    reason = serializers.CharField()
    words = serializers.CharField()
    held = serializers.IntegerField()
    dropped = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class Decisions(Endpoint):
    scopes = {"GET": "messages:read"}

    @operation(
        "list_decisions",
        "What was decided about messages",
        query=DecisionFilters,
        answer=DecisionShape,
        paged=True,
    )
    def get(self, call: Call) -> Any:
        """Newest first; narrowed by contact, message, reason, outcome, channel, origin or day."""
        asked, found = call.query, Decision.objects.all()
        if "contact" in asked:
            contact_id = finding.find_one(asked["contact"])
            if contact_id is None:
                raise not_found("contact")
            found = found.filter(contact_id=contact_id)
        if "message" in asked:
            found = found.filter(message_id=asked["message"])
        for name in ("reason", "channel"):
            if name in asked:
                found = found.filter(**{name: asked[name]})
        if "outcome" in asked:
            found = found.filter(outcome=_OUTCOMES[asked["outcome"]])
        if "origin" in asked:
            kind, _colon, number = asked["origin"].partition(":")
            found = found.filter(origin_kind=kind, origin_id=int(number) or None)
        if "day" in asked:
            begins = datetime.combine(asked["day"], time(), UTC)
            found = found.filter(decided_at__gte=begins, decided_at__lt=begins + timedelta(days=1))
        return call.page(found, ("-decided_at", "-id"), _draw)


class DecisionOne(Endpoint):
    scopes = {"GET": "messages:read"}

    @operation("get_decision", "One decision with its rules", answer=DecisionWhole)
    def get(self, call: Call, decision_id: int) -> Any:
        """Each rule that was asked, in order: its answer, in words, and what it looked at."""
        decision = _one(decision_id)
        lines = [line for line in decision.trace or [] if isinstance(line, list) and len(line) > 1]
        said = zip(explaining.steps(decision), lines, strict=True)
        rules = [
            {
                "rule": line[0],
                "verdict": step.verdict,
                "words": f"{step.rule}: {step.answer}" + (f" ({step.words})" if step.words else ""),
                "inputs": line[2] if len(line) > 2 and isinstance(line[2], dict) else {},
            }
            for step, line in said
        ]
        return {**_draw([decision])[0], "rules": rules}


class DecisionReplay(Endpoint):
    scopes = {"GET": "messages:read"}

    @operation("replay_decision", "Take a decision again", answer=ReplayShape)
    def get(self, call: Call, decision_id: int) -> Any:
        """The same facts, the charter of then, the policy of now. Changes nothing."""
        decision = _one(decision_id)
        found = replaying.replay(decision)
        words = explaining.explain(found.now) if found.now else ""
        return {"status": found.status, "differs": list(found.differs), "words": words}


class DecisionReasons(Endpoint):
    scopes = {"GET": "messages:read"}

    @operation(
        "list_decision_reasons",
        "Why messages were held or not sent, counted",
        query=ReasonFilters,
        answer=ReasonShape,
        many=True,
    )
    def get(self, call: Call) -> Any:
        """The most frequent first, over at most 366 days."""
        last = call.query.get("last") or call.now.astimezone(UTC).date()
        first = call.query.get("first") or last - timedelta(days=6)
        if not 0 <= (last - first).days < _LONGEST:
            raise bad_request(
                "invalid_period", f"From first to last there are 1 to {_LONGEST} days.", "first"
            )
        asked = reasons.Asked(
            first, last, reasons.origin_from(call.query.get("origin", "")), call.query.get("channel", "")
        )
        return [
            {
                "reason": reason,
                "words": reason_words.name(reason),
                "held": tally.held,
                "dropped": tally.dropped,
                "cancelled": tally.cancelled,
            }
            for reason, tally in reasons.report(asked).by_reason.items()
        ]


def _one(decision_id: int) -> Decision:
    found = Decision.objects.filter(pk=decision_id).first()
    if found is None:
        raise not_found("decision")
    return found


def _draw(rows: list[Decision]) -> list[dict[str, Any]]:
    contacts = Contact.objects.in_bulk({row.contact_id for row in rows})
    return [
        {
            "id": row.pk,
            "decided_at": row.decided_at,
            "contact": contacts[row.contact_id].public_id if row.contact_id in contacts else None,
            "message": row.message_id,
            "origin": f"{row.origin_kind}:{row.origin_id or 0}" if row.origin_kind else "",
            "outcome": _WORDS[row.outcome],
            "channel": row.channel,
            "reason": row.reason,
            "until": row.until,
            "charter": row.charter_number,
            "words": explaining.explain(row, explaining.zone_of(contacts.get(row.contact_id))),
        }
        for row in rows
    ]
