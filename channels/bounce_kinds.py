"""Whether a bounce ends an address, in each email service's own words. Pure.

Anymail's reasons do not say: a full mailbox and one that never was are both "bounced" there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_POSTMARK = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})
#: Invalid recipient, no recipient, and a bounce that says no more than that.
_SPARKPOST = frozenset({"10", "30", "90"})
_UNISENDER = frozenset(
    {"err_user_unknown", "err_user_inactive", "err_domain_inactive", "err_mailbox_discarded"}
)

_ENDED: Mapping[str, Callable[[Any], bool]] = {
    "amazon_ses": lambda told: told["bounce"]["bounceType"] == "Permanent",
    "brevo": lambda told: told["event"] in ("hard_bounce", "invalid_email"),
    "mailersend": lambda told: told["data"]["type"] == "hard_bounced",
    "mailgun": lambda told: told["event-data"]["severity"] == "permanent" if "event-data" in told
    else told["severity"] == "permanent",
    "mailjet": lambda told: bool(told["hard_bounce"]),
    "mailtrap": lambda told: told["event"] == "bounce",
    "mandrill": lambda told: told["event"] == "hard_bounce",
    "postal": lambda told: told["event"] == "MessageBounced",
    "postmark": lambda told: told["Type"] in _POSTMARK,
    "resend": lambda told: told["data"]["bounce"]["type"] == "Permanent",
    "sendgrid": lambda told: told.get("type", "bounce") == "bounce",
    "sparkpost": lambda told: str(next(iter(told["msys"].values()))["bounce_class"]) in _SPARKPOST,
    "unisender_go": lambda told: told["delivery_info"]["delivery_status"] in _UNISENDER,
}  # fmt: skip


def ended(service: object, told: Any) -> bool:
    """Whether nobody is to be written to there again. What is not clear ends nothing."""
    try:
        return _ENDED[str(service)](told)
    except (LookupError, TypeError, AttributeError):
        return False
