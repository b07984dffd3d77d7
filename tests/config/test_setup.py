"""The set-up page: a step is green when it is so, and whoever may not change accounts sees nothing."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from channels import starter
from channels.models import ProviderAccount, TemplateVersion
from config import roles, setup_steps
from contacts.models import Purpose, SourceCount
from journeys.models import Journey
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact, make_provider, make_queued, make_source, make_version

pytestmark = pytest.mark.django_db

WHO = {
    "organisation": "",
    "from_name": "Corner Shop",
    "postal_address": "1 Market Street, Springfield",
    "from_email": "hello@corner.example",
    "reply_to": "",
}


def states() -> dict[str, str]:
    return {step.name: step.state for step in setup_steps.steps()}


def test_a_bare_installation_has_everything_open() -> None:
    Purpose.objects.all().delete()
    assert set(states().values()) == {"open"}


def test_saying_who_writes_makes_an_account_that_sends_nothing_yet() -> None:
    person = signed_in(make_person("root", superuser=True))
    assert person.post(reverse("setup"), WHO).status_code == 302
    account = ProviderAccount.objects.get()
    assert (account.kind, account.settings["from_name"]) == ("sandbox", "Corner Shop")
    assert states()["organisation"] == "done"
    assert (states()["sender"], states()["channels"]) == ("trial", "trial")
    account.kind = "smtp"
    account.save()
    # Nothing can leave before the server is known.
    assert (states()["sender"], states()["channels"]) == ("trial", "trial")
    assert "Server" in next(step.found for step in setup_steps.steps() if step.name == "sender")
    account.settings = {**account.settings, "host": "smtp.corner.example"}
    account.save()
    assert (states()["sender"], states()["channels"]) == ("done", "done")
    assert LogEntry.objects.get().change_message == "said who writes"


def test_an_address_that_is_none_is_named_and_nothing_is_kept() -> None:
    person = signed_in(make_person("root", superuser=True))
    answer = person.post(reverse("setup"), {**WHO, "from_email": "shop\r\nBcc: x@y.example"})
    assert answer.status_code == 200
    assert "mailboxes" in answer.content.decode() or "exactly one @" in answer.content.decode()
    assert not ProviderAccount.objects.exists()


def test_the_other_steps_turn_green_by_what_is_there() -> None:
    source = make_source()
    assert states()["source"] == "trial"
    SourceCount.objects.create(source=source, day=NOON.date(), received=1, accepted=1)
    make_version({"trigger": {"event": "X"}, "start": "x", "steps": {"x": {"type": "exit", "reason": "x"}}})
    make_provider("email")
    message = make_queued(make_contact())
    message.state, message.due_at = message.State.ACCEPTED, None
    message.save()
    found = states()
    assert (found["source"], found["journey"], found["message"]) == ("done", "done", "done")


def test_starter_templates_and_journeys_are_added_from_here() -> None:
    person = signed_in(make_person("root", superuser=True))
    person.post(reverse("setup"), {"templates": ""})
    person.post(reverse("setup"), {"journeys": ""})
    assert TemplateVersion.objects.filter(published_at__isnull=False).exists()
    assert Journey.objects.exists()
    assert (states()["template"], states()["journey"]) == ("done", "trial")
    # What the starter data says of the sender is nobody's own.
    assert states()["organisation"] == "open"


def test_what_segue_answers_with_by_itself_is_no_first_template() -> None:
    starter.load_needed(NOON)
    assert states()["template"] == "open"


def test_the_home_page_leads_to_set_up_until_mails_leave() -> None:
    person = signed_in(make_person("root", superuser=True))
    assert f'<a href="{reverse("setup")}">Set-up</a>' in person.get("/admin/").content.decode()
    make_provider("email", kind="smtp", settings={"host": "smtp.corner.example"})
    assert f'<a href="{reverse("setup")}">Set-up</a>' not in person.get("/admin/").content.decode()


def test_only_who_may_change_accounts_sees_it() -> None:
    assert signed_in(make_person("mia", role=roles.MARKETER)).get(reverse("setup")).status_code == 403
