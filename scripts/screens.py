"""Draw the back office into screens/: each page at 1440 and 390 pixels, light and dark.

Uses the site that runs on SEGUE_PORT, or starts one and stops it again. Signs in as the first
administrator, or as SEGUE_USER with SEGUE_PASSWORD. Names of pages as arguments draw only those.
A page is an address, or the first link on another page that matches a pattern.
"""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from scripts.browser import NoBrowserError, chromium, ensure_chromium, too_wide

ROOT = Path(__file__).resolve().parent.parent
SITE = f"http://127.0.0.1:{os.environ.get('SEGUE_PORT', '8000')}"
INTO = ROOT / "screens"


class Screen(NamedTuple):
    name: str
    address: str
    link: str = ""
    "Follow the first link on `address` whose target matches this pattern."
    signed_in: bool = True


def _record(name: str, listing: str) -> Screen:
    return Screen(name, listing, rf"^{re.escape(listing)}\d+/change/")


SCREENS = [
    Screen("login", "/account/login/", signed_in=False),
    Screen("home", "/admin/"),
    Screen("contacts", "/admin/contacts/contact/"),
    Screen("contact", "/admin/contacts/contact/?known=yes", r"^/admin/contacts/contact/\d+/change/"),
    Screen("segments", "/admin/contacts/segment/"),
    _record("segment", "/admin/contacts/segment/"),
    Screen("segment-new", "/admin/contacts/segment/add/"),
    Screen("segment-overlap", "/admin/contacts/segment/overlap/?segment=regulars&segment=high-value"),
    Screen("consents", "/admin/contacts/consententry/overview/"),
    Screen("consent-lines", "/admin/contacts/consententry/"),
    Screen("wordings", "/admin/contacts/wording/"),
    Screen("measuring-rules", "/admin/contacts/trackingrule/"),
    Screen("incoming-text", "/admin/channels/sandboxmessage/incoming-text/"),
    Screen("privacy-desk", "/admin/contacts/privacyrequest/"),
    _record("privacy-request", "/admin/contacts/privacyrequest/"),
    Screen("retention", "/admin/contacts/privacyrequest/retention/"),
    Screen("register", "/admin/register/"),
    Screen("suppressions", "/admin/contacts/suppression/"),
    Screen("merges", "/admin/contacts/merge/"),
    _record("merge", "/admin/contacts/merge/"),
    Screen("merges", "/admin/contacts/merge/"),
    Screen("journeys", "/admin/journeys/journey/"),
    _record("journey", "/admin/journeys/journey/"),
    Screen("calendar", "/admin/journeys/outlook/"),
    Screen("calendar-week", "/admin/journeys/outlook/?view=week"),
    Screen("calendar-agenda", "/admin/journeys/outlook/?view=agenda"),
    Screen("journey-load", "/admin/journeys/outlook/before/1/"),
    Screen("runs", "/admin/journeys/run/"),
    Screen("messages", "/admin/channels/message/"),
    Screen("messages-uncertain", "/admin/channels/message/uncertain/"),
    _record("message", "/admin/channels/message/"),
    Screen("decisions", "/admin/channels/decision/"),
    Screen("reasons", "/admin/channels/decision/reasons/"),
    Screen("templates", "/admin/channels/template/"),
    _record("template", "/admin/channels/template/"),
    Screen("providers", "/admin/channels/provideraccount/"),
    _record("provider", "/admin/channels/provideraccount/"),
    Screen("charter", "/admin/channels/charterversion/"),
    _record("charter-version", "/admin/channels/charterversion/"),
    Screen("audiences", "/admin/channels/audience/"),
    Screen("calls", "/admin/channels/calltask/"),
    Screen("sandbox", "/admin/channels/sandboxmessage/"),
    _record("sandbox-message", "/admin/channels/sandboxmessage/"),
    Screen("engagement", "/admin/analytics/dailykpi/engagement/"),
    Screen("api-keys", "/admin/contacts/apikey/"),
    Screen("api-key-new", "/admin/contacts/apikey/add/"),
    Screen("api-docs", "/api/v1/docs"),
    Screen("sources", "/admin/contacts/source/"),
    _record("source", "/admin/contacts/source/"),
    Screen("dead-letters", "/admin/contacts/deadletter/"),
    Screen("purposes", "/admin/contacts/purpose/"),
    Screen("users", "/admin/auth/user/"),
    _record("user", "/admin/auth/user/"),
    Screen("roles", "/admin/auth/group/"),
    Screen("promises", "/admin/promises/"),
    Screen("tracking-domain", "/admin/tracking-domain/"),
    Screen("pulses", "/admin/django_celery_beat/periodictask/"),
    Screen("two-step", "/account/two-step/"),
]
WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")


