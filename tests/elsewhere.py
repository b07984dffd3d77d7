"""Code in a process of its own on the test's database, which may die at a crash point."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.granian import database_url

_DJANGO = "import django; django.setup()\nfrom datetime import datetime\n"


def run(code: str, *, crashpoint: str = "", seconds: float = 120) -> int:
    """The exit status of ``code``; 137 where it died at ``crashpoint``. The test must have committed."""
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SEGUE_CRASHPOINT": crashpoint,
    }
    return subprocess.run([sys.executable, "-c", _DJANGO + code], env=environment, timeout=seconds).returncode
