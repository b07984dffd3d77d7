from __future__ import annotations

import re
from pathlib import Path

import pytest

from journeys import goals, redirecting, step_words, steps
from journeys.engine import STOPPED

ROOT = Path(steps.__file__).parent


@pytest.mark.parametrize("kind", [*steps.KINDS])
def test_each_kind_of_step_has_its_sign(kind: str) -> None:
    assert kind in step_words.ICONS


def test_each_outcome_that_a_step_can_have_has_its_words() -> None:
    told = {goals.LATE, redirecting.LEFT, STOPPED, "added", "removed", "again", "moved"}
    for file in ROOT.glob("*.py"):
        told |= set(re.findall(r'Advance\([^,"]+, "([a-z_ ]+)"', file.read_text()))
    assert {"waited", "timed_out", "answered", "failed call", "limit"} <= told
    for outcome in told:
        assert outcome in step_words.OUTCOMES, outcome


def test_a_way_that_somebody_named_is_told_by_its_name() -> None:
    assert step_words.words("smart_split", "likely") == "took the way “likely”"
    assert step_words.words("branch", "waited") == "took the way “waited”"
    assert step_words.words("branch", "failed") == "failed and was set aside"
    assert step_words.words("wait", "waited") == "waited long enough"
