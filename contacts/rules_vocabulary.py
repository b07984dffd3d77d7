"""The words of the condition language: columns, operators, types, states and limits."""

MOST_CONDITIONS = 200
MOST_DEPTH = 20

TEXT_COLUMNS = frozenset(
    {"email", "phone", "first_name", "last_name", "language", "timezone", "country"},
)
TIME_COLUMNS = frozenset({"first_seen_at", "last_seen_at"})
FLAG_COLUMNS = frozenset({"known"})
COLUMNS = TEXT_COLUMNS | TIME_COLUMNS | FLAG_COLUMNS

#: Columns that an inferred value stands in for while they are empty.
INFERRED_COLUMNS = frozenset({"language", "timezone"})

#: Operators by what they compare with. ``exists`` and ``missing`` take no value.
SAMENESS = ("is", "is_not", "in", "not_in")
TEXT_OPS = ("contains", "not_contains", "starts_with", "ends_with")
LIST_OPS = ("has_any", "has_all", "has_none")
NUMBER_OPS = ("gt", "gte", "lt", "lte", "between")
TIME_OPS = ("before", "after", "within", "within_days", "on", "anniversary_on", "anniversary_within")
PRESENCE = ("exists", "missing")
OPERATORS = (*SAMENESS, *TEXT_OPS, *LIST_OPS, *NUMBER_OPS, *TIME_OPS, *PRESENCE)
PREDICTION_OPS = (*SAMENESS, *NUMBER_OPS, *PRESENCE)
#: What a value can be said to be, and the operators that then make sense.
TYPES = {
    "text": (*SAMENESS, *TEXT_OPS, *PRESENCE),
    "number": (*SAMENESS, *NUMBER_OPS, *PRESENCE),
    "boolean": ("is", "is_not", *PRESENCE),
    "date": (*TIME_OPS, "between", *PRESENCE),
    "list": ("contains", "not_contains", *LIST_OPS, *PRESENCE),
}
#: Who said what is known: the person, our own conclusions, or the one before the other.
ORIGINS = ("either", "declared", "inferred")
#: What a property of several events can come to, beside their count.
TOTALS = ("sum", "avg", "min", "max")
PICKS = ("first", "last")

#: What can be asked of a message, and the event of the log that says so.
MESSAGE_EVENTS = {
    "sent": "Message Sent",
    "delivered": "Message Delivered",
    "opened": "Message Opened",
    "clicked": "Message Clicked",
    "bounced": "Message Bounced",
    "complained": "Message Complained",
    "unsubscribed": "Message Unsubscribed",
    "dropped": "Message Dropped",
    "held": "Message Held",
    "failed": "Message Failed",
}
MESSAGE_FILTERS = ("channel", "journey", "step", "template", "purpose")
CONSENT_STATES = ("allowed", "refused", "expired", "pending", "unknown")
#: Windows that a journey gives; outside a journey they reach back to the beginning.
SINCE_ENTRY, SINCE_STEP = "since_entry", "since_step"
