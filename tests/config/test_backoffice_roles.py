"""Every address of the back office, for every role: nobody sees more than the table says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config import roles
from tests.config.backoffice import make_person, signed_in

pytestmark = pytest.mark.django_db

#: Pages that everyone who may sign in may open; they show no rows by themselves.
OPEN = {
    "index",
    "login",
    "logout",
    "jsi18n",
    "password_change",
    "password_change_done",
    "app_list",
    "autocomplete",
    "search",
    "view_on_site",
}


def listings() -> list[tuple[str, str]]:
    """(model label, address of its list) of everything registered."""
    return sorted(
        (model._meta.label_lower, f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
        for model in admin.site._registry
    )


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(name, address) of every pattern under /admin/, with 1 for each parameter."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif "?P<" not in route and route.isprintable():
            yield pattern.name or "", _filled(route)


def _filled(route: str) -> str:
    while "<" in route:
        before, _sign, rest = route.partition("<")
        route = before + "1" + rest.partition(">")[2]
    return "/" + route


def back_office() -> list[tuple[str, str]]:
    found = [
        (name, address)
        for name, address in addresses(get_resolver().url_patterns)
        if address.startswith("/admin/") and name not in OPEN
    ]
    assert len(found) > 20
    return found


def test_no_address_of_the_back_office_answers_a_stranger() -> None:
    client = Client()
    told = [address for _name, address in back_office() if client.get(address).status_code == 200]

    assert told == []


def test_no_address_of_the_back_office_answers_someone_without_a_role() -> None:
    client = signed_in(make_person("nobody"))
    told = [
        (name, address)
        for name, address in back_office()
        if client.get(address).status_code not in {302, 403, 404, 405}
    ]

    assert told == []


@pytest.mark.parametrize("role", [*roles.TABLE, roles.ADMIN])
def test_a_role_opens_exactly_the_lists_that_the_table_gives_it(role: str) -> None:
    client = signed_in(make_person("somebody", role=role))
    opened = {label for label, address in listings() if client.get(address).status_code == 200}

    if role == roles.ADMIN:
        assert opened == {label for label, _address in listings()}
    else:
        given = {label for label, actions in roles.TABLE[role].items() if "view" in actions.split()}
        assert opened == given & {label for label, _address in listings()}


@pytest.mark.parametrize("role", [*roles.TABLE, roles.ADMIN])
def test_the_sidebar_shows_no_link_that_leads_to_a_refusal(role: str) -> None:
    client = signed_in(make_person("somebody", role=role))
    links = [
        item["link"]
        for group in client.get("/admin/").context["sidebar_navigation"]
        for item in group["items"]
    ]

    assert [link for link in links if client.get(link).status_code != 200] == []
    assert len(links) > 1
