"""Unmodified SDKs tell a cart story to the real server, through a 429, a kill and a restart.

What the SDKs say they sent is the truth outside: all of it must be stored, and taken in once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from segment.analytics.client import Client

from contacts import clock, ingest
from contacts.intake_keys import issue
from contacts.models import Contact, DeadLetter, Event, Identifier, InboxItem, Source, SourceCount, SourceKey
from tests.contacts.sender import Inbox
from tests.flows.witness import Witness
from tests.granian import ROOT, WebServer
from tests.promises import assert_promises_hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

NODE_SDK = "@segment/analytics-node@3.1.0"
PEOPLE = 40
STORY = ["Page Viewed", "Product Added", "Identified", "Order Completed"]
# So few events a second that any story meets a 429 on any machine; after the restart it is quicker.
TIGHT, EASY = 5, 40


@pytest.fixture
def key() -> str:
    source = Source.objects.create(name="Shop", slug="shop")
    return issue(source, SourceKey.Scope.WRITE)[1]


@pytest.fixture
def server(key: str) -> Iterator[WebServer]:
    with WebServer(SEGUE_INTAKE_RATE=str(TIGHT)) as running:
        yield running


@pytest.fixture(scope="session")
def node_sdk() -> Path:
    """The folder of the Node SDK, installed once into what git ignores."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Node.js")
        pytest.skip("Node.js is not installed")
    folder = ROOT / ".segue" / "node"
    if not (folder / "node_modules" / "@segment" / "analytics-node").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}", encoding="utf-8")
        command = [
            npm,
            "install",
            "--ignore-scripts",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            NODE_SDK,
        ]
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
        if installed.returncode:
            if os.environ.get("CI"):
                pytest.fail(installed.stderr)
            pytest.skip("the Node SDK cannot be installed here")
    return folder


@pytest.fixture
def witness(server: WebServer) -> Iterator[Witness]:
    with Witness(server.port) as standing:
        yield standing


def assert_it_was_hard(witness: Witness) -> None:
    assert witness.answers["429"] > 0
    assert witness.answers["none"] > 0
    assert witness.answers["200"] > 0


def hurt(server: WebServer, witness: Witness) -> threading.Thread:
    """Kill the server once it took something and refused something, and start it again once it was missed."""

    def until(answer: str) -> None:
        ends = time.monotonic() + 90
        while not witness.answers[answer] and time.monotonic() < ends:
            time.sleep(0.02)

    def work() -> None:
        until("200")
        until("429")
        server.kill()
        until("none")
        server.variables["SEGUE_INTAKE_RATE"] = str(EASY)
        server.start()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def assert_nothing_lost_and_nothing_twice(sent: set[str]) -> None:
    assert len(sent) == PEOPLE * len(STORY)
    stored = [event.message_id for event in Inbox().events()]
    assert set(stored) == sent
    ingest.drain(clock.now, seconds=60)
    assert not InboxItem.objects.exists()
    assert not DeadLetter.objects.exists()
    for name in STORY:
        ids = list(Event.objects.filter(name=name).values_list("message_id", flat=True))
        assert len(ids) == PEOPLE
        assert set(ids) <= sent
    count = SourceCount.objects.get()
    assert count.accepted == len(sent)
    assert count.duplicate == len(stored) - len(sent)
    assert count.received == len(stored)
    assert_promises_hold(clock.now())


def assert_story_of(person: str, browser: str) -> None:
    """The anonymous beginning belongs to the person who said their name later."""
    contact = Contact.objects.get(pk=Identifier.objects.get(kind="user", value=person).contact_id)
    assert Identifier.objects.get(kind="anonymous", value=browser).contact_id == contact.pk
    names = Event.objects.filter(contact_id=contact.pk).values_list("name", flat=True)
    assert set(STORY) <= set(names)
    assert contact.email == f"{person}@example.com"


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
def test_the_python_sdk_loses_nothing_and_doubles_nothing(
    server: WebServer, witness: Witness, key: str, gzip: bool
) -> None:
    failures: list[object] = []
    sdk = Client(
        key,
        host=witness.url,
        gzip=gzip,
        upload_size=7,
        upload_interval=0.1,
        max_retries=50,
        on_error=lambda error, _items: failures.append(error),
    )
    sent: set[str] = set()

    def note(answer: tuple[bool, dict[str, object]]) -> None:
        assert answer[0]
        sent.add(str(answer[1]["messageId"]))

    trouble = hurt(server, witness)
    for number in range(PEOPLE):
        who = {"anonymous_id": f"browser-{number}"}
        note(sdk.page(name="Home", **who))
        note(
            sdk.track(event="Product Added", properties={"cart_id": f"cart-{number}", "price": 18.99}, **who)
        )
        note(sdk.identify(f"python-{number}", traits={"email": f"python-{number}@example.com"}, **who))
        note(sdk.track(f"python-{number}", "Order Completed", {"total": 18.99}))
        time.sleep(0.02)
    sdk.flush()
    sdk.join()
    trouble.join()
    assert failures == []
    assert_it_was_hard(witness)
    assert_nothing_lost_and_nothing_twice(sent)
    assert_story_of("python-7", "browser-7")


def test_the_node_sdk_loses_nothing_and_doubles_nothing(
    server: WebServer, witness: Witness, key: str, node_sdk: Path
) -> None:
    story = subprocess.Popen(
        ["node", str(Path(__file__).with_name("cart_story.mjs"))],
        env=os.environ
        | {
            "KEY": key,
            "HOST": witness.url,
            "PEOPLE": str(PEOPLE),
            "SDK_FROM": str(node_sdk / "package.json"),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    trouble = hurt(server, witness)
    output, _errors = story.communicate(timeout=150)
    trouble.join()
    assert story.returncode == 0
    told = [json.loads(line) for line in output.splitlines()]
    assert [line for line in told if line["error"]] == []
    assert_it_was_hard(witness)
    assert_nothing_lost_and_nothing_twice({line["id"] for line in told})
    assert_story_of("node-7", "browser-7")
