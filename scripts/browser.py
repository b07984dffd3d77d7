"""Debian's Chromium under Playwright, kept on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
# Quiet, and deaf: no name but this machine's own is resolved.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


class NoBrowserError(Exception):
    """Chromium is missing and cannot be installed from here."""


def installed_chromium() -> Path | None:
    found = str(CHROMIUM) if CHROMIUM.exists() else shutil.which("chromium")
    return Path(found) if found else None


def ensure_chromium() -> Path:
    """The browser's path; installs Debian's package where that is possible. Raises NoBrowserError."""
    found = installed_chromium()
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoBrowserError(
            "Chromium is missing. Install it (on Debian: apt-get install chromium), then try again."
        )
    print("Installing Chromium ...", flush=True)
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        if subprocess.run(["apt-get", "-qq", *command], stdout=subprocess.DEVNULL, check=False).returncode:
            raise NoBrowserError(f"apt-get {command[0]} failed, so Chromium is missing.")
    return CHROMIUM


@contextmanager
def chromium(path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def too_wide(page: Page) -> int:
    """Pixels by which the page as a whole scrolls sideways.

    Asked of a page that stands, even where a click is still leading to it.
    """
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.locator("html").evaluate(f"() => {width}"))
