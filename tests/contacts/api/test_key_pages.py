"""The pages on which keys of the API are made and revoked."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from config import roles
from contacts.models import ApiKey
from tests.config.backoffice import make_person, signed_in
from tests.contacts.api.caller import Caller

pytestmark = pytest.mark.django_db
ADD = "/admin/contacts/apikey/add/"


def test_a_key_is_made_shown_once_and_works() -> None:
    ines = signed_in(make_person("ines", role=roles.INTEGRATOR))
    page = ines.post(ADD, {"name": "shop", "days": "30", "scopes": ["contacts:read", "sources:read"]})
    text = re.search(r"seg_[\w-]{40,}", page.content.decode())
    assert text
    assert Caller(key=text[0]).get("me").json()["scopes"] == ["contacts:read", "sources:read"]
    key = ApiKey.objects.get()
    assert key.expires_at
    assert LogEntry.objects.filter(object_id=key.pk).exists()
    for address in (reverse("admin:contacts_apikey_changelist"), f"/admin/contacts/apikey/{key.pk}/change/"):
        again = ines.get(address)
        assert again.status_code == 200
        assert text[0] not in again.content.decode()


def test_a_key_is_revoked_after_a_question() -> None:
    ines = signed_in(make_person("ines", role=roles.INTEGRATOR))
    caller = Caller("sources:read")
    address = reverse("admin:contacts_apikey_revoke", args=[ApiKey.objects.get().pk])
    assert "cannot be undone" in ines.get(address).content.decode()
    assert caller.get("me").status_code == 200
    ines.post(address)
    assert caller.get("me").status_code == 401
    assert LogEntry.objects.get().get_change_message() == "Revoked"


def test_nobody_gives_a_guarded_scope_that_is_not_theirs() -> None:
    ines = signed_in(make_person("ines", role=roles.INTEGRATOR))
    page = ines.post(ADD, {"name": "shop", "scopes": ["privacy:write"]})
    assert ApiKey.objects.count() == 0
    assert "privacy:write" not in ines.get(ADD).content.decode()
    assert page.status_code == 200


def test_keys_are_closed_to_those_who_do_not_manage_them() -> None:
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    for address in (ADD, reverse("admin:contacts_apikey_changelist")):
        assert analyst.get(address).status_code == 403
