"""Try every fault of the matrix and print what held; the status is 0 only when all did."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from tests.faults.matrix import MATRIX, Line

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    wanted = [line for line in MATRIX if not arguments or line.id in arguments]
    if not wanted:
        print(f"Known are {', '.join(line.id for line in MATRIX)}.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        asked = sorted({f"tests/{test}" for line in wanted for test in line.tests})
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                *asked,
                f"--junitxml={report}",
                "-n",
                "2",
                "--maxprocesses",
                "2",
            ],
            cwd=ROOT,
            env=os.environ | {"SEGUE_FAULTS": "full"},
            check=False,
        )
        found = outcomes(report) if report.exists() else {}
    return told(wanted, found)


def outcomes(report: Path) -> dict[tuple[str, str], Counter[str]]:
    """(file, test) -> how many of its cases passed, failed or were skipped, from pytest's own report."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 (written by our own run)
        file = case.get("classname", "").removeprefix("tests.").replace(".", "/") + ".py"
        name = case.get("name", "").partition("[")[0]
        bad = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if bad else "skipped" if case.find("skipped") is not None else "passed"
        found.setdefault((file, name), Counter())[outcome] += 1
    return found


def of_line(line: Line, found: dict[tuple[str, str], Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for test in line.tests:
        file, _, name = test.partition("::")
        mine = [count for (where, what), count in found.items() if where == file and name in ("", what)]
        total.update(sum(mine, Counter()) or Counter(missing=1))
    return total


def told(lines: Iterable[Line], found: dict[tuple[str, str], Counter[str]]) -> int:
    """Print the table; gives the status."""
    broken = 0
    print()
    for line in lines:
        total = of_line(line, found)
        held = total["passed"] > 0 and not (total["failed"] or total["missing"] or total["skipped"])
        broken += not held
        figures = ", ".join(f"{count} {word}" for word, count in sorted(total.items()) if count)
        print(f"{'holds' if held else 'BROKEN':7} {line.id}  {line.fault}: {line.holds}  ({figures})")
    print(f"\n{broken} broken" if broken else "\nAll hold.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
