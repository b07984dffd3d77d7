"""What intake accepts: the limits of the Segment contract, and bounds that keep stored JSON harmless."""

from __future__ import annotations

from datetime import UTC, datetime

MAX_BODY_BYTES = 500 * 1024
"Of one request, after unpacking gzip."
MAX_EVENT_BYTES = 32 * 1024
MAX_BATCH_EVENTS = 2_500
MAX_SHARED_BYTES = 4 * 1024 * 1024
"Of a batch's common context, counted once for each of its events: else 500 KB could unfold to gigabytes."

MAX_MESSAGE_ID = 100
MAX_ID = 512
MAX_NAME = 256
MAX_KEY = 256
MAX_KEYS = 2_000
"Keys of one event, all levels together."
MAX_DEPTH = 32

# PostgreSQL writes numbers out in full: the eight characters 1e100000 would become 100,001 digits.
MAX_WHOLE, MIN_WHOLE = 2**64 - 1, -(2**63)
MAX_EXPONENT = 30
MAX_NUMBER_LENGTH = 40

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"Before it, a clock that was never set is likelier than an event."
