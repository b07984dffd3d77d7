"""Templates and content blocks by program."""

from __future__ import annotations

import pytest

from channels.models import TemplateVersion
from tests.contacts.api.caller import Caller
from tests.factories import make_contact, make_template

pytestmark = pytest.mark.django_db


def test_a_program_writes_a_block_and_a_template_and_publishes_both() -> None:
    caller = Caller("templates:read", "templates:write", "templates:publish")
    assert caller.post("content-blocks", {"slug": "foot", "name": "Foot"}).status_code == 201
    bad = caller.send("PUT", "content-blocks/foot/en", {"body": "<script>x</script>"})
    assert (bad.status_code, bad.json()["field"]) == (400, "body")
    caller.send("PUT", "content-blocks/foot/en", {"body": "<p>{{ message.unsubscribe_url }}</p>"})
    assert caller.post("content-blocks/foot/en").json()["published"] == {"en": 1}
    made = caller.post("templates", {"slug": "hi", "name": "Hi", "channel": "email"})
    assert (made.status_code, made.json()["published"]) == (201, {})
    words = {"subject": "Hi", "body": '<p>Hi {{ contact.first_name | default: "you" }}</p>{% block "foot" %}'}
    told = caller.send("PUT", "templates/hi/en", words).json()
    assert (told["number"], told["published"]) == (1, False)
    # What the law asks for is remarked, and keeps nothing back.
    assert not any(one["is_error"] for one in told["findings"])
    assert caller.post("templates/hi/en").json()["published"] is True
    assert TemplateVersion.objects.get().blocks == {"foot": 1}
    assert caller.post("templates/hi/en").json()["code"] == "no_draft"
    (listed,) = caller.get("templates").json()["items"]
    assert (listed["published"], listed["drafts"]) == ({"en": 1}, [])
    assert [one["slug"] for one in caller.get("content-blocks").json()["items"]] == ["foot"]


def test_what_is_wrong_is_named_and_not_published_and_scopes_hold() -> None:
    caller = Caller("templates:read", "templates:write", "templates:publish")
    caller.post("templates", {"slug": "hi", "name": "Hi", "channel": "sms"})
    assert caller.post("templates", {"slug": "hi", "name": "Ho", "channel": "sms"}).status_code == 409
    told = caller.send("PUT", "templates/hi/fr", {"body": "{% if %}"}).json()
    assert told["findings"][0]["is_error"] is True
    assert caller.post("templates/hi/fr").json()["code"] == "not_in_order"
    assert caller.get("templates/hi/de").status_code == 404
    assert caller.get("templates/none/de").status_code == 404
    assert Caller("templates:read").post("templates/hi/fr").status_code == 403


def test_a_program_gets_ready_blocks_and_mails_in_a_language() -> None:
    caller = Caller("templates:read")
    told = caller.get("template-library?language=fr").json()
    assert "Me désabonner" in next(one["body"] for one in told["blocks"] if one["slug"] == "footer")
    assert "welcome-email" in [one["slug"] for one in told["mails"]]
    assert caller.get("template-library?language=xx").status_code == 400
    assert Caller("contacts:read").get("template-library").status_code == 403


def test_a_template_is_seen_as_a_contact_by_who_may_read_contacts() -> None:
    make_template(
        "hello", subject="Hi {{ contact.first_name }}", body="<p>Hello {{ contact.first_name }}</p>"
    )
    ann = make_contact(first_name="Ann")
    reader = Caller("templates:read", "contacts:read")
    path = "templates/hello/en/preview"
    seen = reader.post(path, {"contact": str(ann.public_id)}).json()
    assert (seen["subject"], seen["number"]) == ("Hi Ann", 1)
    assert "Hello Ann" in seen["html"]
    assert "Hello Ann" in seen["text"]
    assert reader.post(path).json()["subject"] == "Hi Alex"
    refused = Caller("templates:read").post(path, {"contact": str(ann.public_id)})
    assert (refused.status_code, refused.json()["field"]) == (403, "contact")
    nameless = make_contact()
    assert reader.post(path, {"contact": str(nameless.public_id)}).json()["code"] == "not_in_order"
    assert reader.post("templates/hello/fr/preview").status_code == 404
    assert reader.post("templates/gone/en/preview").status_code == 404
    assert reader.post(path, {"contact": "00000000-0000-4000-8000-000000000000"}).status_code == 404


def test_a_language_that_is_too_long_is_refused_by_its_field() -> None:
    make_template("hello")
    writer = Caller("templates:write")
    writer.post("content-blocks", {"slug": "foot", "name": "Foot"})
    for path, words in (("templates/hello", {"subject": "Hi"}), ("content-blocks/foot", {"body": "Bye"})):
        answer = writer.send("PUT", f"{path}/{'x' * 17}", words)
        assert (answer.status_code, answer.json()["field"]) == (400, "language")
