"""The description of the whole API: complete, valid and without warnings; and the page that shows it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from config import roles
from contacts.api.endpoint import Endpoint
from tests.config.backoffice import make_person, signed_in
from tests.contacts.api.caller import Caller

#: Not endpoints: the schema itself, the page that shows it, and what answers for all else.
OTHERS = {"api/v1/schema", "api/v1/docs", "api/<path:path>"}
METHODS = ("get", "post", "put", "patch", "delete")


@functools.cache
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    return dict(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


def addresses(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith("api/"):
            yield route, getattr(pattern.callback, "cls", None)


ENDPOINTS = [(route, cls) for route, cls in addresses(get_resolver().url_patterns) if route not in OTHERS]


def test_the_schema_is_valid_and_made_without_warnings() -> None:
    validate_schema(schema())  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]


def test_every_address_of_the_api_is_an_endpoint_of_the_first_version() -> None:
    assert [route for route, cls in ENDPOINTS if not (cls and issubclass(cls, Endpoint))] == []
    assert [route for route, _cls in ENDPOINTS if not route.startswith("api/v1/")] == []
    assert [route for route, _cls in ENDPOINTS if route.endswith("/")] == []


def test_every_method_of_an_endpoint_needs_a_known_scope() -> None:
    for route, cls in ENDPOINTS:
        methods = {method.upper() for method in METHODS if hasattr(cls, method)}
        assert set(cls.scopes) == methods, route
        assert {*cls.scopes.values(), ""} <= {*settings.SEGUE_API_SCOPES, ""}, route
        assert route == "api/v1/me" or all(cls.scopes.values()), route


def test_every_endpoint_appears_in_the_schema() -> None:
    told = {
        (re.sub(r"{[^}]+}", "{}", path), method)
        for path, item in schema()["paths"].items()
        for method in item
    }
    for route, cls in ENDPOINTS:
        address = "/" + re.sub(r"<[^>]+>", "{}", route)
        for method in METHODS:
            assert ((address, method) in told) == hasattr(cls, method), route


def test_names_of_operations_are_unique_and_every_operation_tells_its_errors() -> None:
    operations = [one for item in schema()["paths"].values() for one in item.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    assert all({"400", "401", "403", "429"} <= set(one["responses"]) for one in operations)


@pytest.mark.django_db
def test_the_schema_is_for_callers_and_the_page_for_people() -> None:
    assert Client().get("/api/v1/schema").status_code == 401
    assert Client().get("/api/v1/docs").status_code == 302
    assert Caller("sources:read").get("schema", format="json").json()["openapi"].startswith("3.")
    page = signed_in(make_person("ines", role=roles.INTEGRATOR)).get("/api/v1/docs")
    assert page.status_code == 200
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=|https?://", page.content.decode()) == []


@pytest.mark.django_db
def test_an_address_that_is_no_endpoint_is_told_so_in_our_shape() -> None:
    program = Client(enforce_csrf_checks=True)
    for answer in (Caller().get("no/such/thing"), program.post("/api/v1/no/such/thing", {"a": 1})):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.django_db
def test_a_caller_is_told_who_it_is() -> None:
    assert Caller("sources:read").get("me").json()["scopes"] == ["sources:read"]
    person = signed_in(make_person("ines", role=roles.INTEGRATOR)).get("/api/v1/me").json()
    assert (person["kind"], "sources:write" in person["scopes"]) == ("person", True)
