"""The table of faults tells the truth about the tests it names."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from scripts import faults
from scripts.faults import Case
from tests.faults.matrix import FULL, MATRIX, Line

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
WANTED = {
    *(f"F{number:02}" for number in (*range(1, 13), 14, 16, 18, 19, 20, 22, 23)),
    *("S05", "S06", "S07", "S08", "S14", "S15", "S16", "S17", "B14", "B15", "B16", "B20"),
}


def test_every_fault_that_must_be_tried_is_in_the_table() -> None:
    assert WANTED - {line.id for line in MATRIX} == set()


@pytest.mark.parametrize("line", MATRIX, ids=lambda line: line.id)
def test_the_tests_of_a_line_exist(line: Line) -> None:
    for test in line.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        known = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
        assert not name or name in known, test


def test_every_crash_point_is_tried() -> None:
    """Each is named in a test, by itself or with its whole family (``deliver.claimed``)."""
    sources = [
        path.read_text(encoding="utf-8")
        for app in ("contacts", "channels", "journeys", "analytics")
        for path in (ROOT / app).rglob("*.py")
    ]
    points = {point for source in sources for point in re.findall(r'crashpoint\("([a-z_.]+)"\)', source)}
    tried = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    assert len(points) > 20
    assert {point for point in points if f'"{point}"' not in tried and f"{point}:" not in tried} == set()


def test_what_only_the_full_matrix_runs_is_in_it() -> None:
    named = {test.partition("::")[0] for line in MATRIX for test in line.tests}
    assert set(FULL) <= named


@pytest.mark.parametrize(
    ("count", "status"),
    [
        (Counter(passed=2), 0),
        (Counter(passed=1, failed=1), 1),
        (Counter(skipped=1), 1),
        (Counter(), 1),
    ],
    ids=["all passed", "one failed", "nothing ran", "not there"],
)
def test_a_line_holds_only_when_all_its_tests_passed(
    count: Counter[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    line = Line("F99", "a fault", "nothing happens", ("faults/test_x.py::test_y",))
    found = [Case("faults/test_x.py", "test_y", outcome, {}) for outcome in count.elements()]

    assert faults.told([line], found) == status
    assert ("BROKEN" in capsys.readouterr().out) == bool(status)


def test_what_was_lost_is_told_whatever_passed(capsys: pytest.CaptureFixture[str]) -> None:
    line = Line("F99", "a fault", "nothing happens", ("faults/test_x.py",))
    good = Case(
        "faults/test_x.py", "test_y", "passed", {"things": 5, "uncertain": 2, "kills": 3, "seconds": 1.5}
    )
    assert faults.told([line], [good, good]) == 0
    said = capsys.readouterr().out
    assert "Of 10 messages and events that went through 6 kills" in said
    assert "0 were lost, 0 came twice, 4 are uncertain (all marked); the slowest recovery took 1.5 s" in said
    assert faults.told([line], [good, good._replace(tally={"things": 1, "unmarked": 1})]) == 1
    assert "1 of them NOT marked" in capsys.readouterr().out


def test_a_report_of_pytest_is_read_with_what_its_tests_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.faults.test_x" name="test_y[1]"><properties>'
        '<property name="tally" value="{&quot;things&quot;: 2}"/></properties></testcase>'
        '<testcase classname="tests.faults.test_x" name="test_z"><failure/></testcase>'
        '<testcase classname="tests.faults.test_x" name="test_z"><skipped/></testcase>'
        "</testsuite></testsuites>"
    )
    assert list(faults.cases(report)) == [
        Case("faults/test_x.py", "test_y", "passed", {"things": 2}),
        Case("faults/test_x.py", "test_z", "failed", {}),
        Case("faults/test_x.py", "test_z", "skipped", {}),
    ]
