"""What a promise is made of, and the three ways of looking whether it holds.

A look never asks about everything again. *Standing* looks ask what is wrong at this moment, by indexes that
hold little. *Passing* looks go along a table by its ids and ask of each row once, and of rows that were
found broken again until they are not. *Asked* looks are functions, for what SQL cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple


class Found(NamedTuple):
    """Something that is not as promised. ``key`` names it for good, ``about`` says by numbers what to see.

    ``row`` is the id by which a passing look finds it again.
    """

    key: str
    at: datetime | None
    about: Mapping[str, Any]
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """SQL that returns (key, at, about as JSON). Parameters: ``now`` and ``most`` (rows that are kept)."""

    sql: str
    #: What is wrong for a shorter time is not told to anybody.
    patience: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Passing:
    """SQL over the rows of ``table`` with ids above ``after``, up to ``upto``: (key, at, about, row).

    ``since`` is the column of the row's time: rows younger than ``settled`` may still be written. A table
    that is not read by its ids says ``ahead``: SQL that returns up to where to look next and whether there is
    more behind that; its parameter is ``after``.
    """

    table: str
    since: str
    sql: str
    settled: timedelta = timedelta(minutes=2)
    patience: timedelta = timedelta(0)
    ahead: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A function of the instant and of the ids (after, upto] of ``table``, if there is one.

    It runs outside a transaction where it is ``outside``, for what has to be asked of others.
    """

    ask: Callable[[datetime, int, int], Iterable[Found]]
    table: str = ""
    since: str = ""
    settled: timedelta = timedelta(minutes=2)
    outside: bool = False
    patience: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise in words, and how to look. ``alarms`` is off for what is counted and is no breach."""

    name: str
    title: Any
    #: What it means when it does not hold, and what to do then.
    meaning: Any
    remedy: Any
    look: Standing | Passing | Asked
    every: timedelta = timedelta(seconds=30)
    alarms: bool = True
    room: str = field(default="", compare=False)
