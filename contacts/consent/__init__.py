"""What contacts allow: a ledger that only grows, the state that follows from it, and suppressed addresses.

Acts for other rooms: ``record`` and ``ask`` write, ``withdraw`` ends, ``states``, ``as_of`` and ``history``
answer, ``shred`` takes the personal parts of proof away without breaking the chain.
"""

from contacts.consent.asking import Answer, ask, confirm, pending
from contacts.consent.expiring import lapse
from contacts.consent.holding import (
    Held,
    Past,
    allowed,
    as_of,
    held,
    history,
    rebuild,
    states,
    transactional_purposes,
)
from contacts.consent.ledger import CHANNELS, EXPIRED, PENDING, NewConsent, lock, record, withdraw
from contacts.consent.shredding import shred
from contacts.consent.suppressing import address_key, allow_again, suppress, suppressed, suppressed_since

__all__ = [
    "CHANNELS",
    "EXPIRED",
    "PENDING",
    "Answer",
    "Held",
    "NewConsent",
    "Past",
    "address_key",
    "allow_again",
    "allowed",
    "as_of",
    "ask",
    "confirm",
    "held",
    "history",
    "lapse",
    "lock",
    "pending",
    "rebuild",
    "record",
    "shred",
    "states",
    "suppress",
    "suppressed",
    "suppressed_since",
    "transactional_purposes",
    "withdraw",
]
