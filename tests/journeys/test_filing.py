from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from journeys import filing, library, notation
from journeys.models import Journey

GRAPH: dict[str, Any] = {
    "trigger": {"event": "X"},
    "start": "rest",
    "steps": {"rest": {"type": "wait", "for": "1 day"}},
}
TEXT = "name: Mine\ntrigger: {event: X}\nstart: rest\nsteps: {rest: {type: wait, for: 1 day}}\n"

_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20)
_PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    _TEXTS,
    st.sampled_from(["on", "10:00", "null", "1"]),
)
_NAMES = st.sampled_from(["rest", "mail", "on", "no", "2024-01-01", "x y"])
_DATA = st.dictionaries(
    st.sampled_from(["trigger", "goal", "exit", "start", "timezone", "odd"]),
    st.recursive(
        _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3)
    ),
)


@given(data=_DATA, steps=st.dictionaries(_NAMES, st.dictionaries(_NAMES, _PLAIN, max_size=3), max_size=4))
def test_whatever_is_written_is_read_again_and_written_alike(data: dict[str, Any], steps: Any) -> None:
    journey = Journey(name="Mine", slug="mine", draft={**data, "steps": steps})
    text = filing.write(journey)
    file = filing.read("mine", text)
    assert file.problems == []
    assert file.data == {**data, "steps": steps, "name": "Mine"}
    assert notation.write(file.data) == text


@pytest.mark.django_db
def test_every_journey_comes_back_from_its_file_unchanged() -> None:
    for journey in library.load():
        (plan,) = filing.plan([filing.read(journey.slug, filing.write(journey))])
        assert (plan.act, plan.faults) == ("same", [])


@pytest.mark.django_db
def test_a_file_becomes_a_draft_and_then_a_change_of_it() -> None:
    (plan,) = filing.plan([filing.read("mine", TEXT)])
    assert plan.act == "create"
    (journey,) = filing.apply([plan])
    assert (journey.name, journey.draft) == ("Mine", {**GRAPH, "name": "Mine"})
    (plan,) = filing.plan([filing.read("mine", TEXT.replace("1 day", "2 days"))])
    assert [str(change) for change in plan.changes] == [
        "steps.rest: Wait 1 day (next → end) → Wait 2 days (next → end)"
    ]
    assert filing.apply(filing.plan([filing.read("mine", TEXT)])) == []


@pytest.mark.django_db
def test_all_files_are_applied_or_none_is() -> None:
    plans = filing.plan([filing.read("mine", TEXT), filing.read("other", TEXT[:-3])])
    with pytest.raises(ValueError, match="cannot be applied"):
        filing.apply(plans)
    assert not Journey.objects.exists()


@pytest.mark.django_db
def test_what_a_file_names_and_is_missing_here_is_named() -> None:
    text = TEXT.replace("{event: X}", "{segment: vip}")
    assert [str(each) for each in filing.lint(filing.read("mine", text))] == [
        "trigger.segment: no segment is named “vip”"
    ]
    assert filing.lint(filing.read("mine", text), offline=True) == []


@pytest.mark.parametrize("slug", ["", "Ä", "../x", "a" * 61])
def test_a_file_whose_name_is_no_slug_is_refused(slug: str) -> None:
    assert filing.read(slug, TEXT).problems


def run(*words: str) -> tuple[int, str]:
    """The command's exit code and what it said."""
    said = StringIO()
    try:
        call_command("journey", *words, stdout=said)
    except CommandError as error:
        return error.returncode, said.getvalue() + str(error)
    except SystemExit as error:
        return int(str(error.code)), said.getvalue()
    return 0, said.getvalue()


@pytest.mark.django_db
def test_the_command_promotes_journeys_from_folder_to_folder(tmp_path: Path) -> None:
    User.objects.create_user("ada")
    (tmp_path / "mine.yaml").write_text(TEXT)
    folder = str(tmp_path)
    assert run("lint", folder)[0] == 0
    assert run("diff", folder)[0] == 1
    assert run("apply", folder, "--by", "nobody")[0] == 2
    assert "published version 1" in run("apply", folder, "--by", "ada", "--publish")[1]
    assert run("diff", folder) == (0, "mine: same\n")
    assert run("export", "--to", str(tmp_path / "out"))[0] == 0
    assert notation.read((tmp_path / "out" / "mine.yaml").read_text()) == notation.read(TEXT)
    assert run("export", "nobody")[0] == 2
    assert "# mine.yaml\nname: Mine" in run("export", "mine", "--version-number", "1")[1]
    assert run("export", "mine", "--version-number", "9")[0] == 2


@pytest.mark.django_db
def test_the_command_names_problems_and_applies_nothing(tmp_path: Path) -> None:
    User.objects.create_user("ada")
    (tmp_path / "mine.yaml").write_text(TEXT.replace("start: rest", "start: gone"))
    code, said = run("lint", str(tmp_path))
    assert (code, "mine: start: no step is named “gone”" in said) == (1, True)
    assert run("apply", str(tmp_path), "--by", "ada")[0] == 1
    assert not Journey.objects.exists()
    assert run("apply", str(tmp_path), "--by", "ada", "--missing")[0] == 0
    assert run("lint", str(tmp_path / "none.yaml"))[0] == 2
