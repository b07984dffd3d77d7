"""Every operation of the schema, asked with whatever comes to mind, refuses in our one shape."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from pytest_django import Settings

from tests.contacts.api.caller import Caller
from tests.contacts.api.test_schema import schema
from tests.examples import TIMES

pytestmark = pytest.mark.django_db

ODD: list[Any] = [
    *[None, True, 0, -1, 2**63, 2**70, 1e300, 0.1, [], [None], {}, {"": ""}, {"a": {"b": [1]}}, [[]] * 3],
    *[
        "",
        " ",
        "x",
        "x" * 5_000,
        "\u202e",
        "é",
        "a\x00b",
        "\ud800",
        "../../etc",
        "' OR 1=1 --",
        "%_%",
        "null",
    ],
    *["0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2026-02-30", "infinity", str(uuid.UUID(int=0))],
]
_PATHS = ["x", "0", "1", "9" * 30, str(uuid.UUID(int=0)), "é", "%00", "a b", "x" * 300]


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = schema()["paths"].items()
    return [(path, method, said) for path, item in paths for method, said in item.items()]


def resolved(shape: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in shape:
        shape = schema()["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    if len(shape.get("allOf", [])) == 1:
        return resolved(shape["allOf"][0])
    return shape


def sample(shape: dict[str, Any], dice: random.Random, depth: int = 0) -> Any:
    """A value of this shape; now and then an odd one in its place, and odd fields beside its own."""
    shape = resolved(shape)
    if dice.random() < 0.15 or depth > 6:
        return dice.choice(ODD)
    if "enum" in shape:
        return dice.choice(shape["enum"])
    match shape.get("type"):
        case "object":
            own = shape.get("properties", {})
            needed = set(shape.get("required", []))
            chosen = [name for name in own if name in needed or dice.random() < 0.4]
            value = {name: sample(own[name], dice, depth + 1) for name in chosen}
            if not own or dice.random() < 0.05:
                value[dice.choice(["x", "id", "Email", "", "\x00"])] = dice.choice(ODD)
            return value
        case "array":
            return [sample(shape["items"], dice, depth + 1) for _ in range(dice.randint(0, 3))]
        case "integer":
            return dice.randint(-2, 600)
        case "boolean":
            return dice.random() < 0.5
        case "string" if shape.get("format") == "uuid":
            return str(uuid.UUID(int=dice.getrandbits(128)))
        case "string" if shape.get("format") == "date-time":
            return "2026-03-10T12:00:00Z"
        case "string":
            return dice.choice(["offers", "a@example.com", "u1", "+33612345678", "gold"])
    return dice.choice(ODD)


def ask(caller: Caller, path: str, method: str, said: dict[str, Any], dice: random.Random) -> None:
    address, query = path.removeprefix("/api/v1/"), {}
    for parameter in said.get("parameters", []):
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}", dice.choice(_PATHS))
        elif parameter["in"] == "query" and dice.random() < 0.4:
            query[parameter["name"]] = str(sample(parameter["schema"], dice)).replace("\ud800", "")
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    sent = sample(body, dice) if body else None
    answer = caller.get(address, **query) if method == "get" else caller.send(method.upper(), address, sent)
    assert answer.status_code < 500, (path, method, query, sent, answer.content)
    if answer.status_code >= 400 and answer["Content-Type"] == "application/json":
        assert set(answer.json()) <= {"code", "message", "field", "errors"}, answer.content


def test_nothing_that_is_asked_is_an_error_of_ours(settings: Settings) -> None:
    settings.SEGUE_API_RATE = 0
    dice, caller = random.Random(random.random()), Caller()
    for path, method, said in operations():
        for _time in range(10 * TIMES):
            ask(caller, path, method, said, dice)
