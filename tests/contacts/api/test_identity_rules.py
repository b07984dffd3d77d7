"""The identity rules by the API."""

from __future__ import annotations

import pytest

from contacts import identity_rules
from tests.contacts.api.caller import Caller

pytestmark = pytest.mark.django_db


def test_the_next_version_is_what_was_read_with_a_change() -> None:
    caller = Caller()
    held = caller.get("identity-rules").json()
    assert held["version"] == 0
    kinds = [{**one, "limit": 3} if one["slug"] == "email" else one for one in held["kinds"]]
    made = caller.post("identity-rules", {"kinds": kinds, "after": 0, "note": "families"})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert made.json()["made_by"].startswith("API key a program")
    assert identity_rules.current().by_slug["email"].limit == 3
    (version,) = caller.get("identity-rules/versions").json()["items"]
    assert (version["kinds"], version["note"]) == (kinds, "families")


def test_a_version_that_somebody_else_was_quicker_with_is_refused() -> None:
    caller = Caller()
    kinds = caller.get("identity-rules").json()["kinds"]
    assert caller.post("identity-rules", {"kinds": kinds, "after": 0}).status_code == 201
    late = caller.post("identity-rules", {"kinds": kinds, "after": 0})
    assert (late.status_code, late.json()["code"]) == (409, "outdated")


def test_rules_that_cannot_be_worked_by_are_refused() -> None:
    caller = Caller()
    kinds = caller.get("identity-rules").json()["kinds"]
    refused = caller.post("identity-rules", {"kinds": kinds[1:], "after": 0})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_kinds")
    assert Caller("identity:read").post("identity-rules", {"kinds": kinds, "after": 0}).status_code == 403
