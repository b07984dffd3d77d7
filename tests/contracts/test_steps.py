"""What every kind of step promises, whatever it does."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys.fields import Fields, Problem
from journeys.outcomes import Advance, Exit, Facts, WaitFor, WaitUntil
from journeys.steps import KINDS, Step

SINCE = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Somebody:
    """A run that stands on the step."""

    contact_id: int = 7
    journey_id: int = 3
    visit: int = 0
    since: datetime = SINCE
    entered_at: datetime = SINCE
    entry: Mapping[str, Any] = field(default_factory=lambda: {"cart_id": "c1"})


RUN = Somebody()
REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "journeys.md"

NONSENSE: tuple[Any, ...] = (7.5, "\x00", [], {}, [[]], {"a": object}, True)

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def read(kind: type[Step], **changes: Any) -> tuple[Step, list[Problem]]:
    problems: list[Problem] = []
    fields = Fields({**copy.deepcopy(dict(kind.example)), **changes}, "steps.here", problems)
    step = kind.read("here", fields)
    fields.done()
    return step, problems


def facts(step: Step, *, holds: bool) -> Facts:
    return Facts(ZoneInfo("Europe/Paris"), (holds,) * len(step.needs()))


@every_kind
def test_its_example_is_a_good_step(kind: type[Step]) -> None:
    _step, problems = read(kind)
    assert problems == []


@every_kind
def test_it_answers_with_an_outcome_whatever_its_rules_say(kind: type[Step]) -> None:
    step, _problems = read(kind)
    for holds in (True, False):
        outcome = step.decide(RUN, facts(step, holds=holds), SINCE)
        assert isinstance(outcome, Advance | WaitUntil | WaitFor | Exit)


@every_kind
def test_it_gives_the_same_answer_to_the_same_question(kind: type[Step]) -> None:
    step, _problems = read(kind)
    asked = (RUN, facts(step, holds=True), SINCE)
    assert step.decide(*asked) == step.decide(*asked)


@every_kind
def test_only_a_step_that_waits_keeps_a_run_and_its_wakeup_lies_ahead(kind: type[Step]) -> None:
    step, _problems = read(kind)
    outcome = step.decide(RUN, facts(step, holds=False), SINCE)
    if isinstance(outcome, WaitUntil):
        assert outcome.at > SINCE
    if isinstance(outcome, WaitFor):
        assert outcome.timeout_at > SINCE
    assert isinstance(outcome, WaitUntil | WaitFor) == kind.waits


@every_kind
def test_a_step_that_waits_lets_go_at_last(kind: type[Step]) -> None:
    step, _problems = read(kind)
    outcome = step.decide(RUN, facts(step, holds=False), SINCE + timedelta(days=2000))
    assert isinstance(outcome, Advance | Exit)


@every_kind
def test_it_goes_only_where_its_edges_lead(kind: type[Step]) -> None:
    step, _problems = read(kind)
    targets = {target for _field, target in step.edges()}
    for holds in (True, False):
        outcome = step.decide(RUN, facts(step, holds=holds), SINCE + timedelta(days=2000))
        assert not isinstance(outcome, Advance) or outcome.next in targets


@every_kind
def test_it_says_in_words_what_it_does(kind: type[Step]) -> None:
    step, _problems = read(kind)
    assert len(step.words()) > 5


@every_kind
def test_a_misspelt_field_is_a_problem_with_its_path(kind: type[Step]) -> None:
    _step, problems = read(kind, tiemout="2 days")
    assert [problem.path for problem in problems] == ["steps.here.tiemout"]


@every_kind
def test_nonsense_in_any_field_is_a_problem_and_no_crash(kind: type[Step]) -> None:
    for name in kind.example:
        for nonsense in NONSENSE:
            read(kind, **{name: nonsense})


@every_kind
def test_its_form_asks_for_every_field_that_it_reads(kind: type[Step]) -> None:
    class Noting(Fields):
        def raw(self, name: str) -> Any:
            seen.add(name)
            return super().raw(name)

    seen = set[str]()
    for mode in [name for name, _words in kind.form.modes] or [""]:
        data = {**kind.example, mode: "x"} if mode else dict(kind.example)
        kind.read("here", Noting(data, "steps.here", []))
    asked = {each.name for each in kind.form.inputs}
    assert seen <= asked
    assert {name for name, _words in kind.form.modes} <= asked
    assert set(kind.example) <= asked


@every_kind
def test_its_form_shows_its_example_in_one_mode(kind: type[Step]) -> None:
    shown = kind.form.shown(kind.form.mode(kind.example))
    assert set(kind.example) <= {each.name for each in shown}


@every_kind
def test_it_can_be_copied_to_another_process(kind: type[Step]) -> None:
    step, _problems = read(kind)
    assert pickle.loads(pickle.dumps(step)) == step


@every_kind
def test_it_is_in_the_reference(kind: type[Step]) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert f"### `{kind.kind}`" in text
    for name in kind.example:
        assert f"`{name}`" in text
