"""The back office of channels: pages open, drafts are published, secrets stay, the uncertain is settled."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from channels import accounts, actors, deciding, delivery, outbox, receipt_words, sealing, starter
from channels.models import (
    Attempt,
    Message,
    ProviderAccount,
    Receipt,
    SandboxMessage,
    Template,
    TemplateVersion,
)
from channels.providers import PROVIDERS
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import NOON, make_contact, make_intent, make_provider, make_queued, make_template

pytestmark = pytest.mark.django_db
State = Message.State


@pytest.fixture
def office(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "secret"))
    return client


def _change(model: str, pk: object) -> str:
    return reverse(f"admin:channels_{model}_change", args=[pk])


@pytest.mark.parametrize("model", ["template", "provideraccount", "message", "sandboxmessage", "audience"])
def test_every_list_opens_empty_and_full(office: Client, model: str) -> None:
    address = reverse(f"admin:channels_{model}_changelist")
    assert office.get(address).status_code == 200
    starter.load(NOON)
    make_queued(make_contact(), content={"email": "welcome-email"})
    delivery.deliver_batch(lambda: NOON)
    page = office.get(address)
    assert page.status_code == 200
    if model in ("template", "provideraccount", "audience"):
        assert office.get(reverse(f"admin:channels_{model}_add")).status_code == 200


def test_a_draft_is_saved_previewed_tested_and_published(office: Client) -> None:
    template = Template.objects.create(name="News", slug="news", channel="email")
    page = _change("template", template.pk)
    assert office.get(page).status_code == 200
    words = {
        "subject": "Hi {{ contact.first_name }}",
        "body": "<p>Dear {{ contact.first_name }}</p>",
        "text": "",
    }
    office.post(page, {**words, "save": "1"})
    draft = TemplateVersion.objects.get()
    assert draft.published_at is None
    answer = office.get(page)
    assert b"may be missing" in answer.content
    preview = reverse("admin:channels_template_preview", args=[template.pk, draft.pk])
    contact = make_contact(first_name="Zo<b>")
    shown = office.get(preview, {"part": "html", "contact": contact.email})
    assert b"Dear Zo&lt;b&gt;" in shown.content
    assert "sandbox" in shown["Content-Security-Policy"]
    assert "default-src 'none'" in shown["Content-Security-Policy"]
    office.post(page, {**words, "test": "1", "contact": contact.email})
    assert SandboxMessage.objects.get().subject == "Hi Zo<b>"
    publish = reverse("admin:channels_template_publish", args=[template.pk, draft.pk])
    assert b"is sent from now on" not in office.get(publish).content
    assert not TemplateVersion.objects.filter(published_at__isnull=False).exists()
    office.post(publish)
    assert TemplateVersion.objects.filter(published_at__isnull=False).get() == draft
    # What is published stays; the next save begins a new version.
    office.post(page, {**words, "subject": "Other", "save": "1"})
    assert list(TemplateVersion.objects.order_by("number").values_list("number", "subject")) == [
        (1, words["subject"]),
        (2, "Other"),
    ]


def test_a_ready_made_mail_saved_unchanged_by_a_browser_can_still_be_sent(office: Client) -> None:
    starter.load(NOON)
    version = TemplateVersion.objects.get(template__slug="cart-reminder-email", language="en")
    # Browsers end the lines of a text field with both signs.
    body = version.body.strip().replace("\n", "\r\n")
    words = {"subject": version.subject, "body": body, "text": "", "test": "1"}
    answer = office.post(_change("template", version.template_id) + "?language=en", words, follow=True)
    assert b"Not sent" not in answer.content
    assert SandboxMessage.objects.count() == 1
    draft = TemplateVersion.objects.get(published_at__isnull=True)
    assert draft.body == version.body.strip()


@pytest.mark.parametrize(
    "body", ["<script>alert(1)</script>", "{{ x | nosuch }}", "{% if %}", "<a href='javascript:x'>a</a>"]
)
def test_a_bad_draft_can_be_kept_and_not_published(office: Client, body: str) -> None:
    template = Template.objects.create(name="News", slug="news", channel="email")
    office.post(_change("template", template.pk), {"subject": "a", "body": body, "save": "1"})
    draft = TemplateVersion.objects.get()
    office.post(reverse("admin:channels_template_publish", args=[template.pk, draft.pk]))
    draft.refresh_from_db()
    assert draft.published_at is None
    assert b"is-bad" in office.get(_change("template", template.pk)).content


def test_publishing_needs_its_permission(client: Client) -> None:
    user = User.objects.create_user("writer", is_staff=True)
    user.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_template", "change_template", "view_templateversion"])
    )
    client.force_login(user)
    version = make_template("news")
    draft = TemplateVersion.objects.create(
        template=version.template, number=2, subject=version.subject, body=version.body
    )
    publish = reverse("admin:channels_template_publish", args=[version.template_id, draft.pk])
    assert client.post(publish).status_code == 403
    assert client.get(_change("template", version.template_id)).status_code == 200


def test_secrets_are_kept_and_never_shown(office: Client) -> None:
    account = make_provider("email", name="smtp", kind="smtp")
    page = _change("provideraccount", account.pk)
    values = {
        "name": "smtp", "channel": "email", "kind": "smtp", "position": "1", "active": "on",
        "value_host": "127.0.0.1", "value_port": "2525", "value_security": "none",
        "value_username": "me", "value_password": "canary-1234", "value_timeout": "5",
        "value_from_email": "shop@example.org",
    }  # fmt: skip
    assert office.post(page, values).status_code == 302
    account.refresh_from_db()
    assert account.settings["host"] == "127.0.0.1"
    assert "canary" not in account.secrets + str(account.settings)
    assert b"canary" not in office.get(page).content
    assert office.post(page, {**values, "value_password": ""}).status_code == 302
    account.refresh_from_db()
    assert sealing.values_of(account)["password"] == "canary-1234"


def test_a_setting_that_cannot_be_is_named_and_nothing_is_saved(office: Client) -> None:
    account = make_provider("email", name="smtp", kind="smtp", settings={"host": "127.0.0.1"})
    values = {
        "name": "smtp", "channel": "email", "kind": "smtp", "position": "1", "value_host": "127.0.0.1",
        "value_port": "smtp", "value_security": "ssl", "value_timeout": "forever",
        "value_from_email": "shop at example.org", "value_mailbox_protocol": "imap",
    }  # fmt: skip
    page = office.post(_change("provideraccount", account.pk), values)
    assert page.status_code == 200
    assert set(page.context["adminform"].form.errors) == {
        "value_port", "value_security", "value_timeout", "value_from_email"}  # fmt: skip
    account.refresh_from_db()
    assert account.settings == {"host": "127.0.0.1"}


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_providers_form_takes_its_own_defaults(office: Client, kind: str) -> None:
    channel = min(PROVIDERS[kind].channels)
    account = make_provider(channel, name="trial", kind=kind)
    form = office.get(_change("provideraccount", account.pk)).context["adminform"].form
    required = {f"value_{one.name}" for one in PROVIDERS[kind].settings if one.required and not one.default}
    values = {name: form[name].value() or "" for name in form.fields}
    answer = office.post(_change("provideraccount", account.pk), values)
    wrong = set(answer.context["adminform"].form.errors) if answer.status_code == 200 else set()
    assert wrong == required
    assert len(accounts.missing(account)) == len(required)


def test_a_sandbox_that_becomes_a_server_asks_what_is_missing_and_is_called_one(office: Client) -> None:
    account = make_provider("email", name="Email sandbox", settings={"from_email": "a@shop.example"})
    page = _change("provideraccount", account.pk)
    values = {"name": "Email sandbox", "channel": "email", "kind": "smtp", "position": "1", "active": "on",
              "value_from_email": "a@shop.example", "value_mailbox_protocol": "imap"}  # fmt: skip
    answer = office.post(page, values, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    assert (
        "Now say what the provider must know: Server. It carries nothing before." in answer.content.decode()
    )
    account.refresh_from_db()
    assert account.name == "Email: SMTP server"


def test_a_new_account_takes_the_channel_over_only_when_its_provider_knows_all_it_must(
    office: Client,
) -> None:
    values = {"name": "A server", "channel": "email", "kind": "smtp", "position": "1", "active": "on"}
    answer = office.post(reverse("admin:channels_provideraccount_add"), values)
    account = ProviderAccount.objects.get()
    assert (answer.status_code, account.active) == (302, False)
    page = _change("provideraccount", account.pk)
    del values["active"]
    values |= {"value_host": "smtp.shop.example", "value_security": "tls", "value_mailbox_protocol": "imap"}
    assert office.post(page, values).status_code == 302
    account.refresh_from_db()
    assert account.active
    # Who switches it off later means it.
    for expected in (False, False):
        assert office.post(page, values).status_code == 302
        account.refresh_from_db()
        assert account.active is expected


def test_a_choice_that_was_written_before_there_was_a_list_is_kept(office: Client) -> None:
    account = make_provider(
        "email", name="smtp", kind="smtp", settings={"host": "a.example", "security": "ssl3"}
    )
    form = office.get(_change("provideraccount", account.pk)).context["adminform"].form
    assert ("ssl3", "ssl3") in form.fields["value_security"].choices


def test_an_account_is_tried_before_anybody_depends_on_it(office: Client) -> None:
    with smtp_sink() as sink:
        values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@example.org"}
        account = make_provider("email", name="smtp", kind="smtp", settings=values)
        page = reverse("admin:channels_provideraccount_test", args=[account.pk])
        assert b"Connected to" in office.post(page, {"check": "1"}, follow=True).content
        assert b"Accepted: 250" in office.post(page, {"address": "me@example.com"}, follow=True).content
        assert len(sink.mails) == 1
    assert b"No connection" in office.post(page, {"check": "1"}, follow=True).content


def test_a_message_is_found_by_the_contacts_email_or_phone(office: Client) -> None:
    make_queued(make_contact(email="ada@example.com", phone="+33612345678", first_name="Ada"))
    address = reverse("admin:channels_message_changelist")
    for term in ("ada@example.com", "+33612345678"):
        assert b"Ada" in office.get(address, {"q": term}).content
    assert b"Nothing matches" in office.get(address, {"q": "bob@example.com"}).content


def test_an_empty_list_says_whether_there_is_something_to_make(office: Client) -> None:
    assert b"It fills by itself" in office.get(reverse("admin:channels_message_changelist")).content
    assert b"Add template" in office.get(reverse("admin:channels_template_changelist")).content


def test_a_message_shows_what_was_asked_and_answered(office: Client) -> None:
    outbox.intend([make_intent(make_contact())], NOON)
    deciding.decide_batch(NOON)
    page = office.get(_change("message", Message.objects.get().pk)).content.decode()
    assert '<span class="segue-pill is-good">passed</span>' in page


def test_an_uncertain_message_is_settled_by_hand_after_a_question(office: Client) -> None:
    message = make_queued(make_contact(), state=State.UNCERTAIN, due_at=None, reason="no_answer")
    Attempt.objects.create(
        started_at=NOON, slot=message.slot, message_id=message.id, message_created_at=message.created_at,
        provider_id=1, number=1, outcome="uncertain", finished_at=NOON + timedelta(seconds=1),
    )  # fmt: skip
    page = _change("message", message.pk)
    assert b"Nobody knows" in office.get(page).content
    office.post(page, {"verdict": "arrived"})
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    office.post(page, {"verdict": "arrived", "sure": "1"})
    message.refresh_from_db()
    assert (message.state, message.accepted_at) == (State.ACCEPTED, NOON)
    assert office.post(page, {"verdict": "send_again", "sure": "1"}).status_code == 403


def test_a_message_in_the_sandbox_is_shown_in_a_frame_that_can_do_nothing(office: Client) -> None:
    starter.load(NOON)
    message = make_queued(make_contact(), content={"email": "welcome-email"})
    delivery.deliver_batch(lambda: NOON)
    kept = SandboxMessage.objects.get()
    page = office.get(_change("sandboxmessage", kept.pk))
    assert b'sandbox title="The message"' in page.content
    frame = office.get(reverse("admin:channels_sandboxmessage_frame", args=[kept.pk]))
    assert "sandbox" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert office.get(_change("message", message.pk)).status_code == 200


def test_who_may_not_look_sees_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("guest", is_staff=True))
    starter.load(NOON)
    message = make_queued(make_contact(), content={"email": "welcome-email"})
    delivery.deliver_batch(lambda: NOON)
    version = TemplateVersion.objects.first()
    assert version
    for address in (
        _change("message", message.pk),
        _change("sandboxmessage", SandboxMessage.objects.get().pk),
        reverse("admin:channels_sandboxmessage_frame", args=[SandboxMessage.objects.get().pk]),
        _change("template", version.template_id),
        reverse("admin:channels_template_preview", args=[version.template_id, version.pk]),
        reverse("admin:channels_provideraccount_test", args=[ProviderAccount.objects.all()[0].pk]),
    ):
        assert client.get(address).status_code == 403


@pytest.mark.parametrize(
    ("actor", "why", "who", "words"),
    [
        ("human", "", "A person", "–"),
        ("scanner", "too_soon", "A scanner", "It came too soon after the message was taken"),
        ("scanner", "agent:barracuda", "A scanner", "It calls itself “barracuda”."),
        ("scanner", "method:HEAD", "A scanner", "It asked by HEAD"),
        ("proxy", "bare_agent", "A mailbox&#x27;s proxy", "It said nothing of itself"),
        ("scanner", "not_yet_known", "A scanner", "not_yet_known"),
    ],
)
def test_a_message_tells_who_fetched_it_and_how_that_is_known(
    office: Client, actor: str, why: str, who: str, words: str
) -> None:
    message = make_queued(make_contact(), state=State.ACCEPTED, due_at=None, accepted_at=NOON)
    Receipt.objects.create(
        received_at=NOON, slot=message.slot, contact_id=message.contact_id, message_id=message.id,
        message_created_at=message.created_at, kind="opened", actor=actor, detail={"why": why} if why else {},
    )  # fmt: skip
    page = office.get(_change("message", message.pk)).content.decode()
    assert f"<td>Opened</td><td>{who}</td><td>{words}" in page


def test_every_class_and_every_way_of_telling_has_words() -> None:
    judged = [
        actors.of("trap", "GET", "x", "", None),
        actors.of("open", "HEAD", "x", "", None),
        actors.of("open", "GET", "x", "", 0.0),
        actors.of("open", "GET", "x", "prefetch", None),
        actors.of("open", "GET", "googleimageproxy", "", None),
        actors.of("open", "GET", "mozilla/5.0", "", None),
        actors.of("click", "GET", "curl/8", "", None),
        actors.of("click", "GET", "Googlebot/2.1 (+http://www.google.com/bot.html)", "", None),
    ]
    for one in judged:
        assert receipt_words.actor(one.actor) != one.actor
        assert receipt_words.why({"why": one.why}) not in ("", one.why)
