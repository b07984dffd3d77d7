"""The reference of rules holds what the language holds, and its examples can be read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from contacts import rules
from contacts.admin.segment_examples import EXAMPLES, KINDS, OPERATORS
from contacts.rules_reading import Reading
from contacts.rules_vocabulary import (
    CONSENT_STATES,
    FLAG_COLUMNS,
    MESSAGE_EVENTS,
    MESSAGE_FILTERS,
    ORIGINS,
    PICKS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    TOTALS,
    TYPES,
)
from contacts.rules_vocabulary import OPERATORS as KNOWN_OPERATORS

DOC = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "rules.md").read_text(encoding="utf-8")
CONDITIONS = tuple(Reading(in_journey=True).kinds)


@pytest.mark.parametrize("kind", CONDITIONS)
def test_each_condition_has_a_chapter_with_an_example(kind: str) -> None:
    chapter = DOC.split(f"\n## `{kind}`: ", 1)[1].split("\n## ", 1)[0]
    assert f'{{"{kind}": ' in chapter


@pytest.mark.parametrize("operator", KNOWN_OPERATORS)
def test_each_operator_has_a_line_with_an_example(operator: str) -> None:
    chapter = DOC.split("\n## Operators\n", 1)[1].split("\n## ", 1)[0]
    (line,) = [line for line in chapter.splitlines() if line.startswith(f"| `{operator}` |")]
    example = line.split("`")[3]
    assert f'"op": "{operator}"' in example
    rules.parse(json.loads(example))


@pytest.mark.parametrize(
    "word",
    sorted(
        {*MESSAGE_EVENTS, *MESSAGE_FILTERS, *CONSENT_STATES, *TEXT_COLUMNS, *TIME_COLUMNS, *FLAG_COLUMNS}
        | {*ORIGINS, *TYPES, *TOTALS, *PICKS}
        | {
            "type",
            "origin",
            "pick",
            "among",
            "then",
            "then_not",
            "same",
            "per",
            "period",
            "last",
            "at_least",
            "expires_within",
            "all",
            "any",
            "not",
            "count",
            "sum",
            "within",
            "after",
            "before",
            "where",
            "since_entry",
            "since_step",
        }
    ),
)
def test_each_word_of_the_language_is_told(word: str) -> None:
    assert re.search(rf'[`"]{word}[`"]', DOC)


def test_the_examples_can_be_read() -> None:
    examples = re.findall(r"```json\n(.*?)```", DOC, flags=re.DOTALL)
    assert len(examples) > len(CONDITIONS)
    for example in examples:
        rules.parse(json.loads(example))


def test_the_help_beside_the_form_tells_of_every_condition_and_operator() -> None:
    assert {key for key, _what, _line in KINDS} == {"all", "any", "not", *CONDITIONS}
    assert {name for names, _what in OPERATORS for name in names.split(", ")} == set(KNOWN_OPERATORS)
    for key, _what, line in KINDS:
        if "…" not in line:
            assert key in line
            rules.parse(json.loads(line))
    for _title, written in EXAMPLES:
        rules.parse(json.loads(written), in_journey=False)
