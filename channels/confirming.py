"""Double opt-in: the message with the link, and what following it does."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from channels import outbox
from channels.intents import Intent
from contacts import consent, once, preferences
from contacts.consent import Answer, asking
from contacts.crashpoints import crashpoint
from contacts.models import ConsentRequest, Purpose
from contacts.preferences import Grant, Use

#: What such messages are called in the log and the lists.
ORIGIN = "confirmation"
_TEMPLATES = {"email": "confirm-email", "sms": "confirm-sms"}


def send(now: datetime, limit: int = 500) -> int:
    """Wish for the messages of requests that are due; returns how many. They go the way of all messages."""
    with transaction.atomic():
        due = list(asking.due_mails(now, limit))
        names = {one.slug: one for one in Purpose.objects.filter(slug__in={one.purpose for one in due})}
        intents = [_intent(one, names.get(one.purpose), now) for one in due if one.channel in _TEMPLATES]
        for one in due:
            one.mails, one.mail_at = one.mails + 1, None
        ConsentRequest.objects.bulk_update(due, ["mails", "mail_at"])
        outbox.intend(intents, now)
        crashpoint("consent.confirming")
    return len(due)


def confirm(grant: Grant, now: datetime, proof: dict[str, str]) -> Answer:
    """Follow a confirmation link; again changes nothing."""
    return consent.confirm(grant.message, now, proof) if grant.message else Answer.UNKNOWN


def _intent(request: ConsentRequest, purpose: Purpose | None, now: datetime) -> Intent:
    grant = Grant(request.contact.public_id, request.channel, request.purpose, request.key)
    link = f"{settings.SEGUE_BASE_URL}/c/{preferences.token(grant, Use.CONFIRM, now)}"
    french = request.contact.language.startswith("fr")
    name = ((purpose.name_fr if french else "") or purpose.name) if purpose else request.purpose
    return Intent(
        contact_id=request.contact_id,
        key=once.key("confirmation", request.key, request.mails),
        purpose=ORIGIN,
        wanted=(request.channel,),
        content={request.channel: _TEMPLATES[request.channel]},
        transactional=True,
        # Nothing is advertised in it: without products the layout leaves their place out.
        variables={"confirm": {"url": link, "purpose": name}, "products": []},
        deadline_at=request.ends_at,
        origin_kind=ORIGIN,
        origin_slug=ORIGIN,
    )
