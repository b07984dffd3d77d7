"""A call centre's list of people to call: an audience that our own agents work through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from channels import call_outcomes
from channels.models import Audience, CallTask
from channels.providers import reading
from channels.providers.audience import ADD
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, every
from contacts import slots


class CallList(Provider):
    """Who joins the audience is to be called, once; who leaves it before is not."""

    kind = "call_list"
    label = "Call centre (list of calls for your agents)"
    channels = frozenset({"audience"})
    chunk = 1_000
    honours_key = True
    settings = (
        Setting(
            "outcomes",
            "How calls end",
            "One a line; “= again 4 hours” calls once more, “= never” withdraws the consent",
            default=call_outcomes.USUAL,
            lines=True,
            reads=call_outcomes.read,
        ),
        Setting(
            "most_tries",
            "Most tries",
            "After so many calls without an end it is given up",
            default="3",
            reads=reading.whole(1, 20),
        ),
    )

    def check(self) -> str:
        try:
            outcomes = call_outcomes.read(self.value("outcomes"))
            tries = int(self.value("most_tries"))
        except ValueError as error:
            raise NotReadyError(str(error), "settings") from None
        return f"Agents choose of {len(outcomes)} outcomes, and call {tries} times at most."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        going = mark(parcels)
        for slug in {str(parcel.extra.get("audience", "")) for parcel in going}:
            audience = Audience.objects.filter(slug=slug).first()
            if audience is None:
                return every(going, Result(Outcome.REFUSED, "audience", "not the name of an audience"))
            own = [one for one in going if one.extra.get("audience") == slug and one.extra.get("contact")]
            with transaction.atomic():
                self._ask(audience, [one for one in own if one.extra.get("action") == ADD], now)
                self._withdraw(audience, [one for one in own if one.extra.get("action") != ADD], now)
        # Of the erased nothing is left to withdraw: their calls went with them.
        return every(going, Result(Outcome.ACCEPTED, "kept"))

    def _ask(self, audience: Audience, parcels: Sequence[Parcel], now: datetime) -> None:
        rows = []
        for parcel in parcels:
            contact_id = int(parcel.extra["contact"])
            rows.append(
                CallTask(
                    slot=slots.of(contact_id), contact_id=contact_id, audience=audience,
                    account_id=self.account_id, due_at=now, created_at=now,
                )
            )  # fmt: skip
        CallTask.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1_000)

    def _withdraw(self, audience: Audience, parcels: Sequence[Parcel], now: datetime) -> None:
        contacts = [int(parcel.extra["contact"]) for parcel in parcels]
        CallTask.objects.filter(audience=audience, contact_id__in=contacts, state=CallTask.State.OPEN).update(
            state=CallTask.State.WITHDRAWN, done_at=now
        )
