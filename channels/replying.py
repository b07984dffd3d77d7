"""Text messages that people send to us: STOP, START and HELP are obeyed at once and answered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from channels import outbox, reply_words
from channels.intents import Intent
from channels.reply_words import Asked
from channels.surveys import answering, replies
from contacts import consent, event_log, normalise, once, permission
from contacts.consent import NewConsent
from contacts.event_log import NewEvent
from contacts.models import Contact, Identifier, Suppression

#: What answers are called; the policy lets them through to a number that has just been stopped.
ORIGIN = "reply"
_SMS = "sms"
_LONGEST = 500
_TEMPLATES = {Asked.STOP: "sms-stopped", Asked.START: "sms-started", Asked.HELP: "sms-help"}


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a text: what it asked for, how many people have this number, whether they are answered."""

    asked: Asked
    people: int
    answered: bool
    survey: str = ""


def take(sender: str, text: str, now: datetime, *, key: str, proof: Mapping[str, str]) -> Taken:
    """Obey a text from the number ``sender``. ``key`` names the text: the same one again changes nothing.

    STOP bars the number, whoever owns it, and withdraws text messages for everybody who has it.
    """
    number = normalise.phone(sender) or sender.strip()[:64]
    asked = reply_words.read(text)
    with transaction.atomic():
        if not once.claim([once.key("text", key)], now):
            return Taken(asked, 0, answered=False)
        people = _owners(number)
        consent.lock([one.pk for one in people])
        said = {**proof, "text": text[:_LONGEST]}
        changed = _obey(asked, number, people, now, said)
        survey = "" if changed or asked in (Asked.STOP, Asked.HELP) else _answer_survey(people, text, now)
        event_log.append(
            [
                NewEvent(
                    one.pk,
                    "Message Replied",
                    now,
                    now,
                    properties={
                        "channel": _SMS,
                        "asked": str(asked),
                        **({"survey": survey} if survey else {}),
                    },
                )
                for one in people
            ]
        )
        answers = [_answer(asked, people[0], key)] if changed and people else []
        outbox.intend(answers, now)
    return Taken(asked, len(people), answered=bool(answers), survey=survey)


def _owners(number: str) -> list[Contact]:
    """Whose number it is, the latest seen first: by identifier, or by the profile where no event told it."""
    known = Identifier.objects.filter(kind=Identifier.Kind.PHONE, value=number).values("contact_id")
    newest = "-last_seen_at", "id"
    owners = list(Contact.objects.filter(pk__in=known).order_by(*newest))
    return owners or list(Contact.objects.filter(phone=number).order_by(*newest))


def _obey(asked: Asked, number: str, people: list[Contact], now: datetime, said: Mapping[str, str]) -> bool:
    """Do it; whether anything changed, so that it is worth an answer."""
    match asked:
        case Asked.STOP:
            for one in people:
                consent.withdraw(one.pk, now, origin="text message", channels=[_SMS], proof=said)
            return bool(consent.suppress([(_SMS, number)], Suppression.Reason.STOPPED, now))
        case Asked.START:
            stopped = Suppression.objects.filter(
                channel=_SMS, address=consent.address_key(_SMS, number), reason=Suppression.Reason.STOPPED
            )
            if not stopped.delete()[0]:
                return False
            consent.record(
                [
                    NewConsent(one.pk, _SMS, permission.EVERY, True, "text message", proof=said)
                    for one in people
                ],
                now,
            )
            return True
        case Asked.HELP:
            return bool(once.claim([once.key("text help", number, now.date())], now))
    return False


def _answer_survey(people: list[Contact], text: str, now: datetime) -> str:
    """Take the text as the answer to what this number was asked last; the survey's slug, or nothing."""
    open_one = answering.last_asked([one.pk for one in people], _SMS, now)
    said = replies.read(text, open_one.survey) if open_one else None
    if open_one is None or said is None:
        return ""
    taken = answering.take(open_one, *said, now)
    return open_one.survey.slug if taken is answering.Taken.NOW else ""


def _answer(asked: Asked, contact: Contact, key: str) -> Intent:
    return Intent(
        contact_id=contact.pk,
        key=once.key("text answer", key),
        purpose=ORIGIN,
        wanted=(_SMS,),
        content={_SMS: _TEMPLATES[asked]},
        transactional=True,
        origin_kind=ORIGIN,
        origin_slug=ORIGIN,
    )
