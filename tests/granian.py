"""The real web server over the test's own database, to be sent to, killed and started again."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


class WebServer:
    """granian with one worker on a port that stays the same. Use as a context.

    Tests that use it must commit: `@pytest.mark.django_db(transaction=True)`.
    """

    def __init__(self, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = variables
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "1", "--blocking-threads", "16", "--no-ws"]
        variables = {"DATABASE_URL": database_url(), "SEGUE_WEB_WORKERS": "1", **self.variables}
        self._process = subprocess.Popen(
            [*command, "--log-level", "error", "config.wsgi:application"],
            cwd=ROOT,
            env=os.environ | variables,
            start_new_session=True,
        )
        give_up = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, "the web server ended"
            assert time.monotonic() < give_up, "the web server does not answer"
            time.sleep(0.05)

    def expects(self, key: str) -> None:
        """Wait until it knows a key that was made just now: it reads them at most twice a second."""
        give_up = time.monotonic() + 30
        while self.post("/v1/batch", b"{}", key)[0].status == 401:
            assert time.monotonic() < give_up, "the key is not known"
            time.sleep(0.05)

    @property
    def running(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        """As `kill -9` of the server and its worker."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def memory(self) -> int:
        """Bytes that the server and its worker hold."""
        assert self._process
        family = [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children()]
        return sum(process.memory_info().rss for process in family)

    def post(self, path: str, body: object, key: str, **headers: str) -> tuple[HTTPResponse, bytes]:
        """One request on a connection of its own; `body` as `http.client` takes it."""
        basic = base64.b64encode(f"{key}:".encode()).decode()
        own = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            own.request("POST", path, body, {"Authorization": f"Basic {basic}", **headers})  # type: ignore[arg-type]
            response = own.getresponse()
            return response, response.read()
        finally:
            own.close()

    def _answers(self) -> bool:
        own = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            own.request("OPTIONS", "/v1/batch")
            return own.getresponse().status == 204
        except OSError:
            return False
        finally:
            own.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def database_url(name: str = "") -> str:
    """The address of the test's database, or of another one on the same server."""
    found = connection.settings_dict
    who = f"{quote(found['USER'])}:{quote(found['PASSWORD'])}"
    return f"postgresql://{who}@{found['HOST']}:{found['PORT']}/{name or found['NAME']}"
