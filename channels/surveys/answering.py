"""Answers: taken once a message, onto the profile and into the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction

from channels import message_events
from channels.lifecycle import State
from channels.links import signer
from channels.models import Message, Survey, SurveyAnswer
from channels.surveys import asking, versions
from channels.surveys.wording import LONGEST_COMMENT, Definition, Picked
from contacts import attributes, event_log
from contacts.event_log import NewEvent
from contacts.models import Contact
from contacts.profile import PERSON

EVENT = "Survey Answered"
#: A message in these states has reached the person, or may have.
_ARRIVED = (State.ACCEPTED, State.UNCERTAIN, State.TRANSMITTING)


class Taken(StrEnum):
    NOW = "now"
    BEFORE = "before"
    TOO_LATE = "too_late"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that asks a survey, and what its link had picked."""

    message: Message
    survey: Definition
    contact: Contact
    picked: Picked | None = None

    def is_over(self, now: datetime) -> bool:
        since = self.message.accepted_at or self.message.created_at
        return now > since + timedelta(days=self.survey.days)

    @property
    def language(self) -> str:
        return self.contact.language


def by_token(text: str) -> Asked | None:
    """What a link asks, or None where it was not made by us or its message is gone."""
    token = signer().read(asking.USE, text)
    if token is None:
        return None
    message = Message.objects.filter(id=token.message_id, created_at=token.created_at).first()
    found = of_message(message) if message else None
    if found is None or not token.link_id:
        return found
    return Asked(found.message, found.survey, found.contact, found.survey.picked(token.link_id - 1))


def of_message(message: Message) -> Asked | None:
    """What a message asks its person, where it does and the person is still there."""
    ref = asking.named(message)
    survey = versions.load({ref}).get(ref) if ref else None
    contact = Contact.objects.filter(pk=message.contact_id).first()
    if survey is None or contact is None:
        return None
    return Asked(message, survey, contact)


def last_asked(contact_ids: list[int], channel: str, now: datetime) -> Asked | None:
    """The survey that these people were asked last by a channel, where it still takes an answer."""
    message = (
        Message.objects.filter(
            contact_id__in=contact_ids,
            channel=channel,
            state__in=_ARRIVED,
            created_at__gt=now - timedelta(days=400),
            variables__has_key=asking.NAME,
        )
        .order_by("-created_at")
        .first()
    )
    found = of_message(message) if message else None
    if found is None or found.is_over(now) or is_answered(found):
        return None
    return found


def is_answered(asked: Asked) -> bool:
    return SurveyAnswer.objects.filter(key=asked.message.key).exists()


def take(asked: Asked, value: int | None, text: str, now: datetime) -> Taken:
    """Keep the answer: on the profile, in the log, once for each message. Again changes nothing."""
    if asked.is_over(now):
        return Taken.TOO_LATE
    picked = asked.survey.picked(value)
    said = _clean(text)
    if picked is None and (not asked.survey.is_free or not said):
        return Taken.NOTHING
    message, survey = asked.message, asked.survey
    with transaction.atomic():
        row, is_new = SurveyAnswer.objects.get_or_create(
            key=message.key,
            defaults={
                "slot": asked.contact.slot,
                "contact_id": asked.contact.pk,
                "survey_id": Survey.objects.values_list("pk", flat=True).get(slug=survey.slug),
                "number": survey.number,
                "channel": message.channel,
                "score": picked.score if picked else None,
                "answer": picked.answer if picked else said,
                "text": said if picked else "",
                "journey": message.origin_slug,
                "step": message.origin_step,
                "answered_at": now,
            },
        )
        if not is_new:
            return Taken.BEFORE
        attributes.set_attributes(
            {asked.contact.pk: profile_of(survey, row)}, now, {asked.contact.pk: PERSON}
        )
        event_log.append([_event(asked, row, now)])
    return Taken.NOW


def profile_of(survey: Definition, row: SurveyAnswer) -> Mapping[str, Any]:
    """What the profile keeps of the latest answer: ``survey_nps`` and what goes with it."""
    name = f"survey_{survey.slug.replace('-', '_')}"
    value: int | str = row.score if row.score is not None else row.answer
    return {name: value, f"{name}_text": row.text or None, f"{name}_at": row.answered_at.isoformat()}


def _event(asked: Asked, row: SurveyAnswer, now: datetime) -> NewEvent:
    return message_events.event(
        EVENT,
        asked.message,
        now,
        survey=asked.survey.slug,
        version=asked.survey.number,
        kind=asked.survey.kind,
        score=row.score,
        answer=row.answer,
        text=row.text,
    )


def _clean(text: str) -> str:
    kept = (sign for sign in text if sign.isprintable() or sign == "\n")
    return "".join(kept).encode(errors="ignore").decode().strip()[:LONGEST_COMMENT]
