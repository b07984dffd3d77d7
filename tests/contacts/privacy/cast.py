"""Somebody of whom every table knows something, and where a trace of them would be found."""

from __future__ import annotations

import contextlib
import uuid
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction

from channels.models import Attempt, Audience, AudienceMember, Decision, Hit, Message, Receipt, SandboxMessage
from contacts import consent, event_log
from contacts.consent import NewConsent
from contacts.models import (
    ChannelAddress,
    ConsentRequest,
    Contact,
    DeadLetter,
    Identifier,
    Import,
    ImportedContact,
    KeptAnswer,
    Merge,
    Prediction,
    PrivacyRequest,
    RejectedLine,
    Segment,
    SegmentMembership,
)
from contacts.privacy import erasing, requests
from contacts.privacy.inventory import OWN, inventory
from journeys.models import Run, StepEntry
from tests.factories import NOON, log_event, make_contact, make_provider, make_source, make_version

#: Never written by anything but these tests.
EMAIL, PHONE, USER_ID = "canary.bird@example.com", "+33612345987", "canary-4711"
NAME, DEVICE = "Canarina", "canary-device-81"
CANARIES = ("canary", "canarina", "33612345987", "612345987")


def make_somebody() -> Contact:
    """A contact with at least one row in every table of the inventory that can hold one."""
    contact = make_contact(
        email=EMAIL,
        phone=PHONE,
        first_name=NAME,
        attributes={"pet": "canary"},
        inferred={"language": "canary"},
    )
    names = (("email", EMAIL), ("phone", PHONE), ("user", USER_ID), ("device", DEVICE))
    for kind, value in names:
        Identifier.objects.create(kind=kind, value=value, contact=contact, slot=contact.slot, created_at=NOON)
    own = {"contact": contact, "slot": contact.slot}
    ChannelAddress.objects.create(channel="push", address="https://push/canary", created_at=NOON, **own)
    log_event(contact, "Order Completed", NOON, note="canary", total=12)
    consent.record(
        [NewConsent(contact.pk, "email", "offers", True, "paper form", proof={"ip": "canary"})], NOON
    )
    consent.suppress([("sms", PHONE)], "manual", NOON, note="canary asked")
    Prediction.objects.create(name="churn", number=0.5, reason="canary", computed_at=NOON, **own)
    segment, _made = Segment.objects.get_or_create(name="Birds", slug="birds", kind="static")
    SegmentMembership.objects.create(segment=segment, entered_at=NOON, **own)
    Segment.objects.filter(pk=segment.pk).update(size=1)
    Merge.objects.create(
        slot=contact.slot, winner_id=contact.pk, loser_id=contact.pk + 900_000, loser_public_id=uuid.uuid4(),
        reason="same", snapshot={"contact": {"email": EMAIL}}, merged_at=NOON,
    )  # fmt: skip
    source = make_source("Canary shop", slug="canary-shop"[:9])
    DeadLetter.objects.create(
        source=source, received_at=NOON, code="x", reason="x", payload='{"email": "Canary.Bird@example.com"}'
    )
    DeadLetter.objects.create(
        source=source, received_at=NOON, code="x", reason="x", payload='{"tel": "06 12 34 59 87"}'
    )
    file = Import.objects.create(name="people.csv", made_at=NOON, lines=1, created=1)
    RejectedLine.objects.create(job=file, line=2, code="x", cells={"mail": "Canary.Bird@example.com"})
    ImportedContact.objects.create(job=file, contact_id=contact.pk, slot=contact.slot)
    KeptAnswer.objects.create(
        digest="d", request_digest="r", status=200, body=f'{{"email": "{EMAIL}"}}', answered_at=NOON
    )
    ConsentRequest.objects.create(
        channel="email",
        purpose="news",
        origin="form",
        proof={"ip": "canary"},
        asked_at=NOON,
        ends_at=NOON,
        **own,
    )
    _channels(contact)
    _journeys(contact)
    staff, _made = User.objects.get_or_create(username="clerk")
    LogEntry.objects.create(
        user=staff, content_type=ContentType.objects.get_for_model(Contact), object_id=str(contact.pk),
        object_repr=NAME, action_flag=CHANGE, change_message="looked at canary",
    )  # fmt: skip
    _everywhere_else(contact)
    return contact


