"""In-app messages: kept here, fetched by the web SDK and by apps when the person comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from channels.models import InAppMessage
from channels.providers import reading
from channels.providers.base import Mark, Outcome, Parcel, Provider, Result, Setting, Words
from channels.visiting import KIND, MOST_DAYS, USUAL_DAYS
from contacts import finding, slots

_USUAL_LIFE = timedelta(days=14)


class InApp(Provider):
    """Keeps each message once, whatever happens: its key is unique. An address is a contact's public id."""

    kind = KIND
    label = "In-app messages (shown by the web SDK and the API)"
    channels = frozenset({"inapp"})
    settings = (
        Setting(
            "visited_within",
            "Reach people whose last visit is at most so many days ago",
            default=str(USUAL_DAYS),
            reads=reading.whole(1, MOST_DAYS),
        ),
        Setting(
            "unsigned",
            "Show known people's messages without a signature",
            "Anybody can claim a user id in a browser. Keep no, and let your server sign.",
            default="no",
            choices=reading.NO_YES,
        ),
    )
    chunk = 200
    honours_key = True

    def check(self) -> str:
        return "In-app messages are kept on this server; there is nothing to connect to."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        going = mark(parcels)
        results: dict[int, Result] = {}
        rows = []
        with transaction.atomic():
            contacts = finding.find([finding.name("id", one.address) for one in going])
            for parcel, contact_id in zip(going, contacts, strict=True):
                if contact_id is None or not isinstance(parcel.content, Words):
                    results[parcel.message_id] = Result(Outcome.REFUSED, "no_contact", "nobody to show it to")
                    continue
                rows.append(self._row(parcel, parcel.content, contact_id, now))
                results[parcel.message_id] = Result(
                    Outcome.ACCEPTED, "kept", provider_message_id=str(parcel.key)
                )
            InAppMessage.objects.bulk_create(rows, ignore_conflicts=True)
        return results

    def _row(self, parcel: Parcel, words: Words, contact_id: int, now: datetime) -> InAppMessage:
        placing = words.placing
        return InAppMessage(
            slot=slots.of(contact_id),
            contact_id=contact_id,
            key=parcel.key,
            message_id=parcel.message_id,
            message_created_at=parcel.created_at,
            account_id=self.account_id,
            created_at=now,
            title=words.title,
            text=words.text,
            link=words.link,
            image=placing.image,
            button=placing.button,
            place=placing.place,
            pages=list(placing.pages),
            importance=placing.importance,
            ends_at=placing.until or now + _USUAL_LIFE,
            looked_at=now,
            survey=dict(placing.survey),
        )
