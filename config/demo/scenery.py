"""What must stand before the play: purposes, consents, push addresses, templates, segments, journeys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction

from channels import charter, starter
from channels.models import ProviderAccount
from config.demo.people import Person
from config.demo.visits import SHOP
from contacts import consent, event_log, segments, starter_segments
from contacts.consent import NewConsent
from contacts.models import ChannelAddress, Identifier
from contacts.slots import of as slot_of
from journeys import library

#: Readers that must not see the loaded year as news: nobody wants a welcome for last spring.
_LIVE_READERS = ("segments", "triggers")


def contact_ids(people: Iterable[Person]) -> dict[str, int]:
    """Contact id by user id, for the people that ingest has made."""
    wanted = [person.user_id for person in people]
    return dict(
        Identifier.objects.filter(kind=Identifier.Kind.USER, value__in=wanted).values_list(
            "value", "contact_id"
        )
    )


def allow(people: Iterable[Person], ids: dict[str, int], now: datetime) -> int:
    """Give the invented consents and push addresses; returns how many consents."""
    given = []
    addresses = []
    for person in people:
        contact = ids.get(person.user_id)
        if contact is None:
            continue
        given += [
            NewConsent(
                contact,
                channel,
                purpose,
                True,
                "loyalty card form",
                wording="2025-01",
                occurred_at=now - timedelta(days=1),
                proof={"card": person.traits["loyalty_card"]},
            )
            for channel in person.allows
            for purpose in ("offers", "news")
        ]
        # Whether opens and clicks may be kept is asked apart from the messages themselves.
        if person.household % 10 < 9 and "email" in person.allows:
            given.append(
                NewConsent(contact, "email", "tracking", True, "loyalty card form", wording="2025-01")
            )
        if "push" in person.allows:
            digest = sha256(person.user_id.encode()).hexdigest()
            addresses.append(
                ChannelAddress(
                    slot=slot_of(contact), contact_id=contact, channel="push",
                    address=f"https://push.example.com/{digest[:40]}", created_at=now, data={"demo": True},
                )
            )  # fmt: skip
    with transaction.atomic():
        ChannelAddress.objects.bulk_create(addresses, ignore_conflicts=True)
        return consent.record(given, now)


def furnish(now: datetime, best_sellers: Sequence[Mapping[str, Any]]) -> int:
    """Templates, segments and the ready-made journeys, live from the play's beginning; returns how many."""
    starter.load(now)
    charter.publish(charter.draft(charter.DEFAULT, "What Segue starts with"), now)
    shown = [
        {"name": each["name"], "price": each["price"], "url": f"{SHOP}/products/{each['product_id']}"}
        for each in best_sellers
    ]
    for account in ProviderAccount.objects.filter(channel="email"):
        account.settings["best_sellers"] = shown
        account.save(update_fields=["settings"])
    starter_segments.load()
    segments.ensure_current(now)
    for reader in _LIVE_READERS:
        event_log.start_at_end(reader)
    return library.publish_all(now)
