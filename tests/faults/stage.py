"""An installation of its own to break: servers that keep their promises, under the real supervisor."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil
import redis

from tests import homes

#: Seconds for which a worker of a stage has its messages.
LEASE = 8
ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


_PROMISES = """
import json
from datetime import UTC, datetime
from tests.promises import broken
print(json.dumps(broken(datetime.now(UTC))))
"""


class Stage:
    """`manage.py up` in a throw-away home, with ways to hurt each part. Use as a context."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="segue-faults-"))
        self.home.chmod(0o755)  # the servers' account has to pass
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.home / "up.log"
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.witness: subprocess.Popen[bytes] | None = None
        self.mail_port = free_port()
        self.mail_log = self.home / "mail.log"

    def __enter__(self) -> Stage:
        homes.fill(self.home)
        self.mail_log.touch()
        command = [sys.executable, "-m", "tests.faults.witness", str(self.mail_port), str(self.mail_log)]
        self.witness = subprocess.Popen(command, cwd=ROOT)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.terminate()
            self.supervisor.wait(60)
        if self.witness:
            self.witness.kill()
            self.witness.wait()

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BROKER_URL")}
        return kept | {
            "SEGUE_HOME": str(self.home),
            "SEGUE_PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SEGUE_LEASE": str(LEASE),
        }

    def start(self) -> None:
        """Start the supervisor and wait until the web answers."""
        self.supervisor = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--no-demo"],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
        )
        self.wait_for_web(90)

    def wait_for_web(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        raise AssertionError(f"no answer within {seconds} s; the log ends:\n{self.log.read_text()[-3000:]}")

    def python(self, code: str) -> str:
        """Run ``code`` inside the installation (Django set up) and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", "import django; django.setup()\n" + code],
            cwd=ROOT,
            env=self.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def processes(self, part: str) -> list[psutil.Process]:
        """Processes below the supervisor whose command line holds ``part``, those that start others first.

        None while it is being killed.
        """
        if not self.supervisor or self.supervisor.poll() is not None:
            return []
        try:
            below = psutil.Process(self.supervisor.pid).children(recursive=True)
        except psutil.Error:
            return []
        found = []
        for process in below:
            try:
                if part in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def broker(self) -> redis.Redis:
        return redis.Redis.from_url(self._addresses()["broker_url"])

    def database_url(self) -> str:
        return self._addresses()["database_url"]

    def _addresses(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.home / "servers.json").read_text(encoding="utf-8"))
        return found

    def freeze(self, part: str, number: int = 0) -> psutil.Process | None:
        """SIGSTOP for the ``number``-th process of ``part``; the caller wakes it."""
        return self._signal(part, number, signal.SIGSTOP)

    def _signal(self, part: str, number: int, sent: signal.Signals) -> psutil.Process | None:
        found = self.processes(part)
        if not found:
            return None
        below = found[1:]
        chosen = below[number % len(below)] if number and below else found[0]
        try:
            chosen.send_signal(sent)
        except psutil.Error:
            return None
        return chosen

    @staticmethod
    def wake(process: psutil.Process) -> None:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGCONT)

    def broken_promises(self) -> dict[str, list[str]]:
        """What the installation itself finds wrong, asked about every row."""
        found: dict[str, list[str]] = json.loads(self.python(_PROMISES).strip().splitlines()[-1])
        return found

    def forget(self) -> None:
        """Throw the home away; what nobody forgets is there to be read."""
        shutil.rmtree(self.home)

    def kill(self, part: str, number: int = 0) -> bool:
        """kill -9 the ``number``-th process of ``part``: the first at 0, else one of those below it."""
        return self._signal(part, number, signal.SIGKILL) is not None

    def kill_supervisor(self) -> None:
        """kill -9 the supervisor; all below must die with it. Then start anew."""
        assert self.supervisor
        below = psutil.Process(self.supervisor.pid).children(recursive=True)
        self.supervisor.kill()
        self.supervisor.wait()
        _gone, left = psutil.wait_procs(below, timeout=20)
        assert not left, f"left behind: {left}"
        self.start()
