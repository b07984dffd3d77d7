"""People and facts for tests of the policy: Alice may be reached everywhere, on Paris time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from channels import charter_rules
from channels.policy_facts import Candidate, Facts, Person

#: Tuesday, 13:00 in Paris.
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
OPEN = {"email": False, "sms": False, "push": False}


def alice(**values: Any) -> Person:
    defaults: dict[str, Any] = {
        "contact_id": 1,
        "zones": ("Europe/Paris",),
        "consents": {("email", "*"): True, ("sms", "*"): True, ("push", "*"): True},
        "addresses": {"email": "alice@example.com", "sms": "+33612345678", "push": "https://push.example"},
    }
    return Person(**{**defaults, **values})


def offer(message_id: int = 1, **values: Any) -> Candidate:
    defaults: dict[str, Any] = {"purpose": "offers", "wanted": ("email",), "due_at": NOW}
    return Candidate(message_id, **{**defaults, **values})


def facts(charter: dict[str, Any] | None = None, **values: Any) -> Facts:
    defaults: dict[str, Any] = {
        "now": NOW,
        "candidate": offer(),
        "person": alice(),
        "charter": charter_rules.parse(charter or {}),
        "providers": OPEN,
    }
    return Facts(**{**defaults, **values})
