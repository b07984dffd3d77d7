"""Segments that ask about segments: no cycle among them, and the asked come before the asking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from contacts import rules
from contacts.models import Segment
from contacts.rules import Rule, RuleError


def check(slug: str, rule: Rule) -> None:
    """Refuse a rule of segment ``slug`` that names an unknown segment, or would ask about itself."""
    named = rules.segments(rule)
    if not named:
        return
    stored = dict(Segment.objects.values_list("slug", "rule"))
    for name in sorted(named):
        if name not in stored and name != slug:
            raise RuleError("segment", f"no segment has the slug “{name}”")
    asks: dict[str, frozenset[str]] = {other: _asked(data) for other, data in stored.items()}
    asks[slug] = named
    try:
        TopologicalSorter(asks).prepare()
    except CycleError as error:
        chain = " asks about ".join(f"“{name}”" for name in reversed(error.args[1]))
        raise RuleError("segment", f"the segments would ask in a circle: {chain}") from None


def asked_first(segments: Iterable[Segment]) -> list[Segment]:
    """``segments`` in an order in which each comes after those it asks about."""
    by_slug = {segment.slug: segment for segment in segments}
    asks: Mapping[str, frozenset[str]] = {
        slug: _asked(segment.rule) & by_slug.keys() for slug, segment in by_slug.items()
    }
    try:
        order = list(TopologicalSorter(asks).static_order())
    except CycleError:
        # Only by hand in the database; any order is as good then.
        order = list(by_slug)
    return [by_slug[slug] for slug in order]


def askers() -> dict[str, list[Segment]]:
    """Per slug the segments whose rule asks about it."""
    found: dict[str, list[Segment]] = {}
    for segment in Segment.objects.all():
        for slug in _asked(segment.rule):
            found.setdefault(slug, []).append(segment)
    return found


def used_in(slug: str) -> list[Segment]:
    """The segments whose rule asks about segment ``slug``."""
    return askers().get(slug, [])


def _asked(data: object) -> frozenset[str]:
    try:
        return rules.segments(rules.parse(data))
    except RuleError:
        return frozenset()
