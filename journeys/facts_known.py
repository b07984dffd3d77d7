"""What steps want to know beside verdicts of rules: attributes, predictions, how often a run went round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from contacts import statements
from journeys.outcomes import Predicted
from journeys.walking import Walk


def load(walks: Sequence[Walk]) -> dict[int, dict[str, Any]]:
    """Place among ``walks`` -> what its step asked for, as fields of ``Facts``. A statement for each kind."""
    asking = [(place, walk) for place, walk in enumerate(walks) if walk.step in walk.graph.asking]
    if not asking:
        return {}
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    _attributes([each for each in asking if _step(each[1]).reads()], found)
    _predictions([each for each in asking if _step(each[1]).predicts()], found)
    _rounds([each for each in asking if _step(each[1]).counts], found)
    _answers(asking, found)
    return found


def _step(walk: Walk) -> Any:
    return walk.graph.steps[walk.step]


def _attributes(asking: Sequence[tuple[int, Walk]], found: dict[int, dict[str, Any]]) -> None:
    if not asking:
        return
    names = frozenset[str]().union(*(_step(walk).reads() for _place, walk in asking))
    rows = statements.rows(
        "SELECT c.id, (SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}')"
        " FROM jsonb_each(c.inferred || c.attributes) AS e WHERE e.key = ANY(%b::text[]))::text"
        " FROM contacts_contact c WHERE c.slot = ANY(%b::int2[]) AND c.id = ANY(%b::int8[])",
        [sorted(names), *_people(asking)],
    )
    by_contact = {contact_id: msgspec.json.decode(text) for contact_id, text in rows}
    for place, walk in asking:
        found[place]["known"] = by_contact.get(walk.contact_id, {})


def _predictions(asking: Sequence[tuple[int, Walk]], found: dict[int, dict[str, Any]]) -> None:
    if not asking:
        return
    names = frozenset[str]().union(*(_step(walk).predicts() for _place, walk in asking))
    rows = statements.rows(
        "SELECT p.contact_id, p.name, p.number, p.value::text FROM contacts_prediction p"
        " WHERE p.name = ANY(%b::text[]) AND p.slot = ANY(%b::int2[]) AND p.contact_id = ANY(%b::int8[])",
        [sorted(names), *_people(asking)],
    )
    by_contact: dict[int, dict[str, Predicted]] = defaultdict(dict)
    for contact_id, name, number, text in rows:
        value = msgspec.json.decode(text)
        by_contact[contact_id][name] = Predicted(number, value if isinstance(value, dict) else {})
    for place, walk in asking:
        found[place]["predicted"] = by_contact.get(walk.contact_id, {})


def _rounds(asking: Sequence[tuple[int, Walk]], found: dict[int, dict[str, Any]]) -> None:
    """Since the run last left the loop, or ever. The step log has an index on run and visit."""
    for place, walk in asking:
        if walk.rounds is not None:
            found[place]["times"] = walk.rounds.get(walk.step, 0)
    asking = [(place, walk) for place, walk in asking if walk.rounds is None]
    if not asking:
        return
    rows = statements.rows(
        "SELECT u.run_id, count(*) FROM unnest(%b::int8[], %b::text[]) AS u(run_id, step)"
        " JOIN journeys_stepentry e ON e.run_id = u.run_id AND e.step = u.step AND e.outcome = 'again'"
        " AND e.visit > coalesce((SELECT max(o.visit) FROM journeys_stepentry o WHERE o.run_id = u.run_id"
        " AND o.step = u.step AND o.outcome IN ('done', 'limit')), -1)"
        " GROUP BY u.run_id",
        [[walk.run_id for _place, walk in asking], [walk.step for _place, walk in asking]],
    )
    times = dict(rows)
    for place, walk in asking:
        found[place]["times"] = times.get(walk.run_id, 0)


def _answers(asking: Sequence[tuple[int, Walk]], found: dict[int, dict[str, Any]]) -> None:
    """The latest answer at each step. They stay with the walk, since a message takes them all along."""
    asking = [
        (place, walk)
        for place, walk in asking
        if _step(walk).answers() or (walk.graph.calling and _step(walk).sends())
    ]
    unknown = [walk.run_id for _place, walk in asking if walk.answers is None]
    told: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    if unknown:
        rows = statements.rows(
            "SELECT DISTINCT ON (run_id, step) run_id, step, visit, state = 2, status, answer::text, error"
            " FROM journeys_endpointcall WHERE run_id = ANY(%b::int8[]) AND state IN (2, 3)"
            " ORDER BY run_id, step, visit DESC",
            [unknown],
        )
        for run_id, step, visit, answered, status, body, error in rows:
            told[run_id][step] = {
                "visit": visit,
                "answered": answered,
                "status": status,
                "body": None if body is None else msgspec.json.decode(body),
                "error": error,
            }
    for place, walk in asking:
        if walk.answers is None:
            walk.answers = told.get(walk.run_id, {})
        found[place]["answers"] = walk.answers


def _people(asking: Sequence[tuple[int, Walk]]) -> list[list[int]]:
    return [sorted({walk.slot for _place, walk in asking}), [walk.contact_id for _place, walk in asking]]
