from __future__ import annotations

import os
import subprocess
import sys

from contacts.crashpoints import Fuse


def run(order: str) -> subprocess.CompletedProcess[bytes]:
    code = "import contacts.crashpoints as c\nfor n in (1, 2, 3): c.crashpoint('here'); print(n, flush=True)"
    return subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ, SEGUE_CRASHPOINT=order), capture_output=True
    )


def test_a_point_ends_the_process_at_the_asked_passing() -> None:
    done = run("here:3")
    assert (done.returncode, done.stdout.split()) == (137, [b"1", b"2"])


def test_a_point_does_nothing_unless_asked_for() -> None:
    assert run("").returncode == run("elsewhere:1").returncode == 0


def test_a_fuse_burns_once() -> None:
    fuse = Fuse("here:2")
    assert [fuse.burnt("here") for _ in range(4)] == [False, True, False, False]