def main(names: list[str]) -> int:
    try:
        path = ensure_chromium()
    except NoBrowserError as missing:
        print(missing, file=sys.stderr)
        return 1
    INTO.mkdir(exist_ok=True)
    wanted = [screen for screen in SCREENS if not names or screen.name in names]
    unknown = set(names) - {screen.name for screen in SCREENS}
    if unknown:
        print(f"No page is named {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    with site(), chromium(path) as browser:
        faults = draw(browser, wanted)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(wanted)} pages are in {INTO}/")
    return 1 if faults else 0


def draw(browser: Browser, screens: list[Screen]) -> list[str]:
    """Take every picture; returns what pages complained about."""
    faults: list[str] = []
    state = sign_in(browser)
    for theme in THEMES:
        for width, (across, down) in WIDTHS.items():
            for signed_in in (True, False):
                context = browser.new_context(
                    viewport={"width": across, "height": down},
                    color_scheme="dark" if theme == "dark" else "light",
                    storage_state=state if signed_in else None,
                    is_mobile=width == "phone",
                )
                page = context.new_page()
                listen(page, faults)
                for screen in screens:
                    if screen.signed_in is not signed_in:
                        continue
                    wrong = open_page(page, screen)
                    if wrong:
                        faults.append(f"{screen.name}: {wrong}")
                        continue
                    over = too_wide(page)
                    if over:
                        faults.append(f"{screen.name} {width}: {over} pixels too wide")
                    page.screenshot(path=INTO / f"{screen.name}-{width}-{theme}.png", full_page=True)
                context.close()
    return sorted(set(faults))


def listen(page: Page, faults: list[str]) -> None:
    """Collect what the browser complains about, refused scripts and missing files among it."""

    def hear(note: ConsoleMessage) -> None:
        # A page that is not there yet is told by its status, not twice.
        if note.type == "error" and note.location.get("url") != page.url:
            faults.append(f"{page.url}: {note.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))


def open_page(page: Page, screen: Screen) -> str:
    """Go there; returns what is wrong, empty when the page is shown."""
    answer = page.goto(SITE + screen.address, wait_until="networkidle")
    if answer is None or answer.status != 200:
        return f"status {answer.status if answer else 'unknown'}"
    if not screen.link:
        return ""
    targets = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
    found = next((target for target in targets if re.search(screen.link, target)), None)
    if found is None:
        return "its list is empty"
    answer = page.goto(SITE + found, wait_until="networkidle")
    return "" if answer and answer.status == 200 else f"status {answer.status if answer else 'unknown'}"


def sign_in(browser: Browser) -> Path:
    """Sign in once; the state serves every later window."""
    context: BrowserContext = browser.new_context()
    page = context.new_page()
    page.goto(f"{SITE}/account/login/?next=/admin/")
    page.fill("input[name=login]", os.environ.get("SEGUE_USER", "admin"))
    page.fill("input[name=password]", os.environ.get("SEGUE_PASSWORD") or _first_password())
    page.click("button[type=submit]")
    page.wait_for_url(re.compile(r"/admin/$"), timeout=15_000)
    state = INTO / ".signed-in.json"
    context.storage_state(path=state)
    context.close()
    return state


def _first_password() -> str:
    home = Path(os.environ.get("SEGUE_HOME", ROOT / ".segue"))
    kept = home / "admin_password"
    if not kept.is_file():
        raise SystemExit("The first password is not kept any more: set SEGUE_USER and SEGUE_PASSWORD.")
    return kept.read_text(encoding="utf-8").strip()


@contextmanager
def site() -> Iterator[None]:
    """The running site, or one of our own for as long as this lasts."""
    if _answers():
        yield
        return
    process = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), "up"])
    try:
        end = time.monotonic() + 600
        while not _answers():
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("The site did not start.")
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"{SITE}/healthz", timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
