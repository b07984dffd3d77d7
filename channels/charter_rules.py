"""The charter as data: what it means when parts are left out, and everything that can be wrong. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from channels import charter_doubts, smart_reading
from channels.charter_doubts import Known
from channels.charter_parts import (
    AWAITED,
    CHANNELS,
    PATIENCE,
    PERSON,
    Cap,
    Charter,
    Redundancy,
)
from channels.charter_reading import Problem
from channels.charter_reading_rules import RuleReader

__all__ = [
    "AWAITED",
    "CHANNELS",
    "DEFAULT",
    "PARTS",
    "PERSON",
    "Cap",
    "Charter",
    "CharterError",
    "Problem",
    "Redundancy",
    "lint",
    "parse",
]


class CharterError(Exception):
    """The charter cannot be read; ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


#: The parts of a charter's data, in the order in which people read them.
PARTS = (
    *("channels", "smart", "consent", "engagement", "caps", "spacing", "redundancy", "combinations"),
    *("priorities", "quiet_hours", "laws", "blackouts", "holidays", "time", "tone"),
)

#: What rules until somebody publishes another charter.
DEFAULT: dict[str, Any] = {
    "caps": [
        {"name": "four a week", "limit": 4, "rolling": "7 days"},
        {"name": "two texts a week", "limit": 2, "calendar": "week", "zone": PERSON, "channels": ["sms"]},
    ],
    "spacing": {"one_a_day": True, "apart": "12 hours"},
    "quiet_hours": [
        {"channels": ["sms", "push"], "from": "20:00", "to": "08:00"},
        {"channels": ["sms"], "from": "00:00", "to": "00:00", "days": ["sunday"]},
    ],
    "laws": [{"pack": "ca"}, {"pack": "fr"}, {"pack": "us"}],
    "redundancy": [{"drop": "push", "when": "email", "ahead": "24 hours"}],
    "channels": {"order": ["email", "push", "sms", "inapp"], "order_by": "message", "fallback": "refused"},
    "consent": {"unasked": "refuse"},
    "time": {"unknown_zone": "every", "default_zone": "Europe/Paris", "jitter": "15 minutes"},
}


def parse(data: object, number: int | None = None) -> Charter:
    """Read a charter; raises CharterError with every problem that is not a mere warning."""
    reader = RuleReader()
    charter = _charter(reader, data, number)
    if reader.problems:
        raise CharterError(reader.problems)
    return charter


def lint(data: object, known: Known | None = None) -> list[Problem]:
    """Everything wrong or doubtful in a charter, by path; also what its names mean, where it is ``known``."""
    try:
        charter = parse(data)
    except CharterError as error:
        return error.problems
    return charter_doubts.doubts(charter, known)


def _charter(reader: RuleReader, data: object, number: int | None) -> Charter:
    parts = reader.fields(data, "", set(PARTS))
    spacing = reader.fields(parts.get("spacing", {}), "spacing", {"one_a_day", "apart"})
    known = {"order", "order_by", "fallback", "roles"}
    channels = reader.fields(parts.get("channels", {}), "channels", known)
    consent = reader.fields(parts.get("consent", {}), "consent", {"unasked"})
    known = {"unknown_zone", "default_zone", "jitter", "patience"}
    times = reader.fields(parts.get("time", {}), "time", known)
    bands = reader.bands(parts.get("engagement", {}), "engagement")
    patience = reader.duration(times, "time.patience", f"{PATIENCE.days} days")
    if not timedelta() < patience <= timedelta(days=92):
        reader.wrong("time.patience", "must be more than nothing and at most 92 days")
    return Charter(
        caps=reader.each(parts, "caps", reader.cap(bands)),
        bands=bands,
        one_a_day=reader.flag(spacing, "spacing.one_a_day"),
        apart=reader.duration(spacing, "spacing.apart"),
        quiet_hours=reader.each(parts, "quiet_hours", reader.quiet),
        laws=reader.each(parts, "laws", reader.law),
        closed=reader.each(parts, "blackouts", reader.blackout)
        + reader.each(parts, "holidays", reader.holidays),
        redundancy=reader.each(parts, "redundancy", reader.redundancy),
        combinations=reader.each(parts, "combinations", reader.combination),
        raised=reader.each(parts, "priorities", reader.raised),
        order=tuple(reader.channels(channels, "channels.order", CHANNELS)),
        order_by=reader.choice(channels, "channels.order_by", ("message", "charter")),
        fallback=reader.choice(channels, "channels.fallback", ("refused", "held")),
        roles=reader.each(channels, "channels.roles", reader.role),
        tone=reader.tone(parts.get("tone", {}), "tone"),
        smart=smart_reading.smart(reader, parts.get("smart", {})),
        unasked=reader.choice(consent, "consent.unasked", ("refuse", "allow")),
        unknown_zone=reader.choice(times, "time.unknown_zone", ("every", "default")),
        default_zone=reader.zone(times, "time.default_zone", "UTC"),
        jitter=reader.duration(times, "time.jitter"),
        patience=patience,
        number=number,
    )