def _everywhere_else(contact: Contact) -> None:
    """A row of nothing but canaries in each table that follows its contact and is not named above.

    So a table that is new tomorrow is tried without anybody thinking of it, as far as its row stands alone.
    """
    for table in inventory().people:
        model = apps.get_model(table.model)
        if (
            model is PrivacyRequest
            or table.find != OWN
            or model._base_manager.filter(contact_id=contact.pk).exists()
        ):
            continue
        values: dict[str, Any] = {"slot": contact.slot, "contact_id": contact.pk}
        for one in model._meta.concrete_fields:
            if one.attname not in values and not one.primary_key and not one.is_relation and not one.null:
                values[one.attname] = _canary(one)
        with contextlib.suppress(DatabaseError), transaction.atomic():
            model._base_manager.create(**values)


def _canary(one: Any) -> Any:
    kind = one.get_internal_type()
    if kind in ("CharField", "TextField"):
        return "canary"[: one.max_length or 6]
    fixed = {"JSONField": {"of": "canary"}, "DateTimeField": NOON, "DateField": NOON.date()}
    if kind in fixed:
        return fixed[kind]
    return one.get_default() if one.has_default() else 0


def _channels(contact: Contact) -> None:
    own = {"contact_id": contact.pk, "slot": contact.slot}
    account = make_provider("email", name=f"canary account {contact.pk}"[7:])
    sent = Message.objects.create(
        created_at=NOON, key=uuid.uuid4(), channel="email", address=EMAIL, variables={"who": "canary"},
        state=Message.State.ACCEPTED, purpose="offers", provider_message_id="canary-1",
        accepted_at=NOON, **own,
    )  # fmt: skip
    Message.objects.create(
        created_at=NOON, key=uuid.uuid4(), due_at=NOON + timedelta(days=9), state=Message.State.HELD, **own
    )
    about = {"message_id": sent.pk, "message_created_at": NOON}
    Decision.objects.create(
        decided_at=NOON, outcome=1, reason="ok", trace=[["canary", "ok", {}]], **about, **own
    )
    Receipt.objects.create(received_at=NOON, kind="opened", detail={"ip": "canary"}, **about, **own)
    Attempt.objects.create(
        started_at=NOON, slot=contact.slot, provider_id=account.pk, number=1, outcome="accepted",
        detail="250 canary", **about,
    )  # fmt: skip
    Hit.objects.create(received_at=NOON, kind="open", data={"agent": "canary"}, **about)
    SandboxMessage.objects.create(
        account=account, channel="email", address=EMAIL, text="Hello canary", received_at=NOON, **about
    )
    audience, _made = Audience.objects.get_or_create(name="Birds", slug="birds", provider=None)
    AudienceMember.objects.create(audience=audience, state="in", reason="bird", changed_at=NOON, **own)


def _journeys(contact: Contact) -> None:
    version = make_version({"steps": {}}, slug=f"birds-{contact.pk}")
    own = {"contact_id": contact.pk, "slot": contact.slot}
    run = Run.objects.create(
        journey=version.journey, version=version, step="wait", due_at=NOON + timedelta(days=3), since=NOON,
        entered_at=NOON, entry={"note": "canary"}, **own,
    )  # fmt: skip
    StepEntry.objects.create(
        at=NOON, run_id=run.pk, journey_id=version.journey_id, version_id=version.pk, step="wait", visit=1,
        outcome="waited", detail={"note": "canary"}, **own,
    )  # fmt: skip


def read_the_log() -> None:
    """Let every reader that there is have read everything."""
    for reader in ("segments", "rollup"):
        event_log.start_at_end(reader)
    with connection.cursor() as cursor:
        # Past the test's own transaction too.
        cursor.execute("UPDATE contacts_cursor SET xid = xid + 1")


def traces(words: tuple[str, ...] = CANARIES) -> list[str]:
    """Tables of the whole database that still hold one of ``words``, in any column, whatever its type."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = current_schema()"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{name}" t WHERE EXISTS (SELECT FROM unnest(%s::text[]) AS w'
                " WHERE strpos(lower(to_jsonb(t)::text), w) > 0"
                " OR strpos(to_jsonb(t)::text, encode(convert_to(w, 'UTF8'), 'hex')) > 0)",
                [list(words)],
            )
            if (cursor.fetchone() or (0,))[0]:
                found.append(str(name))
    return found


def approved(contact: Contact) -> PrivacyRequest:
    """An erasure that an officer approved; with the default policy it is due a day after NOON."""
    request = requests.ask(
        contact, PrivacyRequest.Kind.ERASURE, NOON, origin="preference centre", by="the person"
    )
    return requests.approve(request, NOON, "officer")


def erase(contact: Contact) -> PrivacyRequest:
    """Erased, and the time of late writers over."""
    request = approved(contact)
    later = NOON + timedelta(days=1)
    erasing.pulse(later)
    erasing.pulse(later + timedelta(hours=1))
    request.refresh_from_db()
    return request
