"""The curl lines of the docs, run as they stand against a server of our own."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from tests.contacts.api.caller import make_key
from tests.factories import make_contact, make_provider

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "api.md"


def blocks() -> list[str]:
    found: list[str] = re.findall(r"```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [block for block in found if "curl" in block]


@pytest.mark.django_db(transaction=True)
def test_every_example_of_the_docs_is_answered(live_server: LiveServer) -> None:
    told = dict(os.environ, SEGUE=live_server.url, KEY=make_key(*settings.SEGUE_API_SCOPES))
    told["ADA"] = str(make_contact().public_id)
    make_provider("email", id=3)
    assert len(blocks()) >= 7
    for block in blocks():
        lines = [line for line in block.splitlines() if not line.startswith("export ")]
        script = "\n".join(lines).replace("curl ", "curl -sS -w '\\n%{http_code}\\n' ")
        done = subprocess.run(["bash", "-c", script], env=told, capture_output=True, text=True, timeout=60)
        answers = done.stdout.split("\n")
        codes = [line for line in answers if re.fullmatch(r"\d{3}", line)]
        assert len(codes) == script.count("curl "), (script, done.stderr)
        assert set(codes) <= {"200", "201"}, (script, done.stdout)
        assert all(json.loads(line) is not None for line in answers if line.startswith("{"))
