# Run inside the stage: a journey that mails everybody who tells a story, and people who allow it.
# MAIL_PORT and PEOPLE are filled in by the test. Prints the write key.
import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from channels import charter, rendering
from channels.models import ProviderAccount, Template, TemplateVersion
from contacts import consent, ingest
from contacts.consent import NewConsent
from contacts.intake_event import IntakeEvent, pack
from contacts.models import Identifier, InboxItem, Purpose, Source, SourceKey
from contacts.slots import lane
from journeys import publishing
from journeys.models import Journey

now = datetime.now(UTC)
source = Source.objects.create(name="Story", slug="story")
key = "faultskey"
SourceKey.objects.create(source=source, prefix=key[:6], digest=hashlib.sha256(key.encode()).hexdigest())
for n in range(int("PEOPLE")):
    traits = {"email": f"person{n}@example.com", "first_name": f"Person {n}"}
    event = IntakeEvent(
        type="identify", name="", message_id=f"person-{n}", occurred_at=now, user_id=f"person{n}",
        properties=msgspec.Raw(msgspec.json.encode(traits)),
    )  # fmt: skip
    InboxItem.objects.create(
        lane=lane(f"person{n}"), source_id=source.pk, received_at=now, payload=pack(event)
    )
Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
ends = datetime.now(UTC) + timedelta(seconds=60)
while Identifier.objects.filter(kind="user").count() < int("PEOPLE") and datetime.now(UTC) < ends:
    ingest.take_in(now)
people = list(Identifier.objects.filter(kind="user").values_list("contact_id", flat=True))
consent.record([NewConsent(contact, "email", "offers", True, "test") for contact in people], now)
rules = charter.DEFAULT | {"caps": [], "spacing": {}, "quiet_hours": [], "redundancy": []}
charter.publish(charter.draft(rules), now)
template = Template.objects.create(name="Story", slug="story", channel="email")
version = TemplateVersion.objects.create(
    template=template, number=1, language="en", subject="A story, {{ contact.first_name | default: 'you' }}",
    body="<html><body><p>Once upon a time.</p></body></html>",
)  # fmt: skip
rendering.publish(version, now)
ProviderAccount.objects.filter(channel="email").update(active=False)
ProviderAccount.objects.create(
    name="Witness", channel="email", kind="smtp", position=0,
    settings={
        "host": "127.0.0.1", "port": "MAIL_PORT", "security": "none", "timeout": "10",
        "sender": "story@example.com", "from": "story@example.com", "from_email": "story@example.com",
    },
)  # fmt: skip
graph = {
    "name": "Story",
    "trigger": {"event": "Story Told"},
    "start": "mail",
    "steps": {
        "mail": {"type": "send", "channels": ["email"], "content": {"email": "story"}, "purpose": "offers",
                 "next": "pause"},
        "pause": {"type": "wait", "for": "1 hours", "next": "end"},
        "end": {"type": "exit", "reason": "told"},
    },
}  # fmt: skip
journey = Journey.objects.create(name="Story", slug="story", draft=graph)
publishing.publish(journey, None, now)
print(key)
