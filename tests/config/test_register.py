"""The register of processing follows what is configured."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from contacts.models import Purpose
from contacts.privacy import retention
from tests.factories import NOON, make_provider, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "", "x"))
    return client


def test_it_names_sources_purposes_recipients_and_periods_of_now(reader: Client) -> None:
    make_source("Corner shop", slug="corner")
    Purpose.objects.update_or_create(slug="offers", defaults={"name": "Offers"})
    make_provider("email", name="Post office", kind="smtp")
    retention.save("messages", 123, NOON)
    lines = {one["name"]: one for one in reader.get("/admin/register/?as=json").json()["activities"]}
    assert lines["Collecting what people do"]["sources"] == ["Corner shop"]
    offers = lines["Messages: Offers"]
    assert (offers["recipients"], offers["kept"]) == (["Post office (smtp)"], "123 days")
    assert "consent" in offers["basis"]


def test_it_can_be_read_in_french_and_taken_along(reader: Client) -> None:
    make_source("=cmd()", slug="cmd")
    assert "Registre des traitements" in reader.get("/admin/register/?lang=fr").content.decode()
    text = reader.get("/admin/register/?as=csv&lang=fr").content.decode("utf-8-sig")
    assert text.startswith("Traitement,Finalité,Base légale")
    assert ",=cmd()" not in text


def test_it_is_for_privacy_officers(client: Client) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get("/admin/register/").status_code == 403
