"""Debian's Firefox, driven over Marionette, its own remote control: one socket, length and JSON."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Quiet, without questions, and nothing from the network but what a test asks for.
_PREFERENCES: dict[str, Any] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
    "dom.push.testing.allowInsecureServerURL": True,
    "dom.push.connection.enabled": True,
    "permissions.default.desktop-notification": 1,
}


class FirefoxError(Exception):
    """The browser did not do what it was told; its own words."""


class Firefox:
    """One browser with one window."""

    def __init__(self, port: int) -> None:
        self._socket = self._connect(port)
        self._file = self._socket.makefile("rb")
        self._number = 0
        self._read()  # who it is
        self.call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})
        self.call("WebDriver:SetTimeouts", {"script": 20_000, "pageLoad": 20_000})

    @staticmethod
    def _connect(port: int) -> socket.socket:
        give_up = time.monotonic() + 60
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=40)
            except OSError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)

    def call(self, name: str, values: Mapping[str, Any] | None = None) -> Any:
        self._number += 1
        text = json.dumps([0, self._number, name, values or {}]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _kind, _number, error, answer = self._read()
        if error:
            raise FirefoxError(f"{error.get('error')}: {error.get('message')}")
        return answer.get("value") if isinstance(answer, dict) and set(answer) == {"value"} else answer

    def goto(self, url: str) -> None:
        self.call("WebDriver:Navigate", {"url": url})

    def run(self, script: str, *values: Any) -> Any:
        """What an async function body returns, run in the page."""
        wrapped = (
            f"const done = arguments[arguments.length - 1]; (async (...args) => {{{script}}})(...arguments)"
        )
        wrapped += ".then((value) => done({value}), (error) => done({error: String(error)}));"
        told = self.call("WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(values)})
        if "error" in told:
            raise FirefoxError(told["error"])
        return told.get("value")

    def run_inside(self, script: str, *values: Any) -> Any:
        """The same with the browser's own rights."""
        self.call("Marionette:SetContext", {"value": "chrome"})
        try:
            return self.run(script, *values)
        finally:
            self.call("Marionette:SetContext", {"value": "content"})

    def _read(self) -> Any:
        length = b""
        while (sign := self._file.read(1)) != b":":
            if not sign:
                raise FirefoxError("the connection ended")
            length += sign
        return json.loads(self._file.read(int(length)))

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def installed_firefox() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


@contextmanager
def firefox(path: str, **preferences: Any) -> Iterator[Firefox]:
    """A browser with a profile of its own, gone afterwards. In names of preferences ``__`` is a dot."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name.replace("__", "."): value for name, value in preferences.items()}
    with tempfile.TemporaryDirectory(prefix="segue-firefox-") as folder:
        lines = {**_PREFERENCES, **own, "marionette.port": port}
        text = "".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in lines.items()
        )
        (Path(folder) / "user.js").write_text(text)
        process = subprocess.Popen(
            [path, "--headless", "--no-remote", "--profile", folder, "--marionette",
             "--remote-allow-system-access"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": folder, "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        try:
            driven = Firefox(port)
            try:
                yield driven
            finally:
                driven.close()
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)
