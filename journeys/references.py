"""Whether what a graph names exists: templates, audiences, purposes, segments, also inside its rules."""

from __future__ import annotations

from collections.abc import Iterator

from channels.models import Audience, Template
from channels.surveys import versions as survey_versions
from contacts import rules, rules_tree
from contacts.models import Purpose, Segment
from contacts.rules import Rule, RuleError
from journeys import selfstarting, versions
from journeys.fields import Problem
from journeys.graph import Graph
from journeys.models import Endpoint


def missing(found: Graph) -> list[Problem]:
    """A problem for each thing that the graph names and nobody made. Eight statements at most."""
    problems = list(_templates(found))
    kinds = dict(Segment.objects.values_list("slug", "kind"))
    purposes = set(Purpose.objects.values_list("slug", flat=True))
    by_hand = {slug for slug, kind in kinds.items() if kind == Segment.Kind.STATIC}
    for known, named, noun in (
        (by_hand, found.lists(), "list kept by hand"),
        (set(Audience.objects.values_list("slug", flat=True)), found.audiences(), "audience"),
        (purposes, found.purposes(), "purpose"),
        (set(Endpoint.objects.values_list("slug", flat=True)), found.endpoints(), "endpoint"),
        (kinds, found.trigger_segment(), "segment"),
        (survey_versions.published() if found.surveys() else set(), found.surveys(), "published survey"),
    ):
        problems += [
            Problem(path, f"no {noun} is named “{slug}”") for path, slug in named.items() if slug not in known
        ]
    for path, rule in ruled(found):
        for slug in sorted(rules.segments(rule) - kinds.keys()):
            problems.append(Problem(path, f"no segment is named “{slug}”"))
        asked = {leaf.purpose for leaf in rules_tree.leaves(rule) if isinstance(leaf, rules_tree.Consented)}
        for slug in sorted(asked - purposes):
            problems.append(Problem(path, f"no purpose is named “{slug}”"))
    return problems


def going_round(slug: str, found: Graph) -> list[Problem]:
    """A problem where the graph, as ``slug``, would start itself for ever, if only by way of others."""
    if found.entry.mode != "always":
        return []
    live = {version.slug: version.graph for version in versions.live() if version.graph}
    way = selfstarting.ring(slug, {**live, slug: found}, _segments())
    if not way:
        return []
    return [
        Problem(
            "entry.mode",
            f"would go round for ever: {' → '.join(way)}; let people enter once, or once in a window",
        )
    ]


def ruled(found: Graph) -> Iterator[tuple[str, Rule]]:
    """Path and rule of everything in the graph that asks about a person."""
    for path, checked in (("audience", found.audience), ("exit", found.exit)):
        if checked:
            yield path, checked.rule
    if found.goal:
        yield "goal", found.goal.rule.rule
    for step in found.steps.values():
        for rule in step.needs():
            yield f"steps.{step.id}", rule
        if (wanted := step.sends()) and wanted.conditions:
            yield f"steps.{step.id}.conditions", rules.parse(wanted.conditions)


def _templates(found: Graph) -> Iterator[Problem]:
    channels = dict(Template.objects.values_list("slug", "channel"))
    for path, (channel, slug) in found.templates().items():
        if slug not in channels:
            yield Problem(path, f"no template is named “{slug}”")
        elif channels[slug] != channel:
            yield Problem(path, f"“{slug}” is a template for {channels[slug]}")


def _segments() -> dict[str, Rule | None]:
    found: dict[str, Rule | None] = {}
    for slug, kind, data in Segment.objects.filter(active=True).values_list("slug", "kind", "rule"):
        try:
            found[slug] = None if kind == Segment.Kind.STATIC else rules.parse(data, in_journey=False)
        except RuleError:
            found[slug] = None
    return found
