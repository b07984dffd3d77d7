"""What an error of a batch means: others were in the way, the store is at fault, or the data is."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from django.db import (
    Error,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)

from contacts.identity import ContendedError

_T = TypeVar("_T")
_TRIES = 5
_LONGEST_PAUSE = 0.05
"Seconds before what was contended is tried again."
_OUTAGE_PAUSE = 0.25

#: Whatever a statement may raise, through Django or past it.
STORE_FAULTS = (Error, psycopg.Error)
#: The database was away or broke off: nobody's data is to blame.
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)

_RACES = (ContendedError, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
# What the size or depth of one value can bring about, though its class says otherwise.
_THE_DATA = (psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex)
# Faults of the database or of this installation: whatever was to be stored must stay where it is.
_NOT_THE_DATA = (*AWAY, ProgrammingError, psycopg.ProgrammingError, MemoryError)


def lost_a_race(error: Exception) -> bool:
    """Another worker changed the same people; the batch may simply be taken again."""
    return isinstance(error, _RACES) or isinstance(error.__cause__, _RACES)


def lies_in_the_data(error: Exception) -> bool:
    """At least one item of the batch can never be stored; the others can."""
    return isinstance(error, _THE_DATA) or not isinstance(error, _NOT_THE_DATA)


class ContendedTooLong(Exception):
    """Others kept changing the same people; nothing was stored, and the same may be asked again."""


def again(act: Callable[[], _T]) -> _T:
    """What ``act`` gives, in a transaction; tried anew if others were in the way. Raises ContendedTooLong."""
    for _try in range(_TRIES):
        try:
            with transaction.atomic():
                return act()
        except Exception as error:
            if not lost_a_race(error):
                raise
            time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 (no secret)
    raise ContendedTooLong


def outlast(act: Callable[[], _T], seconds: float) -> _T:
    """What ``act`` gives; tried anew on a new connection while the database is away, for so long at most.

    For what this process alone knows. ``act`` has its own transaction and may be done twice. Within a
    transaction of the caller, which is over then, it is tried once.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except AWAY:
            if connection.in_atomic_block or time.monotonic() > end:
                raise
            connection.close()
            time.sleep(_OUTAGE_PAUSE)
