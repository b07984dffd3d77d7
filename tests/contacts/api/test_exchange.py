"""Imports and exports by the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import roles
from contacts import clock
from contacts.exchange import exporting, importing
from contacts.models import Contact
from tests.config.backoffice import make_person, signed_in
from tests.contacts.api.caller import Caller, make_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.SEGUE_EXCHANGE = tmp_path


def work() -> None:
    importing.work(clock.now, seconds=30)
    exporting.work(clock.now, seconds=30)


def test_a_file_is_sent_mapped_checked_started_and_its_rejects_fetched() -> None:
    caller = Caller()
    sent = caller.send("POST", "imports?name=fair.csv", b"email,plan\na@example.com,gold\nbad,x\n")
    assert sent.status_code == 201, sent.content
    address = f"imports/{sent.json()['id']}"
    assert caller.post(address, {"act": "start"}).status_code == 409
    mapped = caller.send("PUT", address, {"mapping": {"mode": "create"}})
    assert mapped.json()["mapping"]["mode"] == "create"
    assert caller.send("PUT", address, {"mapping": {"mode": "erase"}}).json()["code"] == "bad_mapping"
    for act, state in (("check", "checked"), ("start", "finished")):
        assert caller.post(address, {"act": act}).status_code == 200
        work()
        assert caller.get(address).json()["state"] == state
    counts = caller.get(address).json()["counts"]
    assert (counts["lines"], counts["created"], counts["rejected"]) == (2, 1, 1)
    assert Contact.objects.get().attributes == {"plan": "gold"}
    told = b"".join(caller.get(f"{address}/rejected").streaming_content).decode("utf-8-sig")
    assert "bad,x,3,email," in told


def test_an_export_is_made_and_fetched_by_who_asked() -> None:
    caller = Caller()
    asked = caller.post("exports", {"what": "contacts", "columns": ["email"]})
    assert asked.status_code == 201, asked.content
    address = f"exports/{asked.json()['id']}"
    assert caller.get(f"{address}/file").status_code == 409
    work()
    assert caller.get(address).json()["state"] == "ready"
    assert b"".join(caller.get(f"{address}/file").streaming_content).startswith(b"\xef\xbb\xbfemail")
    assert (
        caller.post("exports", {"what": "contacts", "columns": ["secret"]}).json()["code"] == "unknown_column"
    )


def test_scopes_keep_files_apart() -> None:
    reader = Caller(key=make_key("imports:read"))
    assert reader.send("POST", "imports", b"email\na@example.com\n").status_code == 403
    assert reader.post("exports", {"what": "contacts"}).status_code == 403


def test_files_are_open_to_the_roles_that_see_them_in_the_back_office(db: None) -> None:
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    integrator = signed_in(make_person("ines", role=roles.INTEGRATOR))
    for path in ("imports", "exports"):
        assert analyst.get(f"/api/v1/{path}").status_code == 403
    assert integrator.get("/api/v1/imports").status_code == 200
    assert integrator.get("/api/v1/exports").status_code == 403
