"""Try every fault of the matrix and print what held; the status is 0 only when all did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tests.faults.matrix import MATRIX, Line

ROOT = Path(__file__).resolve().parent.parent
#: Of the searches for counterexamples, how many times as many examples as in the suite.
EXAMPLES = "4"


class Case(NamedTuple):
    """One case of a test, as pytest reports it."""

    file: str
    name: str
    outcome: str
    #: What it counted (see tests.faults.conftest).
    tally: dict[str, float]


def main(arguments: list[str]) -> int:
    wanted = [line for line in MATRIX if not arguments or line.id in arguments]
    if not wanted:
        print(f"Known are {', '.join(line.id for line in MATRIX)}.")
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        asked = sorted({f"tests/{test}" for line in wanted for test in line.tests})
        command = [sys.executable, "-m", "pytest", *asked, f"--junitxml={report}", "-n", "2"]
        full = {"SEGUE_FAULTS": "full"} | (
            {} if "SEGUE_EXAMPLES" in os.environ else {"SEGUE_EXAMPLES": EXAMPLES}
        )
        subprocess.run(command, cwd=ROOT, env=os.environ | full, check=False)
        found = list(cases(report)) if report.exists() else []
    return told(wanted, found, time.monotonic() - began)


def cases(report: Path) -> Iterator[Case]:
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 (written by our own run)
        bad = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if bad else "skipped" if case.find("skipped") is not None else "passed"
        told = [each.get("value", "{}") for each in case.iter("property") if each.get("name") == "tally"]
        yield Case(
            case.get("classname", "").removeprefix("tests.").replace(".", "/") + ".py",
            case.get("name", "").partition("[")[0],
            outcome,
            json.loads(told[-1]) if told else {},
        )


def of_line(line: Line, found: Iterable[Case]) -> Counter[str]:
    """How many cases of its tests passed, failed, were skipped or are missing."""
    total: Counter[str] = Counter()
    for test in line.tests:
        file, _, name = test.partition("::")
        mine = Counter(case.outcome for case in found if case.file == file and name in ("", case.name))
        total.update(mine or Counter(missing=1))
    return total


def told(lines: Iterable[Line], found: list[Case], seconds: float = 0) -> int:
    """Print the table and the totals; gives the status."""
    broken = 0
    print()
    for line in lines:
        total = of_line(line, found)
        held = total["passed"] > 0 and not (total["failed"] or total["missing"] or total["skipped"])
        broken += not held
        figures = ", ".join(f"{count} {word}" for word, count in sorted(total.items()) if count)
        print(f"{'holds' if held else 'BROKEN':7} {line.id}  {line.fault}: {line.holds}  ({figures})")
    sums, slowest = totals(found)
    marked = f"{sums['unmarked']} of them NOT marked" if sums["unmarked"] else "all marked"
    broken += bool(sums["lost"] or sums["twice"] or sums["unmarked"])
    print(
        f"\nOf {sums['things']} messages and events that went through {sums['kills']} kills and other faults,"
        f" {sums['lost']} were lost, {sums['twice']} came twice, {sums['uncertain']} are uncertain"
        f" ({marked}); the slowest recovery took {slowest:.1f} s. All of it took {seconds / 60:.1f} minutes."
    )
    print(f"\n{broken} broken" if broken else "\nAll hold.")
    return 1 if broken else 0


def totals(found: Iterable[Case]) -> tuple[Counter[str], float]:
    """What went through faults, as the truth outside counted it; the seconds of the slowest recovery."""
    sums: Counter[str] = Counter()
    slowest = 0.0
    for case in found:
        slowest = max(slowest, case.tally.get("seconds", 0))
        sums.update({name: int(count) for name, count in case.tally.items() if name != "seconds"})
    return sums, slowest


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
