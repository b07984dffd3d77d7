"""What is doubtful in a charter that can be read: rules that do nothing, or more than was meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from channels import policy_time
from channels.charter_parts import CHANNELS, About, Cap, Charter, Closed
from channels.charter_reading import Problem
from channels.smart import ALWAYS


@dataclass(frozen=True, slots=True)
class Known:
    """What a charter's names can mean, and the day on which it is looked at.

    ``purposes`` are all of them, ``marketing`` those that the charter rules.
    """

    today: date
    purposes: frozenset[str]
    marketing: frozenset[str]
    segments: frozenset[str]
    tags: frozenset[str]


def doubts(charter: Charter, known: Known | None = None) -> list[Problem]:
    """All of them, by path. What names mean is asked only where it is ``known``."""
    found = [*_of_caps(charter.caps), *_of_hours(charter), *_of_channels(charter), *_of_laws(charter)]
    if charter.smart.explore + charter.smart.control >= 100:
        found.append(("smart", "chance and comparison leave nothing to the best choice"))
    if known is not None:
        found += [*_unknown(charter, known), *_past(charter, known.today), *_carried_by_none(charter, known)]
    return [Problem(path, message, warning=True) for path, message in found]


_Doubt = tuple[str, str]


def _of_caps(caps: tuple[Cap, ...]) -> Iterator[_Doubt]:
    for i, cap in enumerate(caps):
        if cap.limit == 0:
            yield f"caps.{i}.limit", "a limit of 0 lets nothing out"
    for i in range(len(caps)):
        if (k := _idle_beside(i, caps)) is not None:
            yield f"caps.{i}", f"never matters: cap {k + 1} allows no more, and in a longer time"


def _idle_beside(i: int, caps: tuple[Cap, ...]) -> int | None:
    """The place of another cap, at least as strict, that makes this one idle."""
    cap = caps[i]
    for k, other in enumerate(caps):
        shorter = cap.rolling and other.rolling and cap.rolling <= other.rolling
        alike = _but_for_its_size(cap) == _but_for_its_size(other)
        if i != k and alike and shorter and other.limit <= cap.limit and (cap != other or k < i):
            return k
    return None


def _but_for_its_size(cap: Cap) -> Cap:
    return replace(cap, name="", limit=0, rolling=None, calendar="")


def _of_hours(charter: Charter) -> Iterator[_Doubt]:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    for channel in CHANNELS:
        hours = charter.quiet_by_channel[channel]
        if policy_time.free_of_quiet_hours(monday, hours, (charter.default_zone,)) is None:
            yield "quiet_hours", f"{channel} never has a free hour"


def _of_channels(charter: Charter) -> Iterator[_Doubt]:
    off = [channel for channel in CHANNELS if channel not in charter.order]
    for channel in off:
        yield "channels.order", f"{channel} is switched off"
    for i, (channel, _purposes) in enumerate(charter.roles):
        if channel in off:
            yield f"channels.roles.{i}", f"does nothing: {channel} is switched off"
    pairs = [(rule.drop, rule.when) for rule in charter.redundancy]
    for i, rule in enumerate(charter.redundancy):
        path = f"redundancy.{i}"
        if not rule.ahead and not rule.behind:
            yield path, "without “ahead” or “behind” it does little"
        if rule.drop in off or rule.when in off:
            yield path, f"does nothing: {rule.drop if rule.drop in off else rule.when} is switched off"
        if (rule.when, rule.drop) in pairs[:i]:
            yield (
                path,
                f"{rule.drop} and {rule.when} leave each other out: their turn decides which one goes",
            )
    if charter.smart.channel == ALWAYS and len(charter.order) < 2:
        yield "smart.channel", "does nothing: there is one channel"


def _of_laws(charter: Charter) -> Iterator[_Doubt]:
    chosen = [pack for pack, _variant in charter.laws]
    for i, pack in enumerate(chosen):
        if pack in chosen[:i]:
            yield f"laws.{i}", f"“{pack}” is chosen twice: both readings hold, the stricter one counts"


def _unknown(charter: Charter, known: Known) -> Iterator[_Doubt]:
    """Names that mean nothing here: a rule that names only such ones is about nobody and nothing."""
    for path, about in _abouts(charter):
        yield from _missing(f"{path}.purposes", "purpose", about.purposes, known.purposes)
        yield from _missing(f"{path}.tags", "template has the tag", about.tags, known.tags)
    for i, rule in enumerate(charter.raised):
        yield from _missing(f"priorities.{i}.purposes", "purpose", rule.purposes, known.purposes)
        yield from _missing(f"priorities.{i}.segments", "segment", rule.segments, known.segments)
    for i, (_channel, purposes) in enumerate(charter.roles):
        yield from _missing(f"channels.roles.{i}.purposes", "purpose", purposes, known.purposes)


def _abouts(charter: Charter) -> Iterator[tuple[str, About]]:
    yield from ((f"caps.{i}", cap) for i, cap in enumerate(charter.caps))
    yield from ((f"blackouts.{i}", one) for i, one in enumerate(_blackouts(charter)))
    holidays = (one for one in charter.closed if one.holidays)
    yield from ((f"holidays.{i}", one) for i, one in enumerate(holidays))
    for i, rule in enumerate(charter.combinations):
        yield f"combinations.{i}", rule.one
        if rule.other is not None:
            yield f"combinations.{i}.with", rule.other


def _missing(path: str, what: str, named: Iterable[str], known: frozenset[str]) -> Iterator[_Doubt]:
    for name in sorted(set(named) - known):
        yield path, f"no {what} “{name}”"


def _blackouts(charter: Charter) -> list[Closed]:
    return [one for one in charter.closed if not one.holidays]


def _past(charter: Charter, today: date) -> Iterator[_Doubt]:
    for i, one in enumerate(_blackouts(charter)):
        if one.last is not None and one.last < today and not one.every_year:
            yield f"blackouts.{i}.to", "these days are over"


def _carried_by_none(charter: Charter, known: Known) -> Iterator[_Doubt]:
    if any(channel not in charter.carried for channel in charter.order):
        return
    carried = frozenset().union(*(charter.carried[channel] for channel in charter.order))
    for purpose in sorted(known.marketing - carried):
        yield "channels.roles", f"no channel carries “{purpose}”: such messages are never sent"
