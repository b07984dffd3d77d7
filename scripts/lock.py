"""Write requirements/*.txt: the exact versions, found in this environment, of everything that *.in names.

Install what a changed *.in names first, then run `python scripts/lock.py`. Locks name no index. They are
whole, so they are installed with --no-deps; a line that ends with `# alone` goes in without what it asks for.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
# Each set is installed on top of the ones before it, so its lock leaves those out.
SETS = ("base", "demo", "amazon", "dev")


def named_in(path: Path) -> tuple[list[Requirement], set[NormalizedName]]:
    """What a file asks for, and the names that go in alone."""
    wanted: list[Requirement] = []
    alone: set[NormalizedName] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        text, _, remark = line.partition("#")
        if text.strip():
            wanted.append(Requirement(text.strip()))
            if remark.strip() == "alone":
                alone.add(canonicalize_name(wanted[-1].name))
    return wanted, alone


def closure(wanted: list[Requirement], alone: set[NormalizedName]) -> dict[str, str]:
    """Canonical name → `Name==version` for everything that `wanted` needs here, extras included."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    queue = [(requirement, extra) for requirement in wanted for extra in ("", *requirement.extras)]
    while queue:
        requirement, extra = queue.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            package = distribution(requirement.name)
        except PackageNotFoundError:
            raise SystemExit(f"{requirement.name} is not installed here: pip install it first") from None
        if not requirement.specifier.contains(package.version, prereleases=True):
            raise SystemExit(f"{requirement} is asked for, but {package.version} is installed")
        found[name] = f"{package.metadata['Name']}=={package.version}"
        for line in () if name in alone else package.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                queue.extend((needed, wish) for wish in ("", *needed.extras))
    return found


def main() -> None:
    before: set[str] = set()
    for name in SETS:
        found = closure(*named_in(FOLDER / f"{name}.in"))
        lines = [found[key] for key in sorted(found) if key not in before]
        (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        before |= set(found)
        print(f"{name}: {len(lines)} packages")


if __name__ == "__main__":
    main()
